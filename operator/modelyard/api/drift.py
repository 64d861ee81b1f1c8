"""DriftMonitor: scheduled checks of captured traffic and labels; retrains when the evidence says it helps."""

from typing import Literal

from pydantic import ConfigDict, Field

from modelyard.api.cron import CRON
from modelyard.api.fields import (
    Decimal,
    Duration,
    Finding,
    NotNegative,
    PositiveDuration,
    Ref,
    Schema,
    Share,
    rules,
    text,
)
from modelyard.api.kind import PAUSED, Column, Kind, StatusBase
from modelyard.contract.limits import Count, Digest, Time


class Schedule(Schema):
    """When checks run. The annotation modelyard.dev/run runs one at once, whenever its value changes."""

    cron: str = text(
        (f"self.matches('{CRON}')", "must be five cron fields as in 0 6 * * *: minute, hour, day, month, weekday"),
        default="0 * * * *",
        max_length=64,
        pattern=r"^(\S+\s+){4}\S+$",
        description="Five cron fields, as in a CronJob.",
    )
    time_zone: str = text(
        (
            "self.matches('^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$') && self.lowerAscii() != 'local'",
            "must be a name of the time zone database: write for example Europe/Vienna",
        ),
        default="Etc/UTC",
        max_length=64,
        description="Of the cron fields.",
    )


class Window(Schema):
    """The newest captured rows."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.minRows <= self.rows",
                "window.minRows must be at most window.rows, or no check ever says anything: lower minRows",
            ),
        )
    )
    rows: int = Field(default=1000, ge=50, le=10000000, description="How many rows are looked at.")
    min_rows: int = Field(
        default=300, ge=30, le=10000000, description="With fewer rows the check says InsufficientData."
    )
    max_age: PositiveDuration | None = Field(default=None, description="Older rows are left out.")


class Labels(Schema):
    """Where the truth comes from."""

    source: Literal["Feedback"] = Field(
        default="Feedback", alias="from", description="Feedback: POST /v2/models/NAME/feedback."
    )
    max_delay: Duration = Field(
        default="1h",
        description="Rows younger than this and without a label are left out of the performance.",
    )


class QualityCheck(Schema):
    """Broken data: types, ranges, nulls. A violation blocks retraining."""

    max_null_rate_increase: Share = Field(default="0.05", description="Against the training data, per column.")
    max_unseen_category_rate: Share = Field(default="0.05", description="Rows with a category never seen before.")


class DataDriftCheck(Schema):
    """Inputs that are distributed otherwise than in training."""

    effect_floor: NotNegative = Field(default="0.1", description="Smaller effects are never reported.")
    false_alarm_rate: Decimal = text(
        ("double(self) > 0.0 && double(self) < 1.0", "must be above 0 and below 1: 0.01 is one check in a hundred"),
        default="0.01",
        description="Of one check of all columns, where nothing changed.",
    )


class PerformanceCheck(Schema):
    """Predictions that are worse than on the held-out data."""

    metric: Literal["accuracy", "f1", "rocAuc", "mae", "rmse", "r2"] = Field(
        default="accuracy", description="The metric."
    )
    max_drop: NotNegative = Field(
        default="0.05",
        description="Alarm when the whole confidence interval is worse than the baseline by this.",
    )


class Checks(Schema):
    """What is checked."""

    quality: QualityCheck = Field(default=QualityCheck(), description="Broken data.")
    data_drift: DataDriftCheck = Field(default=DataDriftCheck(), description="Changed inputs.")
    performance: PerformanceCheck | None = Field(default=None, description="Worse predictions; needs labels.")


class Gate(Schema):
    """What a retrained model must show on labelled rows that are newer than all it was trained on."""

    newer_rows: int = Field(default=500, ge=50, le=1000000, description="So many labelled rows are waited for.")
    min_improvement: Decimal = Field(
        default="0.0", description="The lower bound of the improvement must be above this."
    )
    timeout: PositiveDuration = Field(default="24h", description="With too few rows by then the model is refused.")


class Retrain(Schema):
    """What follows from a finding."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.action == 'Alert' || self.when.size() > 0",
                "retrain.when must name Performance or DataDrift with action Propose or Retrain: add one, or use Alert",
            ),
        )
    )
    when: list[Literal["Performance", "DataDrift"]] = Field(
        default=["Performance"], max_length=2, description="Which findings count."
    )
    action: Literal["Alert", "Propose", "Retrain"] = Field(
        default="Propose",
        description="Alert: say it. Propose: wait for the annotation modelyard.dev/approve. Retrain: do it.",
    )
    consecutive: int = Field(default=1, ge=1, le=20, description="So many findings in a row.")
    cooldown: Duration = Field(default="1h", description="Pause after a retraining; doubles after each refused model.")
    gate: Gate = Field(default=Gate(), description="What the new model must show.")


class DriftMonitorSpec(Schema):
    """Which endpoint, how often, what counts, and what to do about it."""

    model_deployment_ref: Ref = Field(description="The endpoint.")
    schedule: Schedule = Field(default=Schedule(), description="When.")
    window: Window = Field(default=Window(), description="Which rows.")
    labels: Labels = Field(default=Labels(), description="Where the truth comes from.")
    checks: Checks = Field(default=Checks(), description="What is checked.")
    retrain: Retrain = Field(default=Retrain(), description="What follows.")
    suspend: bool = Field(
        default=False,
        description="Run no checks and start no retraining; one under way goes on to its verdict.",
    )


