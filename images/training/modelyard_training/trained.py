"""A model as recipe or script give it, before it is measured and published."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.tasks import TrainTask
from modelyard_kit.skops_format import SklearnModel
from modelyard_training.splits import Splits


@dataclass(frozen=True)
class Trained:
    """`path` is the skops file, `estimator` what it holds; `classes` in the order of its probabilities."""

    path: Path
    types: list[str]
    estimator: Any
    classes: list[str]
    parameters: Mapping[str, str]

    def loaded(self, task: TrainTask, splits: Splits, created_at: str) -> SklearnModel:
        """The model by its native file, its manifest still without metrics, files and profile."""
        manifest = ModelManifest(
            format="skops",
            task=task.kind_of_task,
            files=[],
            trusted_types=self.types,
            features=splits.features,
            label=splits.label,
            classes=self.classes,
            metrics={},
            profile_digest="",
            dataset_name=task.dataset_name,
            dataset_digest=task.dataset_digest,
            parameters=dict(self.parameters),
            created_at=created_at,
        )
        return SklearnModel(manifest, self.estimator)
