"""The one result a pod gives back as its termination message: JSON of at most 4 KiB."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from modelyard.contract.document import Document
from modelyard.contract.limits import Count, Digest, Finite, Signed, Time

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
    failed: Signed
    total: Count
    severity: Literal["fail", "warn"] = "fail"
    message: str = ""


class DatasetResult(Document):
    """Promoted and Unchanged name the version that is now current; Quarantined names the rejected candidate."""

    result: Literal["dataset"] = "dataset"
    outcome: Literal["Promoted", "Unchanged", "Quarantined"]
    digest: Digest
    rows: Count
    bytes: Count
    files: Count
    splits: dict[str, Count] = Field(default={}, max_length=8)
    profile_digest: Digest
    logical_digest: Digest
    inputs_digest: str
    checked_at: Time  # RFC 3339: when the sources were listed
    content_changed: bool = True
    failed_expectations: list[FailedExpectation] = Field(default=[], max_length=5)
    schema_findings: list[str] = Field(default=[], max_length=5)
    seconds: Annotated[float, Field(ge=0, le=1e9)] = 0.0


class TrainResult(Document):
    result: Literal["train"] = "train"
    model_digest: Digest
    format: str = Field(max_length=16)
    metrics: dict[str, Finite]  # on the held-out split; keys as in MetricName
    profile_digest: Digest
    train_rows: Count
    test_rows: Count
    bytes: Count
    seconds: float = 0.0


class ColumnDrift(Document):
    column: str
    method: str
    effect: Finite
    threshold: Finite


class PerformanceFinding(Document):
    metric: str = Field(max_length=16)
    baseline: Finite
    value: Finite
    lower: Finite
    upper: Finite
    rows: Count
    coverage: Finite  # labelled rows / mature rows of the window
    degraded: bool


class CheckResult(Document):
    """InsufficientData is its own verdict: neither drift nor its absence was shown."""

    result: Literal["check"] = "check"
    verdict: Literal["NoRows", "InsufficientData", "Stable", "Drifted", "Degraded", "QualityViolation"]
    model_digest: Digest
    rows: Count
    window_start: str | None = None
    window_end: Time | None = None
    quality_findings: list[str] = Field(default=[], max_length=5)
    drifted_columns: Count = 0
    columns: Count = 0
    worst: list[ColumnDrift] = Field(default=[], max_length=5)
    min_detectable_effect: float | None = None
    performance: PerformanceFinding | None = None
    report: str = Field(max_length=512)  # store path of the JSON report
    html: str | None = Field(default=None, max_length=512)  # store path of the HTML report, on alarm
    message: str = ""
    seconds: float = 0.0


class GateResult(Document):
    result: Literal["gate"] = "gate"
    verdict: Literal["Promote", "Refuse", "InsufficientData"]
    metric: str = Field(max_length=16)
    champion: Finite | None = None
    challenger: Finite | None = None
    difference: Finite | None = None  # positive: the challenger is better, whatever the metric
    lower: Finite | None = None  # one-sided bound at `confidence`, by paired block bootstrap
    rows: Count
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
