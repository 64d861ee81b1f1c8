"""Pod Security itself, in a namespace that enforces `restricted`: it takes every pod the operator makes."""

import copy
from typing import Any

import pytest

from tests.cluster.api import Api
from tests.cluster.controlplane import ControlPlane
from tests.integration.security.release import RESTRICTED
from tests.unit.chart.test_pod_security import GOOD, SPOILED
from tests.unit.plan.generated import PLAIN, Template, all_templates, own_containers, planned, templates

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

SPACE = "restricted"
# what we ask beyond the standard
BEYOND = {"automountServiceAccountToken", "runAsUser is", "readOnlyRootFilesystem", "memory limit", "no memory limit"}
BEYOND |= {"size limit", "no size limit", "requests"}
NOWHERE = {"privileged", "procMount", "hostProcess"}  # contradicts the rest of the pod: no namespace takes it
GREEDY = {"requests": {"memory": "9Gi"}, "limits": {"ephemeral-storage": "0", "nvidia.com/gpu": "1"}}


@pytest.fixture(scope="module")
def api(controlled_plane: ControlPlane) -> Api:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE, "labels": RESTRICTED}}
    assert controlled_plane.api.apply(f"/api/v1/namespaces/{SPACE}", body) in (200, 201)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    assert controlled_plane.api.apply(f"/api/v1/namespaces/{SPACE}/serviceaccounts/default", account) in (200, 201)
    return controlled_plane.api


def answer(api: Api, spec: dict[str, Any]) -> tuple[int, str]:
    """What the API server says to a pod of this spec, without making it."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried"}, "spec": {**spec, "restartPolicy": "Never"}}
    code, said = api.call("POST", f"/api/v1/namespaces/{SPACE}/pods?dryRun=All&fieldValidation=Strict", pod)
    return code, said.get("message", "")


@pytest.mark.parametrize("template", all_templates(), ids=lambda t: f"{t.child['kind']}-{t.role}")
def test_every_pod_of_every_kind_is_taken(api: Api, template: Template) -> None:
    assert answer(api, template.spec) == (201, "")


@pytest.mark.parametrize("template", own_containers(), ids=["serves itself", "class"])
def test_a_server_beside_a_users_container_is_taken(api: Api, template: Template) -> None:
    assert [c["name"] for c in template.spec["initContainers"]] == ["fetch", "model"]
    assert answer(api, template.spec) == (201, "")


@pytest.mark.parametrize("kind", [kind for kind in PLAIN if kind != "DriftMonitor"])
def test_pods_of_specs_that_ask_for_much_are_taken(api: Api, kind: str) -> None:
    """A DriftMonitor's have no resources to ask for."""
    (template,) = templates(planned(kind, {**PLAIN[kind], "resources": GREEDY}))
    assert answer(api, template.spec) == (201, "")


@pytest.mark.parametrize("what", [name for name in SPOILED if name not in BEYOND])
def test_what_our_checker_finds_pod_security_refuses(api: Api, what: str) -> None:
    pod = copy.deepcopy(GOOD)
    (container,) = pod["containers"]
    container["image"] = "i"
    container["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]
    assert answer(api, pod) == (201, "")
    SPOILED[what](pod)
    code, said = answer(api, pod)
    assert code == (422 if what in NOWHERE else 403)
    assert what in NOWHERE or "violates PodSecurity" in said
