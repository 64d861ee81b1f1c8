"""The first load of a model and its first answers, in a process of its own with limits.

Native code that reads a damaged file may crash, loop or take all memory: then this ends, and the server says why.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from math import inf, isfinite, isnan
from pathlib import Path
from typing import Any

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.progress import Parity
from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailureResult
from modelyard_kit.failure import TaskFailure, UserFailure, WorldFailure
from modelyard_kit.model import open_model
from modelyard_serving.bodies import example_rows
from modelyard_serving.rows import rows_of_objects

SECONDS = 120  # of CPU, and
WAITED = 5  # times as long, for machines that are busy
MEMORY = 8 * 2**30  # bytes of address space, and
OF_ITS_SIZE = 16  # times the file's; a pod's own limit is lower, this is for hosts without one
REFUSED = 3  # exit code: a failure is on stdout
TOLERANCE = 1e-4  # of a value, relative to itself
_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"}


def try_out(path: Path, manifest: ModelManifest, seconds: int = SECONDS) -> Parity:
    """How far the answers are from those of training.

    Raises TaskFailure where the model cannot be loaded, fails, or answers otherwise than when it was trained.
    """
    command = [sys.executable, "-m", __name__, str(path), str(seconds)]
    try:
        ended = subprocess.run(
            command,
            input=manifest.canonical().encode(),
            capture_output=True,
            timeout=WAITED * seconds,
            env={**os.environ, **_QUIET, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _broken(path, f"does not end within {WAITED * seconds} s") from None
    if ended.returncode == REFUSED:
        raise _failure(FailureResult.model_validate_json(ended.stdout))
    if ended.returncode < 0:
        raise _broken(path, f"is ended by {signal.Signals(-ended.returncode).name}")
    if ended.returncode:
        raise _broken(path, f"fails: {ended.stderr.decode(errors='replace').strip()[-300:]}")
    return _compare(path, manifest, json.loads(ended.stdout))


def _broken(path: Path, how: str) -> UserFailure:
    return UserFailure(
        Reason.UNSAFE_MODEL, f"a process that loads {path.name} and asks it {how}: train the model again"
    )


def _failure(told: FailureResult) -> TaskFailure:
    kind = UserFailure if told.blame == "user" else WorldFailure
    return kind(Reason(told.reason), told.message)


def _compare(path: Path, manifest: ModelManifest, found: list[Any]) -> Parity:
    """What the model answered to its example rows when it was published; an earlier manifest does not tell."""
    pairs = list(zip(manifest.answers, found, strict=False))
    differences = [_difference(expected, answer) for expected, answer in pairs]
    wrong = [row for row, difference in enumerate(differences) if not difference <= TOLERANCE]  # NaN is, too
    if wrong:
        expected, answer = pairs[wrong[0]]
        said = f"{path.name} answers {answer} to example row {wrong[0]}, and answered {expected} when it was trained"
        largest = max(differences, key=lambda each: inf if isnan(each) else each)
        by = "" if isinstance(expected, str) or not isfinite(largest) else f", by at most {largest:.2g}"
        raise WorldFailure(
            Reason.SERVING_PARITY,
            f"{said} ({len(wrong)} of {len(pairs)} rows differ{by}): its image and the serving image differ, "
            "upgrade both",
        )
    numbers = manifest.task == "regression" and pairs
    return Parity(rows=len(pairs), max_difference=max(differences) if numbers else None)


def _difference(expected: str | float, answer: str | float) -> float:
    """Of numbers, relative to the expected one where that is above 1; infinite between classes."""
    if isinstance(expected, str) or isinstance(answer, str):
        return 0.0 if expected == answer else inf
    return abs(expected - answer) / max(1.0, abs(expected))


def main() -> int:
    """The process: the manifest is on stdin; on stdout is what the model answers, or the failure."""
    path, seconds = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    memory = MEMORY + OF_ITS_SIZE * path.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    manifest = ModelManifest.model_validate_json(sys.stdin.buffer.read())
    try:
        values = _answers(path, manifest)
    except TaskFailure as failure:
        print(failure.result().canonical())
        return REFUSED
    print(json.dumps(values))
    return 0


def _answers(path: Path, manifest: ModelManifest) -> list[Any]:
    model = open_model(path, manifest)
    examples = example_rows(manifest)
    if not examples:
        return []
    rows = rows_of_objects(manifest.features, examples)
    try:
        return list(model.predict_columns(rows.columns).values)
    except Exception as error:
        said = f"the model fails on the example rows of its own manifest: {error}; train it again"
        raise UserFailure(Reason.USER_ERROR, said) from error


if __name__ == "__main__":
    sys.exit(main())
