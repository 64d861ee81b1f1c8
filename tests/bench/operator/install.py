"""Puts a controller's objects on a control plane, and gives it the access that it has in a cluster.

API priority and fairness applies to service accounts, not to administrators.
"""

import base64
import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until

_PLURALS = {
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "ClusterRole": ("apis/rbac.authorization.k8s.io/v1", "clusterroles"),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "Role": ("apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    "CustomResourceDefinition": ("apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "ValidatingWebhookConfiguration": ("apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"),
    "MutatingWebhookConfiguration": ("apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations"),
}


def path_of(document: dict[str, Any]) -> str:
    api, plural = _PLURALS[document["kind"]]
    namespace = document["metadata"].get("namespace")
    return f"/{api}/{f'namespaces/{namespace}/' if namespace else ''}{plural}/{document['metadata']['name']}"


def install(plane: ControlPlane, documents: Iterable[dict[str, Any]]) -> None:
    """Returns when the kinds among them are served. Raises RuntimeError for a refusal."""
    kinds = []
    for document in documents:
        succeed(plane, "PATCH", f"{path_of(document)}?fieldManager=bench&force=true", document)
        if document["kind"] == "CustomResourceDefinition":
            kinds.append(document["spec"])
    for kind in kinds:
        path = f"/apis/{kind['group']}/{kind['versions'][0]['name']}/{kind['names']['plural']}"
        until(partial(_served, plane, path), f"{path} is served", 30)


def _served(plane: ControlPlane, path: str) -> bool:
    return plane.api.call("GET", path)[0] == 200


def succeed(plane: ControlPlane, method: str, path: str, body: Any = None) -> Any:
    """The answer. Raises RuntimeError for a refusal."""
    content = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
    code, answer = plane.api.call(method, path, body, content)
    if code not in (200, 201):
        raise RuntimeError(f"{method} {path}: {code} {answer}")
    return answer


def namespace(plane: ControlPlane, name: str) -> None:
    succeed(plane, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})


def kubeconfig(plane: ControlPlane, place: str, name: str) -> Path:
    """A kubeconfig with a token of this service account, for as long as the control plane lives."""
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 86400}}
    answer = succeed(plane, "POST", f"/api/v1/namespaces/{place}/serviceaccounts/{name}/token", asked)
    authority = encoded(plane.settings.credentials.ca)
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": {"server": plane.url, "certificate-authority-data": authority}}],
        "users": [{"name": name, "user": {"token": answer["status"]["token"]}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": name, "namespace": place}}],
        "current-context": "bench",
    }
    path = plane.directory / f"{place}-{name}.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))
    return path


def encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
