"""Dataset: sources, one SQL select, checks, splits; becomes an immutable, content-addressed version."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from modelyard.api.fields import (
    ColumnName,
    Finding,
    Identifier,
    Number,
    PositiveDuration,
    Ref,
    Resources,
    Schema,
    Share,
    rules,
)
from modelyard.api.kind import PAUSED, Column, Kind, StatusBase
from modelyard.contract.limits import Count, Digest, Signed, Time
from modelyard.contract.manifest import ColumnType


class Source(Schema):
    """Files that become a read-only view of the given name."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!self.uri.startsWith('https://') || has(self.sha256)",
                "sources[].sha256 is required for https sources: add the file's sha256 (sha256sum FILE)",
            ),
        )
    )
    name: Identifier = Field(description="Name of the view in SQL.")
    uri: str = Field(
        max_length=1024,
        pattern=r"^(s3|https)://.+",
        description="s3://bucket/path, where * matches within the file name, or https://host/file.",
    )
    format: Literal["auto", "csv", "parquet"] = Field(
        default="auto", description="auto goes by the file's ending (.csv, .csv.gz, .parquet)."
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        max_length=64,
        description="Checksum of the file; required for https.",
    )
    endpoint: str | None = Field(
        default=None,
        max_length=253,
        pattern=r"^https?://.+",
        description="S3 endpoint, where it is not the store's.",
    )
    region: str | None = Field(default=None, max_length=32, description="S3 region, where it is not the store's.")
    credentials_secret_ref: Ref | None = Field(
        default=None,
        description="Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; where absent, the store's credentials.",
    )


class Transform(Schema):
    """How the sources become one table."""

    sql: str = Field(
        min_length=1,
        max_length=16384,
        description="Exactly one SELECT over the names of the sources (DuckDB's SQL).",
    )


class Columns(Schema):
    """Roles of columns; all others are features."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.label) || !(self.label in self.key || (has(self.time) && self.time == self.label))",
                "columns.label must be neither in columns.key nor columns.time: remove it there",
            ),
            (
                "!has(self.label) || !(self.label in self.pii)",
                "columns.label must not be in columns.pii: every answer of a model would tell it; remove it there",
            ),
        )
    )
    key: list[ColumnName] = Field(default=[], max_length=8, description="Columns that identify a row; not features.")
    time: ColumnName | None = Field(default=None, description="When the row happened; not a feature.")
    label: ColumnName | None = Field(default=None, description="What a model is to predict.")
    pii: list[ColumnName] = Field(
        default=[],
        max_length=64,
        description="Columns that tell who a person is: no profile, example or captured row holds their values.",
    )


class FieldSchema(Schema):
    """A column that must be there."""

    name: ColumnName = Field(description="Column name.")
    type: ColumnType = Field(description="Column type.")
    nullable: bool = Field(default=True, description="Whether nulls are allowed.")


class DataSchema(Schema):
    """The columns the table must have."""

    mode: Literal["infer", "exact", "atLeast"] = Field(
        default="infer", description="infer checks nothing; exact allows no other columns; atLeast does."
    )
    fields: list[FieldSchema] = Field(default=[], max_length=2000, description="The columns.")


class RowCount(Schema):
    """Bounds of the number of rows."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.min) || has(self.max) || has(self.maxChangeRatio)",
                "expectations[].rowCount needs min, max or maxChangeRatio: say what to check",
            ),
            (
                "!has(self.min) || !has(self.max) || self.min <= self.max",
                "expectations[].rowCount.min must be at most max: swap the numbers",
            ),
        )
    )
    min: Count | None = Field(default=None, description="At least so many rows.")
    max: Count | None = Field(default=None, description="At most so many rows.")
    max_change_ratio: Annotated[float, Field(ge=0, le=1e6)] | None = Field(
        default=None,
        description="Largest relative change against the current version: 0.5 is half more or less.",
    )


