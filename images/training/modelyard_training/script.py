"""Runs the user's script as a child process, its output streamed to the log, and explains how it ended."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure, shorten
from modelyard_kit.progress import Reporter

GRACE_SECONDS = 20  # between SIGTERM and SIGKILL; less than a pod's grace
FAILURE_CHARACTERS = 1024  # of the failure file, as SageMaker reads them
LINE_BYTES = 8192  # a longer line is logged in pieces

log = logging.getLogger(__name__)


class _Stream(Thread):
    """Hands on a stream line by line and remembers its last words."""

    def __init__(self, source: IO[bytes], reporter: Reporter, percent: int) -> None:
        super().__init__(daemon=True)
        self.last = ""
        self._source, self._reporter, self._percent = source, reporter, percent
        self.start()

    def run(self) -> None:
        with self._source:
            for piece in iter(lambda: self._source.readline(LINE_BYTES), b""):
                line = piece.decode(errors="replace").rstrip()
                log.info("script: %s", line)
                if line:
                    self.last = line
                    self._reporter.report("Training", self._percent, shorten(line, 200))


def run_script(
    code: Path,
    entry_point: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    reporter: Reporter,
    failure_file: Path,
) -> None:
    """`python <code>/<entry_point> <arguments>` in `code`. Raises UserFailure unless it exits with 0."""
    path = code / entry_point
    if not path.is_file():
        raise UserFailure(
            Reason.USER_ERROR, f"there is no {entry_point} in {code}: check spec.script.entryPoint and its ConfigMap"
        )
    command = [sys.executable, "-u", str(path), *arguments]
    child = subprocess.Popen(
        command,
        cwd=code,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    if child.stdout is None or child.stderr is None:
        raise RuntimeError("a child without pipes")
    streams = [_Stream(pipe, reporter, percent=40) for pipe in (child.stdout, child.stderr)]
    try:
        code_of_exit = child.wait()
    except BaseException:
        _stop(child)
        raise
    _kill(child, signal.SIGKILL)  # what the script left running would keep its output open
    for stream in streams:
        stream.join()
    if code_of_exit:
        raise _ended(code_of_exit, failure_file, streams[1].last)


def _ended(code: int, failure_file: Path, last_line: str) -> UserFailure:
    if code < 0:
        name = signal.Signals(-code).name
        hint = ", most likely for want of memory: raise spec.resources.limits.memory" if name == "SIGKILL" else ""
        reason = Reason.OOM_KILLED if name == "SIGKILL" else Reason.USER_ERROR
        return UserFailure(reason, f"the script was ended by {name}{hint}", exit_code=128 - code)
    return UserFailure(Reason.USER_ERROR, f"the script exited with code {code}: {_why(failure_file, last_line)}", code)


def _why(failure_file: Path, last_line: str) -> str:
    """What the script left in the failure file, else its last line on stderr."""
    if failure_file.is_file():
        with failure_file.open(errors="replace") as file:
            said = file.read(FAILURE_CHARACTERS).strip()
        if said:
            return said
    return last_line or "it wrote nothing to stderr"


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Ends the script and what it started: asks first, insists after the grace."""
    _kill(child, signal.SIGTERM)
    try:
        child.wait(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("the script did not end within %d s of SIGTERM", GRACE_SECONDS)
    _kill(child, signal.SIGKILL)
    child.wait()


def _kill(child: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    """Signals the script's whole session."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, sign)
