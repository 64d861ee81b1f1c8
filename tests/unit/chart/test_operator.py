"""The operator's Deployment: two replicas that restart when, and only when, their configuration changed."""

from typing import Any

import pytest

from tests.unit.chart.rendering import CASES, Helm, RefusedError, Rendered

CHECKSUM = "modelyard.dev/config-checksum"


def deployment(rendered: Rendered) -> Any:
    return rendered.one("Deployment", "modelyard-operator")["spec"]


def checksum(helm: Helm, values: dict[str, Any]) -> str:
    return str(deployment(helm.template(values))["template"]["metadata"]["annotations"][CHECKSUM])


def test_a_second_replica_stands_by_and_is_never_evicted_with_the_first(helm: Helm) -> None:
    rendered = helm.template({})
    spec = deployment(rendered)
    budget = rendered.one("PodDisruptionBudget", "modelyard-operator")["spec"]
    assert spec["replicas"] == 2
    assert budget == {"maxUnavailable": 1, "selector": spec["selector"]}
    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert spread["labelSelector"] == spec["selector"]


def test_a_changed_configuration_restarts_the_operator(helm: Helm) -> None:
    assert checksum(helm, {}) != checksum(helm, {"operator": {"workers": 9}})


def test_other_changes_leave_the_configuration_alone(helm: Helm) -> None:
    assert checksum(helm, {}) == checksum(helm, {"store": {"embedded": {"buckets": ["more"]}}})


def test_the_image_is_told_where_its_configuration_lies(helm: Helm) -> None:
    rendered = helm.template({})
    pod = deployment(rendered)["template"]["spec"]
    (container,) = pod["containers"]
    (mount,) = (each for each in container["volumeMounts"] if each["name"] == "config")
    (volume,) = (each for each in pod["volumes"] if each["name"] == "config")
    assert container["args"] == ["run", "--config", f"{mount['mountPath']}/operator.yaml"]
    assert "operator.yaml" in rendered.one("ConfigMap", volume["configMap"]["name"])["data"]


def test_names_follow_the_release_and_the_overrides(helm: Helm) -> None:
    assert helm.template({}, release="demo").one("Deployment", "demo-modelyard-operator")
    assert helm.template({"nameOverride": "ml"}, release="demo").one("Deployment", "demo-ml-operator")
    assert helm.template(CASES["everything optional"]).one("Deployment", "yard-operator")


def test_objects_of_a_namespace_say_which(rendered: Rendered) -> None:
    clusterwide = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
    for each in rendered.objects:
        assert (each["kind"] in clusterwide) != ("namespace" in each["metadata"]), each["metadata"]["name"]


@pytest.mark.parametrize("version", ["v1.29.0", "v1.37.1", "v1.33.4-gke.1350000", "v1.31.2-eks-94953ac"])
def test_the_chart_installs_on_the_kubernetes_it_names_and_on_vendors_builds_of_it(helm: Helm, version: str) -> None:
    assert helm.template({}, kubernetes=version).objects


def test_an_older_kubernetes_is_refused(helm: Helm) -> None:
    with pytest.raises(RefusedError, match=r"1\.28"):
        helm.template({}, kubernetes="v1.28.9")
