"""A spec cannot point outside its namespace, and nothing in it reaches what makes a pod privileged."""

from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.api.crd import definition
from modelyard.api.fields import DNS_LABEL
from modelyard.api.kind import Kind
from modelyard.api.kinds import KINDS

Node = dict[str, Any]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)

# besides the name: which version of the data, not which object
MORE = {"datasetRef": {"digest", "checkedAfter"}}
# parts of a pod's spec by which a pod gets more than the chart allows it
POD_FIELDS = {
    *("affinity", "args", "automountserviceaccounttoken", "capabilities", "command", "containers", "env", "envfrom"),
    *("ephemeralcontainers", "hostaliases", "hostipc", "hostnetwork", "hostpath", "hostpid", "hostport", "hostusers"),
    *("initcontainers", "lifecycle", "podspec", "podtemplate", "ports", "privileged", "procmount", "runasuser"),
    *("runtimeclassname", "securitycontext", "serviceaccount", "serviceaccountname", "sysctls", "template"),
    *("volumedevices", "volumemounts", "volumes"),
}


def properties(schema: Node, path: str) -> Iterator[tuple[str, str, Node]]:
    """Every property below: its path, its name, its schema."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", name, child
        yield from properties(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from properties(schema[key], f"{path}[]")


def spec_of(kind: Kind) -> list[tuple[str, str, Node]]:
    root = definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return list(properties(root["properties"]["spec"], "spec"))


@each_kind
def test_no_field_of_a_spec_is_about_namespaces(kind: Kind) -> None:
    assert [path for path, name, _ in spec_of(kind) if "namespace" in name.lower()] == []


@each_kind
def test_every_reference_is_a_name_and_nothing_else(kind: Kind) -> None:
    references = [(path, name, node) for path, name, node in spec_of(kind) if name.lower().endswith("ref")]
    for path, name, node in references:
        assert set(node["properties"]) - MORE.get(name, set()) == {"name"}, path
        assert "name" in node["required"], path
    assert references or kind.kind == "Dataset"


@each_kind
def test_every_named_object_has_a_dns_label_for_a_name(kind: Kind) -> None:
    for path, name, node in spec_of(kind):
        if name.lower().endswith("ref"):
            field = node["properties"]["name"]
            assert (field["pattern"], field["minLength"], field["maxLength"]) == (DNS_LABEL, 1, 63), path


def test_the_references_are_those_that_are_known() -> None:
    """A new one has to be looked at: who could reach what by it?"""
    found = {f"{kind.kind}.{path}" for kind in KINDS for path, name, _ in spec_of(kind) if name.lower().endswith("ref")}
    assert found == {
        "Dataset.spec.sources[].credentialsSecretRef",
        "TrainingJob.spec.datasetRef",
        "TrainingJob.spec.script.configMapRef",
        "TrainingJob.spec.trigger.driftMonitorRef",
        "TrainingJob.spec.trigger.rootRef",
        "ModelDeployment.spec.model.trainingJobRef",
        "DriftMonitor.spec.modelDeploymentRef",
    }


@each_kind
def test_no_field_is_a_part_of_a_pods_spec_that_could_weaken_it(kind: Kind) -> None:
    assert [path for path, name, _ in spec_of(kind) if name.lower() in POD_FIELDS] == []


@each_kind
def test_no_part_of_a_spec_is_free_in_form(kind: Kind) -> None:
    """Such a part could carry any of the fields above past the test before."""
    nodes = [(path, node) for path, _, node in spec_of(kind)]
    assert [path for path, node in nodes if node.get("x-kubernetes-preserve-unknown-fields")] == []
    for path, node in nodes:
        free = node.get("type") == "object" and not node.get("properties")
        assert not free or node.get("additionalProperties", {}).get("type") in ("string", "integer"), path
