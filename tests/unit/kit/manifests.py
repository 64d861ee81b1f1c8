"""Manifests of models that are in no store: what they say of a model's task and columns, and nothing else."""

from typing import Any

from modelyard.contract.manifest import Column, ModelManifest


def bare_manifest(features: list[Column], **said: Any) -> ModelManifest:
    """Of a skops classifier of the text `y`, unless `said` otherwise."""
    plain: dict[str, Any] = {
        "format": "skops",
        "task": "classification",
        "files": [],
        "label": Column(name="y", type="string", role="label"),
        "metrics": {},
        "profile_digest": "",
        "dataset_name": "",
        "dataset_digest": "",
        "created_at": "",
    }
    return ModelManifest(features=features, **{**plain, **said})
