"""Runs a pod's one task: reads it, does it, writes the one result that fits a termination message.

Exit code 0 goes with a result, 1 with a failure, 143 with a stop from outside.
"""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from modelyard.contract.document import Document, canonical_json
from modelyard.contract.reasons import Reason
from modelyard.contract.results import MAX_BYTES, TERMINATION_PATH
from modelyard.contract.tasks import MANAGEMENT_PORT, TASK_PATH, Task
from modelyard_kit.failure import TaskFailure, UserFailure, WorldFailure
from modelyard_kit.progress import ProgressServer, Reporter

T = TypeVar("T", bound=Task)
Work = Callable[[T, Reporter], Document]
KEPT = 80  # characters: strings are never cut below it, so digests stay whole

log = logging.getLogger(__name__)


class Stopped(BaseException):
    """SIGTERM arrived. Not an Exception, so that no handler for errors swallows it."""


def run_task(kind: type[T], work: Work[T]) -> int:
    """Does the task at MODELYARD_TASK (default TASK_PATH) and returns the process's exit code.

    While `work` runs, the management port answers; its result goes to MODELYARD_RESULT (default: the
    termination log). Any exception becomes a FailureResult.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, _stop)
    port = int(os.environ.get("MODELYARD_MANAGEMENT_PORT", MANAGEMENT_PORT))
    try:
        reporter = Reporter()
        with ProgressServer(reporter, port=port):
            result, code = work(read_task(kind), reporter), 0
    except TaskFailure as failure:
        log.error("%s (%s's): %s", failure.reason, failure.blame, failure.message, exc_info=failure.__cause__)
        result, code = failure.result(), 1
    except Stopped:
        result, code = WorldFailure(Reason.EVICTED, "the pod was stopped before its task was done").result(), 143
    except MemoryError:
        message = "out of memory: raise spec.resources.limits.memory"
        result, code = UserFailure(Reason.OOM_KILLED, message).result(), 1
    except Exception as error:
        log.exception("unexpected error")
        result, code = _unexpected(error).result(), 1
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the result is known: nothing may cut its writing short
    write_result(result)
    return code


def read_task(kind: type[T]) -> T:
    path = Path(os.environ.get("MODELYARD_TASK", TASK_PATH))
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise WorldFailure(
            Reason.INTERNAL_ERROR,
            f"the task at {path} cannot be read; operator and images may be of different versions: {error}",
        ) from error


def write_result(result: Document) -> None:
    text = fit(result)
    print(text)
    Path(os.environ.get("MODELYARD_RESULT", TERMINATION_PATH)).write_text(text)


def fit(result: Document, limit: int = MAX_BYTES) -> str:
    """The result's JSON in at most `limit` bytes: its longest strings are cut until it fits."""
    value = result.wire()
    while len((text := canonical_json(value)).encode()) > limit:
        longest = max(_length(value), KEPT + 1)
        cut = _cut(value, max(KEPT, longest * 3 // 4))
        if cut == value:
            raise ValueError(f"a {type(result).__name__} of {len(text)} bytes cannot be made to fit {limit}")
        value = cut
    return text


def _length(value: Any) -> int:
    """Of the longest string within."""
    if isinstance(value, str):
        return len(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_length(item) for item in inner), default=0)


def _cut(value: Any, length: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= length else value[: length - 1] + "…"
    if isinstance(value, dict):
        return {key: _cut(item, length) for key, item in value.items()}
    return [_cut(item, length) for item in value] if isinstance(value, list) else value


def _unexpected(error: Exception) -> WorldFailure:
    """Names the error and its place; a value that looks like a credential of the environment is masked."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
    for name, secret in os.environ.items():
        if len(secret) >= 6 and any(word in name for word in ("KEY", "SECRET", "TOKEN", "PASSWORD")):
            text = text.replace(secret, "***")
    return WorldFailure(Reason.INTERNAL_ERROR, text)


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped
