"""What the chart decides and planners need to know. Read once at start, from the chart's values."""

from dataclasses import dataclass, field
from typing import Literal

from modelyard.contract.manifest import TORCH_FORMATS
from modelyard.contract.store import StoreConfig


@dataclass(frozen=True)
class Images:
    dataset: str = "modelyard/dataset:dev"
    training: str = "modelyard/training:dev"
    serving: str = "modelyard/serving:dev"
    drift: str = "modelyard/drift:dev"
    serving_torch: str = "modelyard/serving-torch:dev"  # for models that need torch
    drift_torch: str = "modelyard/drift-torch:dev"

    def server_of(self, model_format: str | None) -> str:
        """The image that serves a model of the format; None is one that an earlier version wrote."""
        return self.serving_torch if model_format in TORCH_FORMATS else self.serving

    def gate_of(self, *formats: str | None) -> str:
        """The image that can load the models of all these formats."""
        return self.drift_torch if TORCH_FORMATS.intersection(formats) else self.drift


@dataclass(frozen=True)
class Settings:
    store: StoreConfig = field(default_factory=lambda: StoreConfig(uri="s3://modelyard"))
    store_secret: str | None = "modelyard-store"  # in each workload namespace; None: the pods' own identity
    service_account: str | None = None  # of workload pods; None: the namespace's default
    images: Images = field(default_factory=Images)
    image_pull_policy: str = "IfNotPresent"
    pending_seconds: int = 300  # a pod that cannot start for so long is reported as failed to start
    allow_unsafe_formats: bool = False  # resources may ask that pickles are loaded

    def unsafe(self, asked: bool) -> Literal[True] | None:
        """For a task: whether its pod may load pickles, for which the resource has to ask as well."""
        return True if asked and self.allow_unsafe_formats else None
