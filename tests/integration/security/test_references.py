"""References on a real API server: a name in the same namespace, and no way to say anything else."""

import json
from typing import Any

import pytest

from modelyard.runtime.resources import resource_of
from tests.cluster import build
from tests.cluster.api import Api
from tests.cluster.controlplane import ControlPlane
from tests.integration.security import release
from tests.unit.chart.rendering import Helm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

Spec = dict[str, Any]


def source(ref: Spec) -> Spec:
    return {"sources": [{"name": "a", "uri": "s3://b/c", "credentialsSecretRef": ref}]}


def script(ref: Spec) -> Spec:
    return {"datasetRef": {"name": "d"}, "script": {"configMapRef": ref}}


def trigger(monitor: Spec, root: Spec) -> Spec:
    asked = {"driftMonitorRef": monitor, "rootRef": root, "reason": "DataDrift"}
    return {"datasetRef": {"name": "d"}, "recipe": {"task": "regression"}, "trigger": asked}


REFERENCES = {
    "a source's Secret": ("Dataset", source),
    "a script's ConfigMap": ("TrainingJob", script),
    "a job's dataset": ("TrainingJob", lambda ref: {"datasetRef": ref, "recipe": {"task": "regression"}}),
    "a retraining's monitor": ("TrainingJob", lambda ref: trigger(ref, {"name": "r"})),
    "a retraining's root": ("TrainingJob", lambda ref: trigger({"name": "m"}, ref)),
    "an endpoint's job": ("ModelDeployment", lambda ref: {"model": {"trainingJobRef": ref}}),
    "a monitor's endpoint": ("DriftMonitor", lambda ref: {"modelDeploymentRef": ref}),
}
each_reference = pytest.mark.parametrize("which", REFERENCES)
NAMES = ["other/lake", "../lake", "lake.other", "Lake", "lake_1", "-lake", "", "a" * 64, "kube-system:admin"]


@pytest.fixture(scope="module")
def api(controlled_plane: ControlPlane) -> Api:
    release.define(controlled_plane, Helm(build.program("helm")).template({}))
    return controlled_plane.api


def created(api: Api, which: str, ref: Spec, validation: str) -> tuple[int, Any]:
    """Without keeping it."""
    kind, spec = REFERENCES[which]
    resource = resource_of(kind)
    body = {"apiVersion": resource.api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec(ref)}
    return api.call("POST", f"{resource.path('default')}?dryRun=All&fieldValidation={validation}", body)


@each_reference
def test_a_name_is_taken(api: Api, which: str) -> None:
    assert created(api, which, {"name": "lake"}, "Strict")[0] == 201


@each_reference
def test_a_namespace_beside_the_name_is_refused_and_where_nobody_validates_it_is_dropped(api: Api, which: str) -> None:
    code, said = created(api, which, {"name": "lake", "namespace": "other"}, "Strict")
    assert code == 400
    assert "unknown field" in said["message"]
    code, kept = created(api, which, {"name": "lake", "namespace": "other"}, "Ignore")
    assert code == 201
    assert '"namespace": "other"' not in json.dumps(kept["spec"])


@each_reference
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_dns_label_is_refused(api: Api, which: str, name: str) -> None:
    code, said = created(api, which, {"name": name}, "Strict")
    assert code == 422
    assert ".name" in said["message"]
