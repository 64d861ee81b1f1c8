"""TrainingJob: one run of a recipe or a script on a pinned dataset version; becomes a model by digest."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from modelyard.api.fields import Decimal, Duration, ObjectName, PositiveDuration, Ref, Resources, Schema, rules
from modelyard.api.kind import PAUSED, Column, Kind, StatusBase
from modelyard.contract.limits import Count, Digest, Time
from modelyard.contract.manifest import MetricName


class DatasetRef(Schema):
    """Which data. The version it resolves to when the run starts is pinned in status."""

    name: ObjectName = Field(description="Name of the Dataset, in the same namespace.")
    digest: Digest | None = Field(default=None, description="Use exactly this version; where absent, the current one.")
    checked_after: Time | None = Field(
        default=None,
        json_schema_extra=rules(
            ("timestamp(self) > timestamp('1970-01-01T00:00:00Z')", "must be a day of the calendar: correct it")
        ),
        description="Wait for a version whose sources were looked at after this time.",
    )


class Recipe(Schema):
    """Training without code."""

    name: Literal["tabular"] = Field(default="tabular", description="tabular: gradient boosted trees by scikit-learn.")
    task: Literal["classification", "regression"] = Field(description="What the label is.")


class Script(Schema):
    """Your code, run under SageMaker's /opt/ml and SM_* contract. Say one of inline and configMapRef."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.inline) != has(self.configMapRef)",
                "script needs exactly one of inline and configMapRef: put the code in one of them",
            ),
        )
    )
    inline: str | None = Field(default=None, max_length=32768, description="The Python code itself.")
    config_map_ref: Ref | None = Field(default=None, description="ConfigMap whose files become /opt/ml/code.")
    entry_point: str = Field(
        default="train.py",
        max_length=128,
        pattern=r"^[A-Za-z0-9._-]+\.py$",
        description="The file that is run.",
    )
    task: Literal["classification", "regression"] = Field(
        default="classification", description="What the label is; used to measure the model."
    )


class Objective(Schema):
    """What the model must reach on the held-out split; else the job fails with CriteriaNotMet."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.minimum) || has(self.maximum)",
                "objective needs minimum or maximum: say which value the metric must reach",
            ),
            (
                "!has(self.minimum) || !has(self.maximum) || double(self.minimum) <= double(self.maximum)",
                "objective.minimum must be at most objective.maximum: swap the numbers",
            ),
        )
    )
    metric: MetricName = Field(description="The metric.")
    minimum: Decimal | None = Field(default=None, description="The metric must be at least this.")
    maximum: Decimal | None = Field(default=None, description="The metric must be at most this.")


class FailurePolicy(Schema):
    """What happens when a run fails for reasons of the world: nodes, images, network. The user's are final."""

    max_restarts: int = Field(default=3, ge=0, le=50, description="New attempts after failures of the world.")
    backoff: Duration = Field(default="10s", description="Pause before the second attempt; doubles, at most 5m.")


class Trigger(Schema):
    """Why this job exists; set by a DriftMonitor."""

    drift_monitor_ref: Ref = Field(description="The monitor that started it and will judge its model.")
    root_ref: Ref = Field(description="The TrainingJob whose family this one belongs to.")
    reason: str = Field(max_length=64, description="The finding: Performance or DataDrift.")


class TrainingJobSpec(Schema):
    """What to train, on what, and how well it must do. A changed spec starts a new run."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.recipe) != has(self.script)",
                "spec needs exactly one of recipe and script: remove one, or add one",
            ),
            (
                "!has(self.image) || has(self.script)",
                "spec.image goes with script: remove image, or use script",
            ),
        )
    )
    dataset_ref: DatasetRef = Field(description="The data.")
    recipe: Recipe | None = Field(default=None, description="Training without code.")
    script: Script | None = Field(default=None, description="Training with your code.")
    image: str | None = Field(
        default=None, max_length=512, description="Image for the script; it must build on the training image."
    )
    parameters: dict[str, Annotated[str, Field(max_length=2048)]] = Field(
        default={}, max_length=100, description="Hyperparameters: strings, passed on to recipe or script."
    )
    resources: Resources = Field(default=Resources(), description="Of the training pod.")
    objective: Objective | None = Field(default=None, description="What the model must reach.")
    failure_policy: FailurePolicy = Field(default=FailurePolicy(), description="Retries.")
    allow_unsafe_formats: bool = Field(
        default=False,
        description="Take a pickle from the script: its code runs wherever it is loaded, with the store's credentials. "
        "The chart has to allow it, too.",
    )
    deadline: PositiveDuration = Field(default="24h", description="An attempt that takes longer is stopped.")
    suspend: bool = Field(
        default=False,
        description="Stop the run; afterwards it goes on with a new attempt on the same data. A run that ended stays.",
    )
    trigger: Trigger | None = Field(default=None, description="Set by a DriftMonitor; leave it out.")


class ModelStatus(Schema):
    """The model that came out."""

    digest: Digest = Field(description="sha256 of its manifest.")
    format: str = Field(
        max_length=16, description="skops, onnx, xgboost, lightgbm, torch-export, torchscript, safetensors or pickle."
    )
    bytes: Count = Field(description="Size of its files.")
    profile_digest: Digest = Field(description="Profile of the rows it was trained on.")
    created_at: Time = Field(description="When it was published.")


class TrainingJobStatus(StatusBase):
    """Where the run stands."""

    run: str = Field(default="", max_length=16, description="Hash of the spec this run was started for.")
    attempt: Count = Field(default=0, description="Attempts of this run.")
    suspended_attempts: Count = Field(
        default=0, description="Those that spec.suspend stopped; they do not count as failures."
    )
    job: str | None = Field(default=None, max_length=63, description="The Job of the attempt.")
    dataset_digest: Digest | None = Field(default=None, description="The version of the data this run is pinned to.")
    dataset_checked_at: Time | None = Field(default=None, description="Nothing newer is in that version.")
    started_at: Time | None = Field(default=None, description="When the run began.")
    completed_at: Time | None = Field(default=None, description="When it ended.")
    retry_at: Time | None = Field(default=None, description="When the next attempt begins.")
    progress: str | None = Field(default=None, max_length=256, description="What the pod is doing.")
    metrics: dict[str, Decimal] = Field(default={}, max_length=16, description="On the held-out split.")
    score: str | None = Field(default=None, max_length=64, description="The metric that matters, for people.")
    model: ModelStatus | None = Field(default=None, description="The model.")


TRAINING = Kind(
    kind="TrainingJob",
    plural="trainingjobs",
    short="tjob",
    spec=TrainingJobSpec,
    status=TrainingJobStatus,
    columns=(
        Column("Phase", ".status.phase"),
        Column("Score", ".status.score"),
        Column("Attempt", ".status.attempt", "integer"),
        Column("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
        Column("Approved", ".status.conditions[?(@.type=='Approved')].status"),
        PAUSED,
        Column("Age", ".metadata.creationTimestamp", "date"),
        Column("Dataset", ".status.datasetDigest", wide=True),
        Column("Model", ".status.model.digest", wide=True),
    ),
    description="One run of a recipe or a script on a pinned version of a Dataset; gives a model.",
    name_limit=52,  # a retraining is named `<root>-r-<id>`
)
