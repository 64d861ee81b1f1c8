"""The Kubernetes objects in front of the servers: one Service per revision, the main Service, the disruption budget."""

from typing import Any

from modelyard.contract.tasks import GRPC_PORT, SERVING_PORT
from modelyard.plan.fleet import ROLE_SERVER
from modelyard.plan.labels import child_name, labels_for, owner_reference
from modelyard.plan.plan import Object, key_of

PORT = 80  # of the main Service: people type no port


def metadata(resource: Object, name: str, **labels: str) -> dict[str, Any]:
    """Of a child of a ModelDeployment that belongs to its servers."""
    return {
        "name": name,
        "namespace": resource["metadata"]["namespace"],
        "labels": labels_for(key_of(resource), ROLE_SERVER, **labels),
        "ownerReferences": [owner_reference(resource)],
    }


def selector(resource: Object, revision: str) -> dict[str, str]:
    """The pods of a revision."""
    return labels_for(key_of(resource), ROLE_SERVER, revision=revision)


def revision_service(resource: Object, revision: str) -> dict[str, Any]:
    """Where the stable servers find the candidate: `<name>-<revision>`, with the servers' own port. A share of gRPC's
    calls comes by HTTP, too."""
    name = child_name(resource["metadata"]["name"], revision)
    return _service(
        metadata(resource, name, revision=revision), selector(resource, revision), [_port("http", SERVING_PORT)]
    )


def main_service(resource: Object, revision: str, grpc: bool) -> dict[str, Any]:
    """The endpoint: all requests go to the servers of one revision."""
    # Gateways and meshes must know that it is HTTP/2 without TLS.
    calls = [{**_port("grpc", GRPC_PORT), "appProtocol": "kubernetes.io/h2c"}] if grpc else []
    pods = selector(resource, revision)
    return _service(metadata(resource, resource["metadata"]["name"]), pods, [_port("http", PORT), *calls])


def _port(name: str, port: int) -> dict[str, Any]:
    return {"name": name, "port": port, "targetPort": name, "protocol": "TCP"}


def _service(of: dict[str, Any], pods: dict[str, str], ports: list[dict[str, Any]]) -> dict[str, Any]:
    spec = {"type": "ClusterIP", "selector": pods, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": of, "spec": spec}


def disruption_budget(resource: Object, revision: str) -> dict[str, Any]:
    """Nodes are drained one server at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(resource, resource["metadata"]["name"]),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(resource, revision)}},
    }
