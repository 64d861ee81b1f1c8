"""What the API server accepts and refuses, and the words it refuses with."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.crd import differing, schema_of
from modelyard.api.kinds import KINDS
from tests.integration.api.conftest import ROOT, Apply
from tests.integration.api.objects import SPECS, resource

pytestmark = pytest.mark.integration

GOOD = [
    resource("Dataset"),
    resource("Dataset", sources=None, transform={"sql": "select i from range(5) t(i)"}),
    resource("Dataset", sources=[{"name": "a", "uri": "https://h/f.csv", "sha256": "0" * 64}]),
    resource("Dataset", expectations=[{"column": "a", "between": [0, 1.5]}, {"rowCount": {"min": 1}}]),
    resource("Dataset", splits={"strategy": "hash", "key": ["id"]}),
    resource("Dataset", splits={"strategy": "time"}, columns={"time": "ts"}),
    resource("TrainingJob", recipe=None, script={"inline": "print()"}, image="me/mine:1"),
    resource("TrainingJob", resources={"limits": {"nvidia.com/gpu": "1", "memory": "1.5Gi"}}),
    resource("TrainingJob", objective={"metric": "accuracy", "minimum": "0.7"}),
    resource("ModelDeployment", rollout={"steps": []}),
    resource("ModelDeployment", rollout={"steps": [{"weight": 5, "hold": "1m30s"}, {"weight": 100}]}),
    resource("DriftMonitor", checks={"performance": {"metric": "accuracy"}}),
    *(resource(kind, name="a" * 40) for kind in SPECS),
]

BAD = [
    (resource("Dataset", sources=None), "transform.sql is required unless there is exactly one source"),
    (
        resource("Dataset", sources=[{"name": "a", "uri": "s3://b/c"}, {"name": "d", "uri": "s3://b/c"}]),
        "transform.sql is required unless there is exactly one source",
    ),
    (resource("Dataset", sources=[{"name": "a", "uri": "https://h/f.csv"}]), "sha256 is required for https sources"),
    (resource("Dataset", sources=[{"name": "a", "uri": "file:///etc/passwd"}]), "spec.sources[0].uri"),
    (resource("Dataset", expectations=[{"column": "a"}]), "exactly one of between, unique, notNull, rowCount, sql"),
    (resource("Dataset", expectations=[{"between": [0, 1]}]), "column is required with between and notNull"),
    (resource("Dataset", expectations=[{"unique": True}]), "columns is required with unique"),
    (resource("Dataset", expectations=[{"column": "a", "between": [2, 1]}]), "low <= high"),
    (resource("Dataset", splits={"strategy": "hash"}), "splits.key is required with strategy hash"),
    (resource("Dataset", splits={"strategy": "time"}), "columns.time is required with splits.strategy time"),
    (resource("TrainingJob", recipe=None), "exactly one of recipe and script"),
    (resource("TrainingJob", script={"inline": "x"}), "exactly one of recipe and script"),
    (resource("TrainingJob", recipe=None, script={"entryPoint": "a.py"}), "exactly one of inline and configMapRef"),
    (resource("TrainingJob", image="me/mine:1"), "spec.image goes with script"),
    (resource("TrainingJob", objective={"metric": "accuracy"}), "objective needs minimum or maximum"),
    (resource("TrainingJob", objective={"metric": "acuracy", "minimum": "1"}), "spec.objective.metric"),
    (resource("ModelDeployment", rollout={"steps": [{"weight": 5}]}), "must end with weight 100"),
    (
        resource("ModelDeployment", rollout={"steps": [{"weight": 50}, {"weight": 10}, {"weight": 100}]}),
        "weight must rise from step to step",
    ),
    (resource("ModelDeployment", rollout={"checks": [{"metric": "errorRate"}]}), "needs max or maxRatio"),
    (
        resource("ModelDeployment", rollout={"checks": [{"metric": "disagreement", "maxRatio": "1"}]}),
        "maxRatio has no meaning for disagreement",
    ),
    (resource("DriftMonitor", schedule={"cron": "hourly"}), "spec.schedule.cron"),
    (resource("DriftMonitor", retrain={"cooldown": "soon"}), "spec.retrain.cooldown"),
    *((resource(kind, name="a" * 53), "metadata.name must be at most") for kind in SPECS),
    *((resource(kind, name="1a"), "starting with a letter") for kind in SPECS),
    *((resource(kind, speling=1), 'unknown field "spec.speling"') for kind in SPECS),
]


@pytest.mark.parametrize("good", GOOD, ids=lambda r: f"{r['kind']}-{json.dumps(r['spec'])[:60]}")
def test_api_server_accepts(dry_apply: Apply, good: dict[str, Any]) -> None:
    done = dry_apply(good)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("bad", "words"), BAD, ids=[f"{r['kind']}-{words}" for r, words in BAD])
def test_api_server_refuses_and_says_why(dry_apply: Apply, bad: dict[str, Any], words: str) -> None:
    done = dry_apply(bad)
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*/model.yaml")), ids=lambda p: p.parent.name)
def test_examples_are_valid(
    crds: None, kubectl: Callable[..., "subprocess.CompletedProcess[str]"], example: Path
) -> None:
    done = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", str(example))
    assert done.returncode == 0, done.stderr
    assert {r["kind"] for r in yaml.safe_load_all(example.read_text())} == set(SPECS)


def test_kubectl_get_modelyard_lists_all_four_kinds(
    crds: None, kubectl: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    for kind in SPECS:
        done = kubectl("apply", "-f", "-", given=yaml.safe_dump(resource(kind, name="listed")))
        assert done.returncode == 0, done.stderr
    done = kubectl("get", "modelyard", "-o", "name")
    assert sorted(line.split(".")[0] for line in done.stdout.split()) == sorted(k.kind.lower() for k in KINDS)


def test_schema_fills_in_the_documented_defaults(
    crds: None, kubectl: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    for kind in KINDS:
        given = resource(kind.kind, name="defaults")
        done = kubectl("apply", "--dry-run=server", "-o", "json", "-f", "-", given=yaml.safe_dump(given))
        answered = json.loads(done.stdout)["spec"]
        assert kind.spec.model_validate(answered) == kind.spec.model_validate(given["spec"])
        defaults = {n for n, s in schema_of(kind.spec)["properties"].items() if "default" in s}
        assert defaults <= set(answered)


def test_kubectl_refuses_a_misspelt_field_without_being_asked_to(
    crds: None, kubectl: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    for verb in ("apply", "create"):
        done = kubectl(verb, "--dry-run=server", "-f", "-", given=yaml.safe_dump(resource("Dataset", speling=1)))
        assert done.returncode != 0
        assert 'unknown field "spec.speling"' in done.stderr


def test_crds_folder_is_what_the_types_generate() -> None:
    assert differing(ROOT / "crds") == []
