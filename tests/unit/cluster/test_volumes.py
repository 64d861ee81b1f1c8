"""Which claims get a folder, and what the volume of one looks like."""

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.node.volumes import CLASS, storage_class, volume_for, waiting


def claim(**changes: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "data", "namespace": "test", "uid": "u-1", **changes.get("metadata", {})},
        "spec": {
            "storageClassName": CLASS,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "20Gi"}},
            **changes.get("spec", {}),
        },
        "status": {"phase": "Pending", **changes.get("status", {})},
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"status": {"phase": "Bound"}}, False),
        ({"spec": {"storageClassName": "other"}}, False),
        ({"spec": {"volumeName": "pv"}}, False),
        ({"metadata": {"deletionTimestamp": "now"}}, False),
    ],
)
def test_only_waiting_claims_of_our_class(changes: dict[str, Any], expected: bool) -> None:
    assert waiting(claim(**changes)) is expected


def test_a_volume_is_bound_to_its_claim_before_it_exists() -> None:
    volume = volume_for(claim(), Path("/volumes"))
    assert volume["spec"]["hostPath"]["path"] == "/volumes/pvc-u-1"
    assert volume["spec"]["claimRef"]["uid"] == "u-1"
    assert volume["spec"]["capacity"] == {"storage": "20Gi"}


def test_the_class_is_the_default_one() -> None:
    annotations = storage_class()["metadata"]["annotations"]
    assert annotations["storageclass.kubernetes.io/is-default-class"] == "true"