class Expectation(Schema):
    """One check of the table. Say exactly one of between, unique, notNull, rowCount, sql."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "[has(self.between), has(self.unique), has(self.notNull), has(self.rowCount), has(self.sql)]"
                ".filter(x, x).size() == 1",
                "expectations[] needs exactly one of between, unique, notNull, rowCount, sql: split it in two",
            ),
            (
                "!(has(self.between) || has(self.notNull)) || has(self.column)",
                "expectations[].column is required with between and notNull: name the column to check",
            ),
            (
                "!has(self.unique) || (has(self.columns) && self.columns.size() > 0)",
                "expectations[].columns is required with unique: list the columns that together are unique",
            ),
            (
                "!has(self.between) || self.between[0] <= self.between[1]",
                "expectations[].between must be [low, high] with low <= high: swap the numbers",
            ),
        )
    )
    name: str | None = Field(default=None, max_length=128, description="Name in messages; where absent, made up.")
    severity: Literal["fail", "warn"] = Field(default="fail", description="warn reports, fail rejects the candidate.")
    column: ColumnName | None = Field(default=None, description="The column that is checked.")
    columns: list[ColumnName] | None = Field(default=None, max_length=8, description="The columns that are unique.")
    between: list[Number] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="[low, high], both included; nulls are not counted.",
    )
    unique: Literal[True] | None = Field(default=None, description="No two rows are equal in the columns; exact.")
    not_null: Literal[True] | None = Field(default=None, description="The column has no nulls.")
    row_count: RowCount | None = Field(default=None, description="How many rows there are.")
    sql: str | None = Field(
        default=None,
        max_length=4096,
        description="One SELECT over `this` that gives one number, compared with equals.",
    )
    equals: Number = Field(default=0, description="What sql must give.")
    max_fail_ratio: Share = Field(default="0", description="Share of rows that may fail between and notNull.")


class Ratios(Schema):
    """Relative sizes of the splits."""

    train: int = Field(default=80, ge=1, le=10000, description="Rows to learn from.")
    validation: int = Field(default=10, ge=0, le=10000, description="Rows to choose by.")
    test: int = Field(default=10, ge=0, le=10000, description="Rows to judge by.")


class Splits(Schema):
    """How rows are divided. hash: a row never moves as data grows. time: oldest rows train, newest test."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.strategy != 'hash' || self.key.size() > 0",
                "splits.key is required with strategy hash: list the columns whose hash decides the split",
            ),
        )
    )
    strategy: Literal["none", "hash", "time"] = Field(default="none", description="none puts all rows into train.")
    key: list[ColumnName] = Field(default=[], max_length=8, description="For hash: rows of equal key stay together.")
    salt: str = Field(default="", max_length=64, description="For hash: another salt is another division.")
    ratios: Ratios = Field(default=Ratios(), description="Relative sizes.")


class Refresh(Schema):
    """When the sources are looked at again. Equal sources and equal recipe never build anything."""

    trigger: Literal["Manual", "OnSourceChange"] = Field(
        default="Manual",
        description="Manual: when the spec changes, a TrainingJob asks, or the annotation modelyard.dev/run changes.",
    )
    poll: PositiveDuration = Field(default="15m", description="How often OnSourceChange looks.")


