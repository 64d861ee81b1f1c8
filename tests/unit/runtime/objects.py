"""Objects as the API server would send them."""

from typing import Any

from modelyard.plan.labels import labels_for
from modelyard.plan.plan import Key


def dataset(name: str, version: int = 1, **parts: Any) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version), "generation": 1}
    return {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Dataset", "metadata": metadata, "spec": {}, **parts}


def training(name: str, version: int = 1, dataset: str = "", **parts: Any) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version), "generation": 1}
    spec = {"datasetRef": {"name": dataset}}
    return {"apiVersion": "modelyard.dev/v1alpha1", "kind": "TrainingJob", "metadata": metadata, "spec": spec, **parts}


def pod(name: str, owner: str, version: int = 1, role: str = "build", **status: Any) -> dict[str, Any]:
    labels = labels_for(Key("Dataset", "ns", owner), role)
    metadata = {"namespace": "ns", "name": name, "labels": labels, "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}
