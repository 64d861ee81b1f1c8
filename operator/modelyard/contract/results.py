"""The one result a pod gives back as its termination message: JSON of at most 4 KiB."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from modelyard.contract.document import Document

TERMINATION_PATH = "/dev/termination-log"
MAX_BYTES = 4096


class FailureResult(Document):
    """`user`: the spec, data or script is wrong, trying again will not help. `world`: trying again may."""

    result: Literal["failure"] = "failure"
    blame: Literal["user", "world"]
    reason: str  # of modelyard.contract.reasons
    message: str  # <= 512 characters, plain words, names the field and the fix
    exit_code: int | None = None  # of the user's script


class FailedExpectation(Document):
    name: str
    failed: int
    total: int
    severity: Literal["fail", "warn"] = "fail"
    message: str = ""


class DatasetResult(Document):
    """Promoted and Unchanged name the version that is now current; Quarantined names the rejected candidate."""

    result: Literal["dataset"] = "dataset"
    outcome: Literal["Promoted", "Unchanged", "Quarantined"]
    digest: str
    rows: int
    bytes: int
    files: int
    splits: dict[str, int] = {}
    profile_digest: str
    logical_digest: str
    inputs_digest: str
    checked_at: str  # RFC 3339: when the sources were listed
    content_changed: bool = True
    failed_expectations: list[FailedExpectation] = Field(default=[], max_length=5)
    schema_findings: list[str] = Field(default=[], max_length=5)
    seconds: float = 0.0


class TrainResult(Document):
    result: Literal["train"] = "train"
    model_digest: str
    format: str
    metrics: dict[str, float]  # on the held-out split; keys as in MetricName
    profile_digest: str
    train_rows: int
    test_rows: int
    bytes: int
    seconds: float = 0.0


class ColumnDrift(Document):
    column: str
    method: str
    effect: float
    threshold: float


class PerformanceFinding(Document):
    metric: str
    baseline: float
    value: float
    lower: float
    upper: float
    rows: int
    coverage: float  # labelled rows / mature rows of the window
    degraded: bool


class CheckResult(Document):
    """InsufficientData is its own verdict: neither drift nor its absence was shown."""

    result: Literal["check"] = "check"
    verdict: Literal["NoRows", "InsufficientData", "Stable", "Drifted", "Degraded", "QualityViolation"]
    model_digest: str
    rows: int
    window_start: str | None = None
    window_end: str | None = None
    quality_findings: list[str] = Field(default=[], max_length=5)
    drifted_columns: int = 0
    columns: int = 0
    worst: list[ColumnDrift] = Field(default=[], max_length=5)
    min_detectable_effect: float | None = None
    performance: PerformanceFinding | None = None
    report: str  # store path of the JSON report
    html: str | None = None  # store path of the HTML report, on alarm
    message: str = ""
    seconds: float = 0.0


class GateResult(Document):
    result: Literal["gate"] = "gate"
    verdict: Literal["Promote", "Refuse", "InsufficientData"]
    metric: str
    champion: float | None = None
    challenger: float | None = None
    difference: float | None = None  # positive: the challenger is better, whatever the metric
    lower: float | None = None  # one-sided bound at `confidence`, by paired block bootstrap
    rows: int
    message: str
    report: str | None = None


AnyResult = Annotated[
    DatasetResult | TrainResult | CheckResult | GateResult | FailureResult, Field(discriminator="result")
]
_ADAPTER: TypeAdapter[AnyResult] = TypeAdapter(AnyResult)


def parse_result(message: str) -> AnyResult | None:
    """The result in a termination message, or None where the message is something else."""
    try:
        return _ADAPTER.validate_json(message)
    except ValidationError:
        return None
