"""ModelDeployment: an endpoint for a family of models, rolled out by measured canary."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from modelyard.api.fields import (
    Decimal,
    Duration,
    NotNegative,
    PositiveDecimal,
    PositiveDuration,
    Ref,
    Resources,
    Schema,
    rules,
    text,
)
from modelyard.api.kind import PAUSED, Column, Kind, StatusBase
from modelyard.contract.limits import Count, Digest, Time


class ModelSource(Schema):
    """Which model."""

    training_job_ref: Ref = Field(description="The TrainingJob whose family is served.")
    follow: Literal["Approved", "Pinned"] = Field(
        default="Approved",
        description="Approved: the newest of the family that passed its gate. Pinned: exactly this job's model.",
    )


class Replicas(Schema):
    """How many pods."""

    min: int = Field(default=2, ge=1, le=100, description="Pods of the serving revision.")


class Step(Schema):
    """A share of the traffic, held for a time while the checks are made."""

    weight: int = Field(ge=1, le=100, description="Percent of requests that the candidate answers.")
    hold: Duration = Field(default="0s", description="How long, at least.")


class Check(Schema):
    """A measure the candidate must keep. Say max, maxRatio (to the stable revision), or both."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.max) || has(self.maxRatio)",
                "rollout.checks[] needs max or maxRatio: say which value is too much",
            ),
            (
                "self.metric != 'disagreement' || !has(self.maxRatio)",
                "rollout.checks[].maxRatio has no meaning for disagreement: use max",
            ),
            (
                "self.metric == 'p99Ms' || !has(self.max) || double(self.max) <= 1.0",
                "rollout.checks[].max of errorRate and disagreement is a share from 0 to 1: 0.05 is five percent",
            ),
        )
    )
    metric: Literal["errorRate", "p99Ms", "disagreement"] = Field(
        description="errorRate: share of 5xx. p99Ms: latency. disagreement: share of rows predicted differently."
    )
    max: NotNegative | None = Field(default=None, description="At most this value.")
    max_ratio: PositiveDecimal | None = Field(
        default=None, description="At most this many times the stable revision's value."
    )


class Rollout(Schema):
    """How a new model takes over."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.steps.size() == 0 || self.steps[self.steps.size() - 1].weight == 100",
                "rollout.steps must end with weight 100: add {weight: 100}",
            ),
            (
                "self.steps.map(s, s.weight).isSorted()",
                "rollout.steps[].weight must rise from step to step: sort the steps",
            ),
        )
    )
    steps: list[Step] = Field(
        default=[Step(weight=10, hold="1m"), Step(weight=50, hold="1m"), Step(weight=100)],
        max_length=10,
        description="The steps; an empty list switches at once.",
    )
    checks: list[Check] = Field(
        default=[Check(metric="errorRate", max="0.01")],
        max_length=8,
        description="Made at the end of every step.",
    )
    min_requests: int = Field(
        default=20,
        ge=0,
        le=1000000,
        description="Requests the candidate must have answered before a step is judged.",
    )
    progress_deadline: PositiveDuration = Field(
        default="30m", description="A candidate that is not judged or not ready by then is rolled back."
    )


class Capture(Schema):
    """Requests and predictions, kept as Parquet in the store for the drift monitor."""

    percent: int = Field(default=100, ge=0, le=100, description="Share of requests.")
    layout: Literal["parquet", "sagemaker"] = Field(
        default="parquet",
        description="parquet is what drift checks read; sagemaker writes SageMaker's JSON lines, too.",
    )


StartupLimit = Annotated[
    Duration,
    text(
        (
            "!self.contains('d') && duration(self) >= duration('60s') && duration(self) <= duration('1h')",
            "must be from 60s to 1h, which are SageMaker's bounds, too: write for example 10m",
        )
    ),
]


class Container(Schema):
    """Your container, which answers in the model's place, behind the server with all that it does."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.body) || !has(self.pythonClass)",
                "container.body has no meaning with pythonClass, which gets rows as dicts: remove one",
            ),
            (
                "!(self.port in [8081, 8090, 9000])",
                "container.port must not be 8081, 8090 or 9000, which are the server's: take another, as 8080",
            ),
            (
                "!has(self.environment) || self.environment.all(n, n.matches('^[A-Za-z_][A-Za-z0-9_]*$'))",
                "container.environment has names of letters, digits and _, not starting with a digit: correct the name",
            ),
        )
    )
    image: str = Field(min_length=1, max_length=512, description="The image. It runs as user 10001.")
    python_class: str | None = Field(
        default=None,
        max_length=256,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$",
        description="module:Class in the image, with load(path) and predict(rows). Where absent, the image is a "
        "server of its own under SageMaker's contract, started with the argument serve.",
    )
    body: Literal["Rows", "Instances", "CSV"] | None = Field(
        default=None,
        description="What /invocations gets. Rows, where absent: a JSON list of lists. Instances: {instances: "
        "[objects]}. CSV: without a header. Values are in the order of the model's features.",
    )
    port: int = Field(default=8080, ge=1024, le=65535, description="Where it listens.")
    environment: dict[str, Annotated[str, Field(max_length=2048)]] = Field(
        default={}, max_length=64, description="Its environment: no place for secrets."
    )
    startup_limit: StartupLimit = Field(
        default="4m", description="It is started anew when /ping has not answered 200 by then."
    )
    resources: Resources = Field(default=Resources(), description="Of the container in each pod.")


