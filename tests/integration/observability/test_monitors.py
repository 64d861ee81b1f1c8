"""The Prometheus Operator's own definitions accept what the chart makes, on a real API server."""

from functools import partial

import pytest
import yaml

from tests.cluster import build, prometheus
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until
from tests.unit.chart.rendering import CASES, NAMESPACE, Helm, Object

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
PLURALS = {"ServiceMonitor": "servicemonitors", "PodMonitor": "podmonitors", "PrometheusRule": "prometheusrules"}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def write(plane: ControlPlane, kind: str, obj: Object) -> tuple[int, Object]:
    name = obj["metadata"]["name"]
    path = f"/apis/monitoring.coreos.com/v1/namespaces/{NAMESPACE}/{PLURALS[kind]}/{name}"
    question = "fieldManager=tests&fieldValidation=Strict&force=true"
    return plane.api.call("PATCH", f"{path}?{question}", obj, "application/apply-patch+yaml")


def accepted(plane: ControlPlane, kind: str, obj: Object) -> bool:
    status, answer = write(plane, kind, obj)
    assert status not in (400, 422), answer
    return status in (200, 201)


@pytest.fixture(scope="module")
def plane(controlled_plane: ControlPlane) -> ControlPlane:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    assert controlled_plane.api.apply(f"/api/v1/namespaces/{NAMESPACE}", namespace) in (200, 201)
    for plural in PLURALS.values():
        file = prometheus.definitions() / f"monitoring.coreos.com_{plural}.yaml"
        body = yaml.safe_load(file.read_text())
        assert controlled_plane.api.apply(f"{DEFINITIONS}/{body['metadata']['name']}", body) in (200, 201)
    return controlled_plane


@pytest.mark.parametrize("kind", PLURALS)
def test_the_definition_accepts_it(plane: ControlPlane, kind: str) -> None:
    (made,) = Helm(build.program("helm")).template(CASES["everything optional"]).of(kind)
    until(partial(accepted, plane, kind, made), f"{kind} is taken", 30)


def test_a_field_that_does_not_exist_is_refused(plane: ControlPlane) -> None:
    (made,) = Helm(build.program("helm")).template(CASES["everything optional"]).of("ServiceMonitor")
    until(partial(accepted, plane, "ServiceMonitor", made), "the kind is served", 30)
    misspelt = {**made, "spec": {**made["spec"], "endpoint": []}}
    assert write(plane, "ServiceMonitor", misspelt)[0] in (400, 422, 500)
