"""The few objects that a fresh node gets: its storage class, and what CoreDNS may read."""

from typing import Any

from tests.cluster.api import Api
from tests.cluster.node.volumes import CLASS, storage_class
from tests.cluster.provider import ClusterError

_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def dns_role() -> dict[str, Any]:
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:coredns"},
        "rules": rules,
    }


def dns_binding() -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "system:coredns"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "system:coredns"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "system:coredns"}],
    }


def apply(api: Api) -> None:
    objects = {
        f"/apis/storage.k8s.io/v1/storageclasses/{CLASS}": storage_class(),
        f"{_RBAC}/clusterroles/system:coredns": dns_role(),
        f"{_RBAC}/clusterrolebindings/system:coredns": dns_binding(),
    }
    for path, document in objects.items():
        code = api.apply(path, document)
        if code not in (200, 201):
            raise ClusterError(f"the API server answered {code} to {path}")