class DatasetSpec(Schema):
    """What data, how it is shaped, and what must hold before anyone may use it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "(has(self.sources) && self.sources.size() == 1) || has(self.transform)",
                "transform.sql is required unless there is exactly one source: write the SELECT that makes the rows",
            ),
            (
                "!has(self.splits) || self.splits.strategy != 'time' || (has(self.columns) && has(self.columns.time))",
                "columns.time is required with splits.strategy time: name the column that orders the rows",
            ),
        )
    )
    sources: list[Source] = Field(
        default=[],
        max_length=16,
        description="Where the data comes from; none where SQL alone makes the rows, by range(n).",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    transform: Transform | None = Field(default=None, description="Where absent, the only source as it is.")
    columns: Columns = Field(default=Columns(), description="Roles of columns.")
    data_schema: DataSchema = Field(default=DataSchema(), alias="schema", description="Required columns.")
    expectations: list[Expectation] = Field(
        default=[], max_length=64, description="Checks; a failed one keeps the last good version current."
    )
    splits: Splits = Field(default=Splits(), description="Train, validation and test rows.")
    refresh: Refresh = Field(default=Refresh(), description="When to look for new data.")
    resources: Resources = Field(default=Resources(), description="Of the build pod.")
    deadline: PositiveDuration = Field(default="1h", description="A build that takes longer is stopped.")
    suspend: bool = Field(
        default=False,
        description="Build nothing and stop a build that runs; the current version stays in use.",
    )


class FailedExpectationStatus(Schema):
    """An expectation the candidate did not meet."""

    name: str = Field(max_length=128, description="Its name.")
    failed: Signed = Field(default=0, description="Rows that failed, or the number that sql gave.")
    total: Count = Field(default=0, description="Rows looked at.")
    message: str = Field(default="", max_length=512, description="In words.")


class DatasetVersion(Schema):
    """An immutable version of the data."""

    digest: Digest = Field(description="sha256 of its manifest.")
    version: str = Field(max_length=16, description="v- and the first 12 digits of the digest.")
    rows: Count = Field(description="Rows in all splits.")
    bytes: Count = Field(description="Size of its files.")
    files: Count = Field(default=0, description="Number of its files.")
    splits: dict[str, Count] = Field(default={}, max_length=8, description="Rows by split.")
    profile_digest: Digest = Field(description="The profile of the train split, as a blob.")
    logical_digest: Digest = Field(description="Of the rows, whatever their order.")
    created_at: Time = Field(description="When it became current.")


class Candidate(Schema):
    """A version that was rejected."""

    digest: Digest = Field(description="sha256 of its manifest, kept in quarantine.")
    failed_expectations: list[FailedExpectationStatus] = Field(default=[], max_length=5, description="Why.")
    schema_findings: list[Finding] = Field(default=[], max_length=5, description="Columns that are missing or differ.")


class BuildStatus(Schema):
    """The last build."""

    job: str = Field(max_length=63, description="Its Job.")
    number: Count = Field(default=1, description="Counted over all builds.")
    spec_hash: str = Field(max_length=16, description="Of the spec it was started for.")
    request: str = Field(default="", max_length=253, description="What asked for it.")
    attempt: Count = Field(default=1, description="Counted over failures of the world.")
    started_at: Time = Field(description="When it began.")
    finished_at: Time | None = Field(default=None, description="When its result was read.")
    retry_at: Time | None = Field(default=None, description="When the next attempt begins.")
    seconds: float | None = Field(
        default=None, ge=0, le=1e9, description="How long it worked; absent without a result."
    )


class DatasetStatus(StatusBase):
    """Where the dataset stands. The manifest in the store is the truth."""

    current: DatasetVersion | None = Field(default=None, description="The version to use; survives failed builds.")
    candidate: Candidate | None = Field(default=None, description="The last version that was rejected.")
    checked_at: Time | None = Field(default=None, description="When the sources were last looked at.")
    run: str = Field(default="", max_length=253, description="The value of modelyard.dev/run that was last obeyed.")
    last_build: BuildStatus | None = Field(default=None, description="The last build.")
    progress: str | None = Field(default=None, max_length=256, description="What the build is doing.")


DATASET = Kind(
    kind="Dataset",
    plural="datasets",
    short="dset",
    spec=DatasetSpec,
    status=DatasetStatus,
    columns=(
        Column("Phase", ".status.phase"),
        Column("Version", ".status.current.version"),
        Column("Rows", ".status.current.rows", "integer"),
        Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
        Column("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
        Column("Checked", ".status.checkedAt", "date"),
        PAUSED,
        Column("Age", ".metadata.creationTimestamp", "date"),
        Column("Bytes", ".status.current.bytes", "integer", wide=True),
    ),
    description="Data that is checked, versioned and split: sources, one SQL select, expectations.",
)
