"""What a dataset version and a model are: canonical JSON whose sha256 is their identity."""

from typing import Literal

from modelyard.contract.document import Document

MetricName = Literal["accuracy", "f1", "rocAuc", "logLoss", "mae", "rmse", "r2"]
LOWER_IS_BETTER = frozenset({"logLoss", "mae", "rmse"})

# Column types of the contract; each names the Arrow type pods use for it.
ColumnType = Literal["bool", "int64", "float64", "string", "timestamp", "date"]

ModelFormat = Literal["skops", "onnx", "xgboost", "lightgbm", "torch-export", "torchscript", "safetensors", "pickle"]
TORCH_FORMATS: frozenset[str] = frozenset({"torch-export", "torchscript"})  # served by images that hold torch


class Column(Document):
    name: str
    type: ColumnType
    nullable: bool = True
    role: Literal["feature", "label", "key", "time"] = "feature"
    pii: Literal[True] | None = None  # tells who a person is: its values are in no profile, example or captured row


class BlobFile(Document):
    digest: str
    bytes: int
    rows: int = 0
    split: str | None = None  # of a dataset's file
    path: str | None = None  # of a model's file, relative


class DatasetManifest(Document):
    """The version's digest is `digest_of(manifest.wire())`. Files are Parquet."""

    kind: Literal["dataset"] = "dataset"
    files: list[BlobFile]
    columns: list[Column]
    rows: int
    profile_digest: str  # a blob holding a Profile: of the train split
    logical_digest: str  # of the rows, whatever their order and file format
    inputs_digest: str
    recipe_digest: str
    created_at: str
    checked_at: str


class CurrentRef(Document):
    """The content of refs/current and refs/quarantine/<digest>."""

    digest: str
    build_key: str  # digest of inputs + recipe: equal means there is nothing to build
    promoted_at: str
    failed: list[str] = []  # names of the expectations a quarantined candidate failed


class ModelManifest(Document):
    """What serving needs to load a model safely and what lineage needs to explain it."""

    kind: Literal["model"] = "model"
    format: ModelFormat  # of the file that serves
    not_served: dict[str, str] = {}  # the other formats, and why not
    task: Literal["classification", "regression"]
    files: list[BlobFile]
    trusted_types: list[str] = []  # skops: the types found at training time, checked against the allow-list
    features: list[Column]  # in the order the model takes them
    label: Column
    classes: list[str] = []  # of a classifier, in the order of its probabilities, as strings
    metrics: dict[str, float]
    profile_digest: str
    dataset_name: str
    dataset_digest: str
    parameters: dict[str, str] = {}
    created_at: str
    # A few training rows by feature, for /docs; those that are `pii` hold null, or a value that nobody has.
    example: dict[str, list[str | float | int | bool | None]] = {}
    answers: list[str | float] = []  # what the file that serves answers to them: the server's must be the same
