"""What Prometheus needs to find the operator and the workload pods."""

from typing import Any

from modelyard.contract.tasks import MANAGEMENT_PORT
from modelyard.plan.labels import KIND, MANAGED_BY, MANAGER, NAME, REVISION, ROLE
from modelyard.plan.pods import TaskPod, pod_template
from modelyard.runtime.config import parse
from tests.unit.chart.pod_security import containers
from tests.unit.chart.rendering import CASES, NAMESPACE, Helm, Rendered

MONITORED: dict[str, Any] = {"metrics": {"serviceMonitor": {"enabled": True}}}
CUSTOM = ("ServiceMonitor", "PodMonitor", "PrometheusRule")


def operator_labels(rendered: Rendered) -> dict[str, str]:
    labels: dict[str, str] = rendered.one("Deployment", "modelyard-operator")["spec"]["template"]["metadata"]["labels"]
    return labels


def test_nothing_that_needs_the_prometheus_operator_is_made_unless_asked_for(helm: Helm) -> None:
    assert [each for kind in CUSTOM for each in helm.template({}).of(kind)] == []


def test_the_service_names_each_replica_and_the_port_of_its_metrics(helm: Helm) -> None:
    rendered = helm.template({})
    spec = rendered.one("Service", "modelyard-metrics", NAMESPACE)["spec"]
    assert spec["clusterIP"] == "None"
    assert spec["publishNotReadyAddresses"] is True
    assert spec["selector"].items() <= operator_labels(rendered).items()
    (port,) = spec["ports"]
    (container,) = containers(rendered.one("Deployment", "modelyard-operator")["spec"]["template"]["spec"])
    assert port["targetPort"] in {each["name"] for each in container["ports"]}
    assert port["port"] == rendered.operator_config()["healthPort"]


def test_the_service_monitor_selects_the_metrics_service_alone(helm: Helm) -> None:
    rendered = helm.template(MONITORED)
    spec = rendered.one("ServiceMonitor", "modelyard-operator", NAMESPACE)["spec"]
    wanted = spec["selector"]["matchLabels"].items()
    found = [
        each["metadata"]["name"] for each in rendered.of("Service") if wanted <= each["metadata"]["labels"].items()
    ]
    assert found == ["modelyard-metrics"]
    assert spec["namespaceSelector"] == {"matchNames": [NAMESPACE]}
    assert spec["endpoints"] == [{"port": "metrics", "path": "/metrics", "interval": "30s"}]


def test_the_pod_monitor_selects_the_pods_that_the_operator_makes(helm: Helm) -> None:
    spec = helm.template(MONITORED).one("PodMonitor", "modelyard-workloads", NAMESPACE)["spec"]
    assert spec["selector"] == {"matchLabels": {MANAGED_BY: MANAGER}}
    assert spec["podMetricsEndpoints"] == [{"port": "management", "path": "/metrics", "interval": "30s"}]
    assert spec["podTargetLabels"] == [KIND, NAME, ROLE, REVISION]
    assert spec["namespaceSelector"] == {"any": True}


def test_in_namespace_mode_only_these_namespaces_are_looked_at(helm: Helm) -> None:
    values = {**CASES["two namespaces"], **MONITORED}
    spec = helm.template(values).one("PodMonitor", "modelyard-workloads")["spec"]
    assert spec["namespaceSelector"] == {"matchNames": ["team-a", "team-b"]}


def test_every_workload_pod_has_a_port_of_that_name() -> None:
    pod = pod_template(TaskPod("any", "task"), {}, parse({}, "the defaults").settings)
    (container,) = pod["spec"]["containers"]
    assert {"name": "management", "containerPort": MANAGEMENT_PORT} in container["ports"]


def test_labels_and_interval_can_be_chosen(helm: Helm) -> None:
    rendered = helm.template(CASES["everything optional"])
    for kind in CUSTOM:
        (found,) = rendered.of(kind)
        assert found["metadata"]["labels"]["release"] == "prometheus"
    assert rendered.of("ServiceMonitor")[0]["spec"]["endpoints"][0]["interval"] == "15s"


def test_a_log_format_can_be_chosen(helm: Helm) -> None:
    assert helm.template({}).operator_config()["logFormat"] == "json"
    chosen = helm.template({"operator": {"logFormat": "text", "logLevel": "debug"}}).operator_config()
    assert (chosen["logFormat"], chosen["logLevel"]) == ("text", "debug")