class ModelDeploymentSpec(Schema):
    """What to serve and how to change it."""

    model: ModelSource = Field(description="Which model.")
    replicas: Replicas = Field(default=Replicas(), description="How many pods.")
    rollout: Rollout = Field(default=Rollout(), description="How a new model takes over.")
    capture: Capture = Field(default=Capture(), description="What is kept of the traffic.")
    grpc: bool = Field(default=False, description="Answer V2 over gRPC, too: on port 9000 of the same address.")
    resources: Resources = Field(default=Resources(), description="Of the server in each pod.")
    container: Container | None = Field(
        default=None, description="Your own container in the model's place; where absent, the server has the model."
    )
    allow_unsafe_formats: bool = Field(
        default=False,
        description="Load models that are pickles, here and in the gate: their code runs with the store's credentials. "
        "The chart has to allow it, too.",
    )
    suspend: bool = Field(
        default=False,
        description="Run no server; the address and the model stay, and serve again afterwards.",
    )


class ParityStatus(Schema):
    """What servers answered to the rows that training recorded, before they were ready."""

    rows: Count = Field(description="Rows compared; 0 where training recorded no answers.")
    max_difference: Decimal | None = Field(
        default=None, description="Of numbers, relative to what was recorded; absent for classes, which are equal."
    )


class Revision(Schema):
    """A model as it is served."""

    revision: str = Field(max_length=16, description="Its name: in labels, Services and captured rows.")
    model_digest: Digest = Field(description="The model.")
    model_format: str | None = Field(default=None, max_length=16, description="Its format: some need another image.")
    training_job: str = Field(max_length=63, description="The TrainingJob it came from.")
    dataset_digest: Digest | None = Field(default=None, description="The data it was trained on.")
    profile_digest: Digest | None = Field(default=None, description="The baseline drift is measured against.")
    model_created_at: Time | None = Field(default=None, description="When the model was published.")
    parity: ParityStatus | None = Field(
        default=None, description="Whether its servers answer as training did; absent until one is asked."
    )
    since: Time = Field(description="When it took this place.")


class CheckStatus(Schema):
    """A measure and its verdict."""

    metric: str = Field(max_length=32, description="The metric.")
    value: Decimal = Field(description="The candidate's value.")
    baseline: Decimal | None = Field(default=None, description="The stable revision's value.")
    verdict: Literal["Pass", "Fail", "Inconclusive"] = Field(description="Inconclusive: too few requests.")


class RolloutStatus(Schema):
    """The rollout under way."""

    step: int = Field(ge=-1, le=10, description="Index of the step, from 0; -1 while the candidate starts.")
    weight: int = Field(ge=0, le=100, description="Percent of requests that the candidate answers.")
    started_at: Time = Field(description="When the rollout began.")
    step_started_at: Time = Field(description="When the step began.")
    requests: Count = Field(default=0, description="Requests the candidate answered in this step.")
    checks: list[CheckStatus] = Field(default=[], max_length=8, description="The measures of this step.")
    silent_since: Time | None = Field(default=None, description="Since when, past the deadline, no server tells.")


class Rollback(Schema):
    """A candidate that was taken back; it is not tried again."""

    revision: str = Field(max_length=16, description="The candidate.")
    model_digest: Digest = Field(description="Its model.")
    at: Time = Field(description="When.")
    message: str = Field(max_length=512, description="Which check failed, with the figures.")


class ModelDeploymentStatus(StatusBase):
    """Where the endpoint stands."""

    url: str | None = Field(default=None, max_length=253, description="Of the endpoint, inside the cluster.")
    ready_replicas: Count = Field(default=0, description="Ready pods of the stable revision.")
    stable: Revision | None = Field(default=None, description="What answers.")
    candidate: Revision | None = Field(default=None, description="What is being rolled out.")
    previous: Revision | None = Field(default=None, description="What answered before.")
    rollout: RolloutStatus | None = Field(default=None, description="The rollout under way.")
    rolled_back: list[Rollback] = Field(default=[], max_length=5, description="Candidates taken back, newest last.")
    withdrawn_at: Time | None = Field(default=None, description="When a rollout was last ended without a verdict.")
    proposed: str | None = Field(default=None, max_length=63, description="With follow Pinned: a newer approved job.")


SERVING = Kind(
    kind="ModelDeployment",
    plural="modeldeployments",
    short="mdep",
    spec=ModelDeploymentSpec,
    status=ModelDeploymentStatus,
    columns=(
        Column("Phase", ".status.phase"),
        Column("Model", ".status.stable.trainingJob"),
        Column("Revision", ".status.stable.revision"),
        Column("Weight", ".status.rollout.weight", "integer"),
        Column("Ready", ".status.readyReplicas", "integer"),
        Column("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
        Column("URL", ".status.url"),
        PAUSED,
        Column("Age", ".metadata.creationTimestamp", "date"),
    ),
    description="An endpoint for a family of models; new models take over by measured canary.",
)
