"""A peer's own manifests, made to fit a control plane on this machine."""

from pathlib import Path
from typing import Any

import pytest

from tests.bench.operator.install import path_of
from tests.bench.operator.peer import Peer
from tests.bench.operator.trainer import JOBSET, TRAINER
from tests.cluster import build

PEER = Peer("tool", "example.com/tool", "system", "controller", ("rbac.yaml", "crds"), {"apiVersion": "v1"})


def hooks() -> dict[str, Any]:
    service = {"service": {"name": "webhook-service", "namespace": "system", "path": "/validate-job"}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "validating-webhook-configuration"},
        "webhooks": [{"name": "job.example.com", "clientConfig": service, "failurePolicy": "Fail"}],
    }


def test_webhook_is_reached_by_address_and_otherwise_as_it_was() -> None:
    reached = PEER._reached_at(hooks(), 9443, "Q0E=")
    (hook,) = reached["webhooks"]
    assert hook["clientConfig"] == {"url": "https://127.0.0.1:9443/validate-job", "caBundle": "Q0E="}
    assert hook["failurePolicy"] == "Fail"


def test_webhooks_of_two_peers_do_not_replace_each_other() -> None:
    names = {path_of(each._reached_at(hooks(), 1, "")) for each in (JOBSET, TRAINER)}
    assert len(names) == 2


def test_manifests_are_read_from_files_and_folders_and_placed_in_the_namespace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rbac.yaml").write_text(
        "kind: ServiceAccount\nmetadata: {name: controller, namespace: elsewhere}\n---\n"
        "kind: ClusterRoleBinding\nmetadata: {name: b}\nsubjects: [{kind: ServiceAccount, name: controller}]\n"
    )
    (tmp_path / "crds").mkdir()
    (tmp_path / "crds" / "jobs.yaml").write_text("kind: CustomResourceDefinition\nmetadata: {name: jobs}\n")
    (tmp_path / "crds" / "kustomization.yaml").write_text("kind: Kustomization\n")
    monkeypatch.setattr(build, "module", lambda tool, path: tmp_path)
    account, binding, definition = PEER._documents()
    assert account["metadata"]["namespace"] == "system"
    assert binding["subjects"][0]["namespace"] == "system"
    assert definition["metadata"] == {"name": "jobs"}


@pytest.mark.parametrize("peer", [JOBSET, TRAINER], ids=lambda peer: peer.tool)
def test_peer_listens_on_loopback_only_and_alone(peer: Peer) -> None:
    configured = peer._configured(1, 2)
    assert configured["webhook"] == {"host": "127.0.0.1", "port": 1}
    assert configured["health"] == {"healthProbeBindAddress": "127.0.0.1:2"}
    assert configured["leaderElection"] == {"leaderElect": False}
    assert configured["apiVersion"].endswith("/v1alpha1")
