"""A model as recipe or script give it, before it is measured and published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelyard.contract.manifest import ModelFormat, ModelManifest
from modelyard.contract.tasks import TrainTask
from modelyard_kit.model import LoadedModel
from modelyard_training.splits import Splits


@dataclass(frozen=True)
class Trained:
    """`path` is the native file, `opened` makes its model; `classes` in the order of its probabilities."""

    path: Path
    format: ModelFormat
    opened: Callable[[ModelManifest], LoadedModel]
    types: list[str]
    classes: list[str]
    parameters: Mapping[str, str]

    def loaded(self, task: TrainTask, splits: Splits, created_at: str) -> LoadedModel:
        """The model by its native file, its manifest still without metrics, files and profile.

        Raises UserFailure where the model does not fit the dataset.
        """
        manifest = ModelManifest(
            format=self.format,
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
        return self.opened(manifest)
