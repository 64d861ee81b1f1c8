"""The task runner: every end of a task becomes one result that fits a termination message."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from modelyard.contract.document import Document
from modelyard.contract.reasons import Reason
from modelyard.contract.results import MAX_BYTES, FailedExpectation, TrainResult, parse_result
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import TrainTask
from modelyard_kit import task as runner
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.progress import Reporter

TASK = TrainTask(
    namespace="ns", name="churn", store=StoreConfig(uri="s3://b"), dataset_name="d", dataset_digest="sha256:" + "0" * 64
)
RESULT = TrainResult(
    model_digest="sha256:" + "1" * 64,
    format="skops",
    metrics={"accuracy": 0.9},
    profile_digest="sha256:" + "2" * 64,
    train_rows=1,
    test_rows=1,
    bytes=1,
)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "task.json").write_text(TASK.canonical())
    monkeypatch.setenv("MODELYARD_TASK", str(tmp_path / "task.json"))
    monkeypatch.setenv("MODELYARD_RESULT", str(tmp_path / "result.json"))
    monkeypatch.setenv("MODELYARD_MANAGEMENT_PORT", "0")
    monkeypatch.setattr(runner, "Reporter", lambda: Reporter(CollectorRegistry()))
    previous = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, previous)


def _fail(error: BaseException) -> runner.Work[TrainTask]:
    def work(_task: TrainTask, _reporter: Reporter) -> Document:
        raise error

    return work


def test_a_result_is_written_and_the_exit_code_is_zero(paths: Path) -> None:
    seen: list[TrainTask] = []

    def work(task: TrainTask, _reporter: Reporter) -> Document:
        seen.append(task)
        return RESULT

    assert runner.run_task(TrainTask, work) == 0
    assert seen == [TASK]
    assert parse_result((paths / "result.json").read_text()) == RESULT


@pytest.mark.parametrize(
    ("error", "blame", "reason", "words"),
    [
        (UserFailure(Reason.INVALID_SQL, "spec.transform.sql is wrong"), "user", "InvalidSql", "spec.transform.sql"),
        (WorldFailure(Reason.STORE_UNAVAILABLE, "no answer"), "world", "StoreUnavailable", "no answer"),
        (KeyError("surprise"), "world", "InternalError", "KeyError: 'surprise' (test_task.py:"),
        (MemoryError(), "user", "OOMKilled", "spec.resources.limits.memory"),
    ],
)
def test_an_exception_becomes_a_failure_with_its_blame(
    paths: Path, error: Exception, blame: str, reason: str, words: str
) -> None:
    assert runner.run_task(TrainTask, _fail(error)) == 1
    written = json.loads((paths / "result.json").read_text())
    assert (written["blame"], written["reason"]) == (blame, reason)
    assert words in written["message"]


def test_a_secret_of_the_environment_never_reaches_the_result(paths: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2-hunter2")
    runner.run_task(TrainTask, _fail(ValueError("bad key hunter2-hunter2")))
    assert "hunter2" not in (paths / "result.json").read_text()


def test_sigterm_ends_the_task_with_a_result_that_says_so(paths: Path) -> None:
    def work(_task: TrainTask, _reporter: Reporter) -> Document:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        return RESULT

    assert runner.run_task(TrainTask, work) == 143
    assert json.loads((paths / "result.json").read_text())["reason"] == "Evicted"


def test_an_unreadable_task_is_a_failure_of_the_world(paths: Path) -> None:
    (paths / "task.json").write_text('{"task": "train"}')
    assert runner.run_task(TrainTask, _fail(AssertionError("not reached"))) == 1
    assert json.loads((paths / "result.json").read_text())["reason"] == "InternalError"


@settings(deadline=None)
@given(st.lists(st.text(max_size=3000), max_size=5))
def test_any_result_fits_a_termination_message(messages: list[str]) -> None:
    found = [FailedExpectation(name=f"n{i}", failed=1, total=2, message=text) for i, text in enumerate(messages)]
    text = runner.fit(_Many(items=found))
    assert len(text.encode()) <= MAX_BYTES
    assert [item["name"] for item in json.loads(text)["items"]] == [item.name for item in found]


class _Many(Document):
    items: list[FailedExpectation]
