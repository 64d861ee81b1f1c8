"""Processes that outlive the command that started them, and how they are found again.

A record is a pid with its start time, so that a reused pid is never taken for ours.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


def start_time(pid: int) -> str | None:
    """When a live process started, in a form that no other process shares; None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


@dataclass(frozen=True)
class Record:
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Record | None":
        started = start_time(pid)
        return None if started is None else cls(pid, started)

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started

    def signal(self, number: int) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Processes:
    """The named processes of one cluster, recorded in a folder."""

    def __init__(self, directory: Path) -> None:
        self.records, self.logs = directory / "pids", directory / "logs"

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.records.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.log(name)
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, env=env, pass_fds=pass_fds, cwd="/",
            )  # fmt: skip
        record = Record.of(process.pid)
        process.returncode = 0  # it is meant to outlive us: no ResourceWarning, no wait
        if record:
            text = json.dumps({"pid": record.pid, "started": record.started})
            (self.records / f"{name}.json").write_text(text)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def tail(self, name: str, lines: int = 12) -> str:
        with contextlib.suppress(FileNotFoundError):
            return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])
        return ""

    def recorded(self) -> dict[str, Record]:
        found = {}
        for path in sorted(self.records.glob("*.json")):
            with contextlib.suppress(ValueError, KeyError, FileNotFoundError):  # another run may have forgotten it
                found[path.stem] = Record(**json.loads(path.read_text()))
        return found

    def alive(self, name: str) -> bool:
        record = self.recorded().get(name)
        return record is not None and record.alive

    def stop(self, names: Iterable[str], grace_s: float = 10.0) -> None:
        """End these together, and forget them."""
        recorded = self.recorded()
        found = {name: recorded[name] for name in names if name in recorded}
        end(list(found.values()), grace_s)
        for name in found:
            (self.records / f"{name}.json").unlink(missing_ok=True)


def end(records: Sequence[Record], grace_s: float) -> None:
    """SIGTERM, then SIGKILL to those still there after the grace time; returns when all have ended."""
    for number, patience in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 10.0)):
        for record in records:
            record.signal(number)
        deadline = time.monotonic() + patience
        while any(record.alive for record in records) and time.monotonic() < deadline:
            _reap(records)
            time.sleep(0.02)
        _reap(records)


def _reap(records: Sequence[Record]) -> None:
    """Those that were our own children would otherwise stay as zombies."""
    for record in records:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(record.pid, os.WNOHANG)