class ColumnFinding(Schema):
    """A column and how far it moved."""

    column: str = Field(max_length=128, description="The column.")
    method: str = Field(max_length=32, description="The measure.")
    effect: Decimal = Field(description="Its value.")
    threshold: Decimal = Field(description="What it was compared with.")


class PerformanceStatus(Schema):
    """How good the predictions were."""

    metric: str = Field(max_length=16, description="The metric.")
    baseline: Decimal = Field(description="On the held-out data.")
    value: Decimal = Field(description="On the labelled rows of the window.")
    lower: Decimal = Field(description="95 % confidence interval.")
    upper: Decimal = Field(description="95 % confidence interval.")
    rows: Count = Field(description="Labelled rows.")
    coverage: Decimal = Field(description="Share of rows whose label has come.")


class CheckStatus(Schema):
    """The last check."""

    job: str = Field(max_length=63, description="Its Job.")
    at: Time = Field(description="When it ended.")
    verdict: str = Field(
        max_length=32, description="NoRows, InsufficientData, Stable, Drifted, Degraded, QualityViolation."
    )
    message: str = Field(default="", max_length=512, description="In words.")
    rows: Count = Field(default=0, description="Rows looked at.")
    window_end: Time | None = Field(default=None, description="Newest row.")
    model_digest: Digest | None = Field(default=None, description="Whose traffic it was.")
    drifted_columns: Count = Field(default=0, description="Columns that moved.")
    columns: Count = Field(default=0, description="Columns compared.")
    worst: list[ColumnFinding] = Field(default=[], max_length=5, description="The columns that moved most.")
    quality_findings: list[Finding] = Field(default=[], max_length=5, description="What is broken.")
    performance: PerformanceStatus | None = Field(default=None, description="How good the predictions were.")
    report: str | None = Field(default=None, max_length=512, description="Store path of the report.")
    html: str | None = Field(default=None, max_length=512, description="Store path of the report for people.")


class GateStatus(Schema):
    """The judgement of a retrained model."""

    verdict: str = Field(max_length=32, description="Promote, Refuse, InsufficientData.")
    metric: str = Field(max_length=16, description="The metric.")
    champion: Decimal | None = Field(default=None, description="The serving model's value.")
    challenger: Decimal | None = Field(default=None, description="The new model's value.")
    difference: Decimal | None = Field(default=None, description="Positive: the new model is better.")
    lower: Decimal | None = Field(default=None, description="Lower bound of the difference.")
    rows: Count = Field(default=0, description="Labelled rows both were judged on.")
    message: str = Field(default="", max_length=512, description="In words.")


class RetrainStatus(Schema):
    """The last retraining."""

    id: str = Field(max_length=16, description="Hash of monitor, finding and champion: the same finding, the same id.")
    trigger: str = Field(max_length=32, description="The finding: Performance or DataDrift.")
    state: Literal["Proposed", "Training", "Gating", "Promoted", "Refused", "Failed"] = Field(
        description="Where it is."
    )
    training_job: str = Field(max_length=63, description="The TrainingJob.")
    champion_digest: Digest = Field(description="The model that was serving.")
    requested_at: Time = Field(description="When it was decided.")
    gate_attempt: Count = Field(default=0, description="Gate runs so far.")
    gate_started_at: Time | None = Field(default=None, description="When the gate began.")
    ended_at: Time | None = Field(default=None, description="When it ended.")
    gate: GateStatus | None = Field(default=None, description="The judgement.")


class Verdict(Schema):
    """What became of a retrained model."""

    training_job: str = Field(max_length=63, description="The TrainingJob.")
    promoted: bool = Field(description="Whether it passed the gate.")
    at: Time = Field(description="When.")
    message: str = Field(default="", max_length=512, description="In words.")


class DriftMonitorStatus(StatusBase):
    """Where the monitor stands."""

    last_check: CheckStatus | None = Field(default=None, description="The last check.")
    findings_in_a_row: Count = Field(default=0, description="Checks in a row with a finding that counts.")
    champion_digest: Digest | None = Field(default=None, description="The model those findings are about.")
    run: str = Field(default="", max_length=253, description="The value of modelyard.dev/run that was last obeyed.")
    retrain: RetrainStatus | None = Field(default=None, description="The last retraining.")
    next_retrain_at: Time | None = Field(default=None, description="End of the cooldown.")
    refused_in_a_row: Count = Field(default=0, description="Refused models in a row; doubles the cooldown.")
    history: list[Verdict] = Field(default=[], max_length=20, description="Retrained models, newest last.")


DRIFT = Kind(
    kind="DriftMonitor",
    plural="driftmonitors",
    short="dmon",
    spec=DriftMonitorSpec,
    status=DriftMonitorStatus,
    columns=(
        Column("Phase", ".status.phase"),
        Column("Verdict", ".status.lastCheck.verdict"),
        Column("Rows", ".status.lastCheck.rows", "integer"),
        Column("Drifted", ".status.lastCheck.driftedColumns", "integer"),
        Column("Performance", ".status.lastCheck.performance.value"),
        Column("Retrain", ".status.retrain.state"),
        Column("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
        Column("Checked", ".status.lastCheck.at", "date"),
        PAUSED,
        Column("Age", ".metadata.creationTimestamp", "date"),
    ),
    description="Scheduled checks of an endpoint's traffic and labels; retrains when the evidence says it helps.",
)
