"""The one task a pod gets, as a JSON document mounted at TASK_PATH."""

from typing import Any, Literal

from modelyard.contract.document import Document
from modelyard.contract.store import StoreConfig

TASK_PATH = "/etc/modelyard/task.json"
SOURCE_SECRETS_PATH = "/var/run/modelyard/sources"  # <source name>/AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
SCRIPT_PATH = "/opt/ml/code"
MANAGEMENT_PORT = 8081
SERVING_PORT = 8080
GRPC_PORT = 9000
FRONT_PORT = 8090  # of a server before a user's container, which has SageMaker's: 8080
MODEL_PATH = "/opt/ml/model"  # where a user's container finds the model's files
PROGRAM_PATH = "/opt/modelyard"  # and, for a class, CLASS_SERVER
CLASS_SERVER = "class_server.py"


class Task(Document):
    namespace: str
    name: str  # of the resource the task works for
    store: StoreConfig


class SourceTask(Document):
    name: str
    uri: str
    format: Literal["auto", "csv", "parquet"] = "auto"
    sha256: str | None = None
    endpoint: str | None = None
    region: str | None = None
    has_credentials: bool = False  # then under SOURCE_SECRETS_PATH/<name>


class FieldTask(Document):
    name: str
    type: str
    nullable: bool = True


class SchemaTask(Document):
    mode: Literal["infer", "exact", "atLeast"] = "infer"
    fields: list[FieldTask] = []


class RowCountTask(Document):
    min: int | None = None
    max: int | None = None
    max_change_ratio: float | None = None


class ExpectationTask(Document):
    """Exactly one of between, unique, not_null, row_count, sql is set."""

    name: str
    severity: Literal["fail", "warn"] = "fail"
    column: str | None = None
    columns: list[str] = []
    between: list[float] | None = None
    unique: bool | None = None
    not_null: bool | None = None
    row_count: RowCountTask | None = None
    sql: str | None = None
    equals: float | None = None
    max_fail_ratio: float = 0.0


SPLITS = ("train", "validation", "test")  # in time: oldest rows first


class SplitsTask(Document):
    """`ratios` by the names in SPLITS; their order in the document says nothing."""

    strategy: Literal["none", "hash", "time"] = "none"
    key: list[str] = []
    time: str | None = None
    salt: str = ""
    ratios: dict[str, int] = {"train": 100}


class RolesTask(Document):
    key: list[str] = []
    time: str | None = None
    label: str | None = None
    pii: list[str] | None = None  # absent where there are none: recipes of before stay what they were


class DatasetTask(Task):
    """Build a candidate version, check it, and promote or quarantine it."""

    task: Literal["dataset"] = "dataset"
    sources: list[SourceTask]
    sql: str | None = None
    roles: RolesTask = RolesTask()
    data_schema: SchemaTask = SchemaTask()
    expectations: list[ExpectationTask] = []
    splits: SplitsTask = SplitsTask()
    bins: int = 20
    max_categories: int = 50


class TrainTask(Task):
    """Train on a pinned dataset version and publish a model."""

    task: Literal["train"] = "train"
    dataset_name: str
    dataset_digest: str
    attempt: int = 1
    recipe: Literal["tabular"] | None = None  # or entry_point
    kind_of_task: Literal["classification", "regression"] = "classification"
    entry_point: str | None = None  # below SCRIPT_PATH
    parameters: dict[str, str] = {}
    seed: int = 0
    allow_unsafe: Literal[True] | None = None  # a pickle may be loaded; absent where not, as in ServeTask.grpc


class ContainerTask(Document):
    """A user's container beside the server, which answers in the model's place."""

    port: int = 8080
    body: Literal["Rows", "Instances", "CSV"] = "Rows"
    python_class: str | None = None  # module:Class, run by our program in the user's image


class ServeTask(Task):
    """Serve one model revision."""

    task: Literal["serve"] = "serve"
    model_name: str  # the name in /v2/models/<name>
    training_job: str  # whose model it is: the folder of its manifest
    model_digest: str
    revision: str
    capture_percent: int = 100
    capture_layout: Literal["sagemaker"] | None = None  # beside Parquet, which drift checks read
    drain_seconds: int = 5
    flush_seconds: int = 10
    grpc: Literal[True] | None = None  # absent where it is not asked for: the documents of before stay what they were
    container: ContainerTask | None = None  # likewise
    allow_unsafe: Literal[True] | None = None  # likewise


class WindowTask(Document):
    rows: int
    min_rows: int
    max_age_seconds: int | None = None


class DataDriftTask(Document):
    effect_floor: float = 0.1
    false_alarm_rate: float = 0.01


class PerformanceTask(Document):
    metric: Literal["accuracy", "f1", "rocAuc", "mae", "rmse", "r2"] = "accuracy"
    max_drop: float = 0.05


class CheckTask(Task):
    """Compare captured traffic with the profile the serving model was trained on."""

    task: Literal["check"] = "check"
    deployment: str
    training_job: str
    model_digest: str
    window: WindowTask
    label_max_delay_seconds: int = 3600
    quality: bool = True
    max_null_rate_increase: float = 0.05
    max_unseen_category_rate: float = 0.05
    data_drift: DataDriftTask | None = None
    performance: PerformanceTask | None = None


class ModelTask(Document):
    training_job: str
    model_digest: str


class GateTask(Task):
    """Compare a challenger with the champion on labelled rows newer than the challenger's training data."""

    task: Literal["gate"] = "gate"
    deployment: str
    champion: ModelTask
    challenger: ModelTask
    newer_than: str  # RFC 3339: rows captured after it
    rows: int
    metric: Literal["accuracy", "f1", "rocAuc", "mae", "rmse", "r2"] = "accuracy"
    min_improvement: float = 0.0
    confidence: float = 0.95
    allow_unsafe: Literal[True] | None = None  # as in TrainTask


def config_map_data(task: Task) -> dict[str, Any]:
    """The `data` of the ConfigMap that carries a task."""
    return {"task.json": task.canonical()}
