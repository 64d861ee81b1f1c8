"""One object that keeps and one that breaks each CEL rule of the CRDs."""

from dataclasses import dataclass, field
from typing import Any

from tests.integration.api.objects import resource

Json = dict[str, Any]
SOURCE = {"name": "a", "uri": "s3://b/c.csv"}


@dataclass(frozen=True)
class Case:
    """`at`: where the API server says it is wrong; `words`: part of the rule's message; `good`, `bad`: changes of the
    smallest object's spec."""

    kind: str
    at: str
    words: str
    good: Json = field(default_factory=dict)
    bad: Json = field(default_factory=dict)
    good_name: str = "x"
    bad_name: str = "x"

    def kept(self) -> Json:
        return resource(self.kind, self.good_name, **self.good)

    def broken(self) -> Json:
        return resource(self.kind, self.bad_name, **self.bad)


def names(kind: str, most: int) -> list[Case]:
    return [
        Case(kind, "", f"at most {most} characters", good_name="a" * most, bad_name="a" * (most + 1)),
        Case(kind, "", "starting with a letter", good_name="a-1", bad_name="1-a"),
    ]


def expecting(words: str, good: Json, bad: Json, below: str = "") -> Case:
    return Case("Dataset", f"spec.expectations[0]{below}", words, {"expectations": [good]}, {"expectations": [bad]})


