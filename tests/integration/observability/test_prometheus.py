"""A real Prometheus scrapes two really running replicas, with the alerts of the chart."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from tests.cluster import build, prometheus
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until
from tests.integration.observability.processes import Json, Prometheus, Replica
from tests.unit.chart.rendering import CASES, NAMESPACE, Helm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
LABELS = {"job": "yard-metrics", "namespace": NAMESPACE}
MONITOR = {
    "apiVersion": "modelyard.dev/v1alpha1",
    "kind": "DriftMonitor",
    "metadata": {"name": "lonely"},
    "spec": {"modelDeploymentRef": {"name": "absent"}},
}


def rules() -> Json:
    (rule,) = Helm(build.program("helm")).template(CASES["everything optional"]).of("PrometheusRule")
    spec: Json = rule["spec"]
    return spec


def installed(plane: ControlPlane) -> None:
    """Our kinds, and a monitor without anything to monitor."""
    paths = {"/api/v1/namespaces/watched": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "watched"}}}
    for kind in KINDS:
        body = definition(kind)
        paths[f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{body['metadata']['name']}"] = body
    paths["/apis/modelyard.dev/v1alpha1/namespaces/watched/driftmonitors/lonely"] = MONITOR
    for path, wanted in paths.items():
        until(lambda p=path, w=wanted: plane.api.apply(p, w) in (200, 201), f"{path} is there", 15)  # type: ignore[misc]


class Watched:
    def __init__(self, replicas: list[Replica], by: Prometheus) -> None:
        self.replicas, self.prometheus = replicas, by

    def alerts(self) -> dict[str, Json]:
        """Those that are pending or firing, by name."""
        return {each["labels"]["alertname"]: each for each in self.prometheus.ask("alerts")["alerts"]}


@pytest.fixture(scope="module")
def watched(controlled_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Two replicas, one of which leads, and Prometheus."""
    plane, folder = controlled_plane, tmp_path_factory.mktemp("observability")
    installed(plane)
    settings = {"lease": {"namespace": "watched", "name": "modelyard"}, "namespaces": ["watched"]}
    with (
        Replica("first", plane.kubeconfig, folder, **settings) as first,
        Replica("second", plane.kubeconfig, folder, **settings) as second,
    ):
        replicas = [first, second]
        for replica in replicas:
            until(replica.ready, f"{replica.log.name} is ready", 60, replica.trouble)
        targets = [f"127.0.0.1:{replica.port}" for replica in replicas]
        with Prometheus(targets, LABELS, rules(), folder) as server:
            until(server.ready, "Prometheus is ready", 60, server.trouble)
            yield Watched(replicas, server)


def test_both_replicas_are_scraped_and_one_leads(watched: Watched) -> None:
    def one_of_two() -> bool:
        up, leaders = watched.prometheus.value("sum(up)"), watched.prometheus.value("sum(modelyard_leader)")
        return (up, leaders) == (2, 1)

    until(one_of_two, "two targets are up, one leads", 30)
    assert watched.prometheus.value("sum(leader_election_master_status)") == 1
    assert [target["lastError"] for target in watched.prometheus.ask("targets")["activeTargets"]] == ["", ""]


def test_what_was_done_is_in_the_series(watched: Watched) -> None:
    expected = {
        'max(modelyard_resources{kind="DriftMonitor",phase="Pending"})': 1,
        'max(modelyard_cached_objects{kind="DriftMonitor"})': 1,
        'sum(controller_runtime_reconcile_total{controller="DriftMonitor"}) > bool 0': 1,
        'sum(modelyard_api_writes_total{verb="patch_status"}) > bool 0': 1,
        'sum(rest_client_requests_total{code="200",method="PATCH"}) > bool 0': 1,
        'count(modelyard_watch_starts_total{code="200"}) > bool 0': 1,
        "sum(workqueue_work_duration_seconds_count) > bool 0": 1,
        "time() - max(modelyard_resync_last_success_timestamp_seconds) < bool 60": 1,
        "max(time() - modelyard_watch_last_start_timestamp_seconds) < bool 120": 1,
        "max(modelyard_event_loop_lag_seconds) < bool 60": 1,
    }
    for expression, value in expected.items():
        until(lambda e=expression, v=value: watched.prometheus.value(e) == v, expression, 20)  # type: ignore[misc]


def test_every_alert_of_the_chart_is_loaded_and_evaluates(watched: Watched) -> None:
    def evaluated() -> list[Json]:
        groups = watched.prometheus.ask("rules", type="alert")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    until(lambda: all(rule["health"] == "ok" for rule in evaluated()), "all rules are healthy", 30)
    assert [rule.get("lastError", "") for rule in evaluated()] == [""] * len(evaluated())
    written = [rule["alert"] for group in rules()["groups"] for rule in group["rules"]]
    assert sorted(rule["name"] for rule in evaluated()) == sorted(written)


def test_an_operator_at_rest_alarms_nobody_but_for_the_monitor_that_has_nothing_to_watch(watched: Watched) -> None:
    name = "ModelyardMonitorNotChecking"
    until(lambda: set(watched.alerts()) == {name}, f"{name} is pending and nothing else", 30)
    told = watched.alerts()[name]
    assert told["state"] == "pending"
    assert told["annotations"]["summary"] == "1 DriftMonitors do not work: WaitingForDeployment."
    assert told["annotations"]["runbook_url"] == f"docs/runbooks/{name}.md"


def test_metrics_follow_prometheus_conventions(watched: Watched) -> None:
    for replica in watched.replicas:
        status, text = replica.page("/metrics")
        assert status == 200
        command = [str(prometheus.program("promtool")), "check", "metrics"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_standby_is_ready_and_healthy_as_the_leader_is(watched: Watched) -> None:
    for replica in watched.replicas:
        assert [replica.page(path)[1] for path in ("/readyz", "/healthz")] == ["ok\n", "ok\n"]


def test_every_log_line_is_json_and_reconciles_name_their_resource(watched: Watched) -> None:
    def lines() -> list[Any]:
        return [json.loads(line) for replica in watched.replicas for line in replica.log.read_text().splitlines()]

    def reconciled() -> list[Json]:
        return [line for line in lines() if line["message"] == "reconciled"]

    until(lambda: bool(reconciled()), "a reconcile was logged", 20)
    line = reconciled()[0]
    assert (line["kind"], line["namespace"], line["name"]) == ("DriftMonitor", "watched", "lonely")
    assert line["writes"] > 0, "a reconcile that changes nothing is not worth a line"
    identifiers = [each["reconcile_id"] for each in reconciled()]
    assert len(set(identifiers)) == len(identifiers)


def test_an_operator_that_ends_is_missed(watched: Watched) -> None:
    """The last one: nobody runs afterwards."""
    assert [replica.stop() for replica in watched.replicas] == [0, 0]
    until(lambda: "ModelyardOperatorDown" in watched.alerts(), "the alert is pending", 30)
