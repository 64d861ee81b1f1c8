"""Whatever a spec says, its pods are as restricted as ever, and its children stay where they belong."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.plan.labels import owner_of
from modelyard.plan.plan import Key, Plan
from modelyard.plan.pods import pod_template
from modelyard.plan.settings import Settings
from tests.unit.chart.pod_security import violations
from tests.unit.plan.builders import NAMESPACE
from tests.unit.plan.generated import PLAIN, Template, all_templates, planned, templates
from tests.unit.plan.hostile import specs
from tests.unit.plan.test_pods import POD

POD_FIELDS = {
    *("restartPolicy", "automountServiceAccountToken", "enableServiceLinks", "securityContext", "containers"),
    *("volumes", "activeDeadlineSeconds", "terminationGracePeriodSeconds", "topologySpreadConstraints"),
    "initContainers",
}
CONTAINER_FIELDS = {
    *("name", "image", "imagePullPolicy", "env", "ports", "resources", "volumeMounts", "securityContext"),
    *("terminationMessagePath", "terminationMessagePolicy", "startupProbe", "readinessProbe", "livenessProbe"),
}
BESIDE_FIELDS = (CONTAINER_FIELDS - {"readinessProbe"}) | {"command", "args", "restartPolicy"}
BESIDE_MOUNTS = {"/tmp", "/opt/ml/model", "/opt/modelyard"}
MOUNTS = ("/etc/modelyard", "/tmp", "/opt/ml", "/opt/ml/code", "/var/run/modelyard/sources/")
KINDS_OF_VOLUME = {"configMap", "downwardAPI", "emptyDir", "secret"}
SHOWN_TO_POD = "metadata.annotations['modelyard.dev/task']"  # its task, and nothing else of it
PLAIN_POD = pod_template(POD, {}, Settings())["spec"]
(PLAIN_CONTAINER,) = PLAIN_POD["containers"]


def unexpected(template: Template) -> list[str]:
    """What about a pod is not as it is for every spec, besides image, resources and the names of volumes' objects."""
    spec = template.spec
    (container,) = spec["containers"]
    found = sorted((set(spec) - POD_FIELDS) | (set(container) - CONTAINER_FIELDS))
    found += [field for field in ("securityContext", "enableServiceLinks") if spec[field] != PLAIN_POD[field]]
    same = ("securityContext", "env", "imagePullPolicy", "terminationMessagePath")
    found += [field for field in same if container[field] != PLAIN_CONTAINER[field]]
    found += [mount["mountPath"] for mount in container["volumeMounts"] if not mount["mountPath"].startswith(MOUNTS)]
    found += [volume["name"] for volume in spec["volumes"] if not volume.keys() - {"name"} <= KINDS_OF_VOLUME]
    shown = [
        item["fieldRef"]["fieldPath"] for v in spec["volumes"] for item in v.get("downwardAPI", {}).get("items", ())
    ]
    found += [what for beside in spec.get("initContainers", ()) for what in _of_users(beside)]
    return found + [path for path in shown if path != SHOWN_TO_POD]


def _of_users(container: dict[str, Any]) -> list[str]:
    """Of a container that may be a user's, unless it is the one that fetches the model for it."""
    found = sorted(set(container) - BESIDE_FIELDS)
    same = ("securityContext", "imagePullPolicy", "terminationMessagePath")
    found += [field for field in same if container[field] != PLAIN_CONTAINER[field]]
    if container["name"] == "fetch":
        assert container["image"] == Settings().images.serving
        assert container["command"] == ["python", "-m", "modelyard_serving.fetch"]
        return found
    found += [variable["name"] for variable in container["env"] if "valueFrom" in variable]
    mounts = container["volumeMounts"]
    found += [m["mountPath"] for m in mounts if m["mountPath"] not in BESIDE_MOUNTS]
    return found + [m["mountPath"] for m in mounts if m["mountPath"] != "/tmp" and not m["readOnly"]]


def hostile(kind: str) -> st.SearchStrategy[Plan]:
    return specs(kind).map(lambda spec: planned(kind, _startable(kind, spec)))


def _startable(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Not suspended, and without what would make a TrainingJob wait for other data than there is."""
    going = {**spec, "suspend": False}
    return {**going, "datasetRef": {"name": spec["datasetRef"]["name"]}} if kind == "TrainingJob" else going


@pytest.mark.parametrize("kind", PLAIN)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_spec_weakens_a_pod_or_reaches_another_namespace(kind: str, data: st.DataObject) -> None:
    plan = data.draw(hostile(kind))
    made = templates(plan)
    assert made
    for template in made:
        assert violations(template.spec) == []
        assert unexpected(template) == []
    for child in plan.apply:
        assert child["metadata"]["namespace"] == NAMESPACE
        (owner,) = child["metadata"]["ownerReferences"]
        assert owner_of(child) == Key(kind, NAMESPACE, owner["name"])


def test_only_a_builds_own_sources_give_it_a_secret_as_files() -> None:
    sources = [{"name": "a", "uri": "s3://b/c", "credentialsSecretRef": {"name": "lake"}}]
    (build,) = templates(planned("Dataset", {**PLAIN["Dataset"], "sources": sources}))
    assert [v["secret"]["secretName"] for v in build.spec["volumes"] if "secret" in v] == ["lake"]
    for template in all_templates():
        assert not any("secret" in volume for volume in template.spec["volumes"]), template.role


def test_the_pods_of_every_role_are_looked_at() -> None:
    roles = [template.role for template in all_templates()]
    assert sorted(roles) == ["attempt", "build", "check", "check", "gate", "server"]
