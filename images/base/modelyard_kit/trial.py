"""The first load of a model, in a process of its own with limits.

Native code that reads a damaged file may crash, loop or take all memory: then this ends, and the pod says why.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailureResult
from modelyard_kit.failure import TaskFailure, UserFailure, WorldFailure

SECONDS = 120  # of CPU, and
WAITED = 5  # times as long, for machines that are busy
MEMORY = 8 * 2**30  # bytes of address space, and
OF_ITS_SIZE = 16  # times the file's; a pod's own limit is lower, this is for hosts without one
REFUSED = 3  # exit code: a failure is on stdout
_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"}
_SECRETS = ("AWS_", "AZURE_", "GOOGLE_")  # the store's: no file needs them


def try_open(path: Path, manifest: ModelManifest, seconds: int = SECONDS) -> None:
    """Raises TaskFailure where the model cannot be opened."""
    tried(__name__, path, manifest.canonical(), seconds)


def tried(module: str, path: Path, told: str, seconds: int = SECONDS) -> Any:
    """What the process of `module`, whose main is `child`, makes of the file, and of what it is `told`.

    Raises TaskFailure: its own, or UserFailure(UnsafeModel) where it crashes or goes on for longer than `seconds`.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)}
    command = [sys.executable, "-m", module, str(path), str(seconds)]
    try:
        ended = subprocess.run(
            command,
            input=told.encode(),
            capture_output=True,
            timeout=WAITED * seconds,
            env={**inherited, **_QUIET, "PYTHONPATH": os.pathsep.join(sys.path)},
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
    return json.loads(ended.stdout)


def _broken(path: Path, how: str) -> UserFailure:
    return UserFailure(
        Reason.UNSAFE_MODEL, f"a process that loads {path.name} and asks it {how}: train the model again"
    )


def _failure(told: FailureResult) -> TaskFailure:
    kind = UserFailure if told.blame == "user" else WorldFailure
    return kind(Reason(told.reason), told.message)


def child(work: Callable[[Path, str], Any]) -> int:
    """The process: what it is told is on stdin; on stdout is what `work` makes of the file, or the failure."""
    path, seconds = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    memory = MEMORY + OF_ITS_SIZE * path.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    told = sys.stdin.buffer.read().decode()
    try:
        found = work(path, told)
    except TaskFailure as failure:
        print(failure.result().canonical())
        return REFUSED
    print(json.dumps(found))
    return 0


def _open(path: Path, told: str) -> None:
    from modelyard_kit.model import open_model  # which tries files out by this module

    open_model(path, ModelManifest.model_validate_json(told))


if __name__ == "__main__":
    sys.exit(child(_open))
