"""What the chart decides and planners need to know. Read once at start, from the chart's values."""

from dataclasses import dataclass, field

from modelyard.contract.store import StoreConfig


@dataclass(frozen=True)
class Images:
    dataset: str = "modelyard/dataset:dev"
    training: str = "modelyard/training:dev"
    serving: str = "modelyard/serving:dev"
    drift: str = "modelyard/drift:dev"


@dataclass(frozen=True)
class Settings:
    store: StoreConfig = field(default_factory=lambda: StoreConfig(uri="s3://modelyard"))
    store_secret: str | None = "modelyard-store"  # in each workload namespace; None: the pods' own identity
    service_account: str | None = None  # of workload pods; None: the namespace's default
    images: Images = field(default_factory=Images)
    image_pull_policy: str = "IfNotPresent"
    pending_seconds: int = 300  # a pod that cannot start for so long is reported as failed to start
