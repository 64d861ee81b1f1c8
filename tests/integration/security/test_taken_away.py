"""Rights that no request of the audit log shows by its verb: each is needed, for without it a child is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.fields import API_VERSION, GROUP
from modelyard.api.kinds import KINDS
from modelyard.runtime.resources import resource_of
from tests.cluster import build, kubectl
from tests.cluster.controlplane import ControlPlane
from tests.cluster.provider import ClusterError
from tests.integration.security import release
from tests.unit.chart.rendering import NAMESPACE, Helm
from tests.unit.plan.generated import PLAIN, planned

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

Object = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"


class Account:
    """A service account with exactly the rights it is given, and what the API server answers it."""

    def __init__(self, plane: ControlPlane, rules: list[Object], folder: Path) -> None:
        self.plane, self.rules = plane, rules
        metadata = {"name": "tried", "namespace": NAMESPACE}
        role = {"apiGroup": RBAC, "kind": "Role", "name": "tried"}
        subject = {"kind": "ServiceAccount", "name": "tried", "namespace": NAMESPACE}
        bound = {"metadata": metadata, "roleRef": role, "subjects": [subject]}
        self._apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
            {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", **bound},
        )
        self.kubeconfig = release.kubeconfig(plane, release.token(plane, "tried"), folder / "tried")

    def lacks(self, group: str = "", resource: str = "", verb: str = "") -> None:
        """From now on it has the operator's rights less this one."""
        left = [
            {"apiGroups": [of], "resources": [each], "verbs": [may]}
            for rule in self.rules
            for of in rule["apiGroups"]
            for each in rule["resources"]
            for may in rule["verbs"]
            if (of, each, may) != (group, resource, verb)
        ]
        metadata = {"name": "tried", "namespace": NAMESPACE}
        self._apply({"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": left})

    def tries(self, child: Object) -> str:
        """The refusal of a server-side apply as the operator makes it; empty where it is taken."""
        here = {**child, "metadata": {**child["metadata"], "namespace": NAMESPACE}}
        arguments = ("apply", "--server-side", "--dry-run=server", "--validate=false", "-f", "-")
        try:
            kubectl.run(self.plane.kubectl, self.kubeconfig, *arguments, given=json.dumps(here))
        except ClusterError as refusal:
            return str(refusal)
        return ""

    def _apply(self, *objects: Object) -> None:
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        kubectl.run(self.plane.kubectl, self.plane.kubeconfig, "apply", "--server-side", "-f", "-", given=given)


@pytest.fixture(scope="module")
def account(controlled_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Account:
    rendered = Helm(build.program("helm")).template({})
    release.define(controlled_plane, rendered)
    rules = rendered.one("ClusterRole", "modelyard-operator")["rules"]
    return Account(controlled_plane, rules, tmp_path_factory.mktemp("account"))


def children() -> Iterator[tuple[str, Object]]:
    """With the kind of their owner."""
    for kind, spec in PLAIN.items():
        for child in planned(kind, spec).apply:
            yield kind, child
    owner = {"apiVersion": API_VERSION, "kind": "TrainingJob", "name": "root", "uid": "1", "blockOwnerDeletion": True}
    metadata = {"name": "root-r-1", "ownerReferences": [owner]}
    retraining = {"apiVersion": API_VERSION, "kind": "TrainingJob", "metadata": metadata}
    yield "TrainingJob", {**retraining, "spec": PLAIN["TrainingJob"]}


def test_with_all_rights_every_child_is_taken(account: Account) -> None:
    account.lacks()
    assert {child["kind"]: account.tries(child) for _, child in children()} == {
        **dict.fromkeys(("Job", "CronJob", "ConfigMap", "Service", "Deployment"), ""),
        **dict.fromkeys(("PodDisruptionBudget", "TrainingJob"), ""),
    }


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
def test_without_the_right_to_its_owners_finalizers_a_child_is_refused(account: Account, kind: str) -> None:
    account.lacks(GROUP, f"{resource_of(kind).plural}/finalizers", "update")
    for child in (child for owner, child in children() if owner == kind):
        assert "cannot set blockOwnerDeletion" in account.tries(child), child["kind"]


@pytest.mark.parametrize("verb", ["create", "patch"])
@pytest.mark.parametrize("kind", sorted({child["kind"] for _, child in children()}))
def test_without_the_rights_to_create_and_to_patch_a_child_is_refused(account: Account, kind: str, verb: str) -> None:
    """An audit log tells of one request for both, `patch`."""
    resource = resource_of(kind)
    account.lacks(resource.group, resource.plural, verb)
    made = next(child for _, child in children() if child["kind"] == kind)
    assert f'cannot {verb} resource "{resource.plural}"' in account.tries(made)
