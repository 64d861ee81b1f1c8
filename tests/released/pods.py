"""What the pods of the recorded resources say when they end: as real ones do, of data that is not there."""

import hashlib
from typing import Any

from modelyard.contract.results import CheckResult, DatasetResult, TrainResult

RUNS_ON = "runs-on"  # the TrainingJob whose pod does not end


def _digest(of: str) -> str:
    return "sha256:" + hashlib.sha256(of.encode()).hexdigest()


def says(pod: dict[str, Any]) -> str | None:
    """By role; None for a pod that runs on. Another attempt gives another model."""
    labels = pod["metadata"].get("labels", {})
    name = labels.get("modelyard.dev/name", "")
    job = labels.get("batch.kubernetes.io/job-name", "")
    match labels.get("modelyard.dev/role"):
        case "build":
            return _built(name).canonical()
        case "attempt":
            return None if name == RUNS_ON else _trained(job).canonical()
        case "check":
            return _checked().canonical()
    return None


def _built(name: str) -> DatasetResult:
    return DatasetResult(
        outcome="Promoted",
        digest=_digest(f"version of {name}"),
        rows=1200,
        bytes=48000,
        files=2,
        splits={"train": 960, "validation": 120, "test": 120},
        profile_digest=_digest("profile"),
        logical_digest=_digest("rows"),
        inputs_digest=_digest("files"),
        checked_at="2026-03-01T12:00:30Z",
        seconds=3.0,
    )


def _trained(job: str) -> TrainResult:
    return TrainResult(
        model_digest=_digest(f"model of {job}"),
        format="skops",
        metrics={"accuracy": 0.86, "logLoss": 0.31},
        profile_digest=_digest("profile of the model"),
        train_rows=960,
        test_rows=120,
        bytes=4096,
        seconds=2.0,
    )


def _checked() -> CheckResult:
    return CheckResult(
        verdict="InsufficientData", model_digest=_digest("none"), rows=3, report="reports/team/orders/1.json"
    )
