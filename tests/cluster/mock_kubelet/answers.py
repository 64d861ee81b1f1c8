"""What pods of each role answer where no script says otherwise: good results, of equal digests for equal tasks."""

from datetime import UTC, datetime
from typing import Any

from modelyard.contract.document import Document, digest_of
from modelyard.contract.results import CheckResult, DatasetResult, GateResult, TrainResult
from modelyard.contract.tasks import CheckTask, DatasetTask, GateTask, ServeTask, Task, TrainTask
from tests.cluster.mock_kubelet.life import Life, Seen, succeeds

TASKS: dict[str, type[Task]] = {
    "build": DatasetTask,
    "attempt": TrainTask,
    "server": ServeTask,
    "check": CheckTask,
    "gate": GateTask,
}
_METRICS = {
    "classification": {"accuracy": 0.9, "f1": 0.9, "rocAuc": 0.95, "logLoss": 0.3},
    "regression": {"mae": 1.0, "rmse": 1.5, "r2": 0.9},
}


def well(seen: Seen) -> Life:
    """Everything goes well. A training takes longer than a second, in which models that follow each other differ."""
    if isinstance(seen.task, ServeTask):
        return Life()
    return Life(succeeds(answer(seen.task)), runs=1.1 if isinstance(seen.task, TrainTask) else None)


def answer(task: Task) -> Document:
    """The result of a task that went well."""
    match task:
        case DatasetTask():
            return dataset(task)
        case TrainTask():
            return model(task)
        case CheckTask():
            return checked(task)
        case GateTask():
            return judged(task)
    raise TypeError(f"a pod with a {type(task).__name__} gives no result")


def dataset(task: DatasetTask, data: int = 0, **more: Any) -> DatasetResult:
    """A version of this recipe on the sources' state number `data`."""
    recipe = digest_of([task.sql, [s.wire() for s in task.sources], task.roles.wire(), task.splits.wire()])
    given = {
        "outcome": "Promoted",
        "digest": _digest("version", recipe, data),
        "rows": 1000 + data,
        "bytes": 10_000,
        "files": 1,
        "splits": {"train": 1000 + data},
        "profile_digest": _digest("profile", recipe, data),
        "logical_digest": _digest("rows", recipe, data),
        "inputs_digest": _digest("inputs", recipe, data),
        # Finer than the seconds in which it is asked for: the sources were looked at after that.
        "checked_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "seconds": 1.0,
    }
    return DatasetResult.model_validate({**given, **more})


def model(task: TrainTask, **more: Any) -> TrainResult:
    """The same for equal data, parameters and code, whatever the job and the attempt."""
    what = [task.dataset_digest, task.recipe, task.entry_point, task.parameters, task.seed]
    given = {
        "model_digest": _digest("model", *what),
        "format": "skops",
        "metrics": _METRICS[task.kind_of_task],
        "profile_digest": _digest("profile", task.dataset_digest),
        "train_rows": 800,
        "test_rows": 200,
        "bytes": 5_000,
        "seconds": 1.0,
    }
    return TrainResult.model_validate({**given, **more})


def checked(task: CheckTask, verdict: str = "Stable", **more: Any) -> CheckResult:
    given = {
        "verdict": verdict,
        "model_digest": task.model_digest,
        "rows": task.window.rows,
        "window_end": "2026-01-01T00:00:00Z",
        "columns": 5,
        "report": f"reports/{task.namespace}/{task.name}/1.json",
        "message": f"{task.window.rows} rows: {verdict}",
    }
    return CheckResult.model_validate({**given, **more})


def judged(task: GateTask, verdict: str = "Promote", **more: Any) -> GateResult:
    given = {
        "verdict": verdict,
        "metric": task.metric,
        "champion": 0.8,
        "challenger": 0.85,
        "difference": 0.05,
        "lower": 0.03,
        "rows": task.rows,
        "message": f"{task.metric} 0.85 against 0.8 on {task.rows} rows",
    }
    return GateResult.model_validate({**given, **more})


def _digest(*parts: Any) -> str:
    return digest_of(list(parts))