def resources(kind: str) -> list[Case]:
    good = {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi", "hugepages-2Mi": "4Mi", "nvidia.com/gpu": "1"}
    return [
        Case(kind, "spec.resources", f"resources.{f} may name", {"resources": {f: good}}, {"resources": {f: {n: "1"}}})
        for f, n in (("limits", "gpu"), ("requests", "CPU"))
    ]


def own_resources() -> list[Case]:
    """Those of a user's container."""
    return [
        container(
            f"resources.{f} may name", {"resources": {f: {"cpu": "1"}}}, {"resources": {f: {n: "1"}}}, ".resources"
        )
        for f, n in (("limits", "gpu"), ("requests", "CPU"))
    ]


def longer_than_zero(kind: str, *path: str) -> Case:
    return Case(kind, ".".join(("spec", *path)), "longer than zero", nest(path, "10s"), nest(path, "0h0s"))


def nest(path: tuple[str, ...], value: Any) -> Json:
    for name in reversed(path):
        value = {name: value}
    made: Json = value
    return made


def checks(words: str, good: Json, bad: Json, below: str = "") -> Case:
    at = f"spec.rollout.checks[0]{below}"
    return Case("ModelDeployment", at, words, {"rollout": {"checks": [good]}}, {"rollout": {"checks": [bad]}})


def container(words: str, good: Json, bad: Json, below: str = "") -> Case:
    good, bad = ({"container": {"image": "team/own:1", **fields}} for fields in (good, bad))
    return Case("ModelDeployment", f"spec.container{below}", words, good, bad)


def drift(words: str, good: Any, bad: Any, *path: str) -> Case:
    return Case("DriftMonitor", ".".join(("spec", *path)), words, nest(path, good), nest(path, bad))


DATASET = [
    *names("Dataset", 40),
    Case("Dataset", "spec", "transform.sql is required", {"sources": [SOURCE]}, {"sources": None}),
    Case(
        "Dataset",
        "spec",
        "columns.time is required",
        {"splits": {"strategy": "time"}, "columns": {"time": "ts"}},
        {"splits": {"strategy": "time"}},
    ),
    Case(
        "Dataset",
        "spec.sources[0]",
        "sha256 is required for https",
        {"sources": [{"name": "a", "uri": "https://h/f.csv", "sha256": "0" * 64}]},
        {"sources": [{"name": "a", "uri": "https://h/f.csv"}]},
    ),
    Case(
        "Dataset",
        "spec.columns",
        "columns.label must be neither",
        {"columns": {"key": ["id"], "time": "ts", "label": "y"}},
        {"columns": {"key": ["id", "y"], "label": "y"}},
    ),
    Case(
        "Dataset",
        "spec.columns",
        "columns.label must not be in columns.pii",
        {"columns": {"pii": ["email"], "label": "y"}},
        {"columns": {"pii": ["email", "y"], "label": "y"}},
    ),
    expecting("exactly one of between", {"column": "a", "notNull": True}, {"column": "a"}),
    expecting("column is required with", {"column": "a", "between": [0, 1]}, {"between": [0, 1]}),
    expecting("columns is required with unique", {"columns": ["a"], "unique": True}, {"unique": True}),
    expecting("low <= high", {"column": "a", "between": [1, 1]}, {"column": "a", "between": [2, 1]}),
    expecting("needs min, max or maxChangeRatio", {"rowCount": {"maxChangeRatio": 0.5}}, {"rowCount": {}}, ".rowCount"),
    expecting(
        "min must be at most max", {"rowCount": {"min": 1, "max": 1}}, {"rowCount": {"min": 2, "max": 1}}, ".rowCount"
    ),
    expecting(
        "from 0 to 1",
        {"column": "a", "notNull": True, "maxFailRatio": "1"},
        {"column": "a", "notNull": True, "maxFailRatio": "1.5"},
        ".maxFailRatio",
    ),
    Case(
        "Dataset",
        "spec.splits",
        "splits.key is required",
        {"splits": {"strategy": "hash", "key": ["id"]}},
        {"splits": {"strategy": "hash"}},
    ),
    longer_than_zero("Dataset", "refresh", "poll"),
    longer_than_zero("Dataset", "deadline"),
    *resources("Dataset"),
]
SCRIPT = {"inline": "print()"}
TRAINING = [
    *names("TrainingJob", 52),
    Case(
        "TrainingJob",
        "spec",
        "exactly one of recipe and script",
        {"recipe": None, "script": SCRIPT},
        {"script": SCRIPT},
    ),
    Case(
        "TrainingJob",
        "spec",
        "spec.image goes with script",
        {"recipe": None, "script": SCRIPT, "image": "me/mine:1"},
        {"image": "me/mine:1"},
    ),
    Case(
        "TrainingJob",
        "spec.script",
        "exactly one of inline and configMapRef",
        {"recipe": None, "script": {"configMapRef": {"name": "code"}}},
        {"recipe": None, "script": {"entryPoint": "a.py"}},
    ),
    Case(
        "TrainingJob",
        "spec.objective",
        "needs minimum or maximum",
        {"objective": {"metric": "f1", "minimum": "0.7"}},
        {"objective": {"metric": "f1"}},
    ),
    Case(
        "TrainingJob",
        "spec.objective",
        "minimum must be at most",
        {"objective": {"metric": "f1", "minimum": "0.9", "maximum": "0.95"}},
        {"objective": {"metric": "f1", "minimum": "0.9", "maximum": "0.10"}},
    ),
    Case(
        "TrainingJob",
        "spec.datasetRef.checkedAfter",
        "a day of the calendar",
        {"datasetRef": {"name": "a", "checkedAfter": "2028-02-29T23:59:59.5+02:00"}},
        {"datasetRef": {"name": "a", "checkedAfter": "2026-02-30T00:00:00Z"}},
    ),
    longer_than_zero("TrainingJob", "deadline"),
    *resources("TrainingJob"),
]
SERVING = [
    *names("ModelDeployment", 40),
    Case(
        "ModelDeployment",
        "spec.rollout",
        "must end with weight 100",
        {"rollout": {"steps": []}},
        {"rollout": {"steps": [{"weight": 5}]}},
    ),
    Case(
        "ModelDeployment",
        "spec.rollout",
        "must rise from step to step",
        {"rollout": {"steps": [{"weight": 5, "hold": "1m30s"}, {"weight": 100}]}},
        {"rollout": {"steps": [{"weight": 50}, {"weight": 10}, {"weight": 100}]}},
    ),
    checks("needs max or maxRatio", {"metric": "errorRate", "max": "0.1"}, {"metric": "errorRate"}),
    checks(
        "no meaning for disagreement",
        {"metric": "errorRate", "maxRatio": "2"},
        {"metric": "disagreement", "maxRatio": "2"},
    ),
    checks("is a share from 0 to 1", {"metric": "p99Ms", "max": "200"}, {"metric": "errorRate", "max": "5"}),
    checks("must be 0 or more", {"metric": "p99Ms", "max": "0"}, {"metric": "p99Ms", "max": "-1"}, ".max"),
    checks(
        "must be above 0", {"metric": "p99Ms", "maxRatio": "0.5"}, {"metric": "p99Ms", "maxRatio": "0"}, ".maxRatio"
    ),
    longer_than_zero("ModelDeployment", "rollout", "progressDeadline"),
    container("no meaning with pythonClass", {"body": "CSV"}, {"body": "CSV", "pythonClass": "model:Model"}),
    container("must not be 8081, 8090 or 9000", {"port": 8085}, {"port": 9000}),
    container("names of letters", {"environment": {"A_1": "x"}}, {"environment": {"a-b": "x"}}),
    container("from 60s to 1h", {"startupLimit": "59m60s"}, {"startupLimit": "1d"}, ".startupLimit"),
    *own_resources(),
    *resources("ModelDeployment"),
]
PERFORMANCE = ("checks", "performance", "maxDrop")
DRIFT = [
    *names("DriftMonitor", 40),
    drift("five cron fields", "*/15 0-6,22 1 JAN-MAR mon,3", "0 24 * * *", "schedule", "cron"),
    drift("time zone database", "America/Argentina/Buenos_Aires", "Local", "schedule", "timeZone"),
    drift("minRows must be at most", {"rows": 100, "minRows": 100}, {"rows": 100}, "window"),
    longer_than_zero("DriftMonitor", "window", "maxAge"),
    drift("from 0 to 1", "0", "1.01", "checks", "quality", "maxNullRateIncrease"),
    drift("from 0 to 1", "1.0", "-0.1", "checks", "quality", "maxUnseenCategoryRate"),
    drift("must be 0 or more", "0", "-0.1", "checks", "dataDrift", "effectFloor"),
    drift("above 0 and below 1", "0.999", "0.0", "checks", "dataDrift", "falseAlarmRate"),
    drift("must be 0 or more", "3", "-3", *PERFORMANCE),
    drift("must name Performance or DataDrift", {"action": "Alert", "when": []}, {"when": []}, "retrain"),
    longer_than_zero("DriftMonitor", "retrain", "gate", "timeout"),
]
CASES = [*DATASET, *TRAINING, *SERVING, *DRIFT]
