"""Runs the programs that build images; what they print is shown only when they fail."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TRANSIENT = ("timed out", "timeout", "connection reset", "temporary failure", "502 ", "503 ", "504 ")


class CommandError(Exception):
    """A program failed; the message ends with the last lines it printed."""


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    tries: int = 1,
    folder: Path | None = None,
) -> str:
    """What the command prints on stdout. Repeats it where a registry did not answer in time."""
    settings = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, env=settings, cwd=folder)
    if done.returncode == 0:
        return done.stdout
    output = f"{done.stdout}\n{done.stderr}".strip()
    if tries > 1 and any(word in output.lower() for word in TRANSIENT):
        time.sleep(2)
        return run(command, environment, tries - 1, folder)
    tail = "\n".join(output.splitlines()[-15:])
    raise CommandError(f"{' '.join(command[:3])} ... ended with {done.returncode}:\n{tail}")


def succeeds(command: Sequence[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True).returncode == 0


def need_debian_packages(packages: Mapping[str, str]) -> None:
    """Installs the packages (by the program each brings) that are missing; as anyone but root, says how to."""
    missing = [package for program, package in packages.items() if shutil.which(program) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise CommandError(f"no Docker engine answers, and {', '.join(missing)} is not installed: install either")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], quiet, tries=2)
    run(["apt-get", "install", "-y", "--no-install-recommends", *missing], quiet, tries=2)
