"""A virtual environment with the clients, once per lock, in the cache: they want other versions than the tests do."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.lock import exclusive
from tests.cluster.paths import cache_dir
from tests.cluster.progress import step

LOCK = Path(__file__).parents[3] / "requirements" / "clients.txt"


def python() -> Path:
    """The environment's interpreter, installing it where it is not there yet. Raises CalledProcessError."""
    target = cache_dir() / f"clients-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if not (target / "ready").exists():
        with exclusive(cache_dir() / "clients.lock", "installing clients"):
            if not (target / "ready").exists():
                _install(target)
    return target / "bin" / "python"


def _install(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    with step("installing boto3, tritonclient, kserve and schemathesis (once, about a minute)"):
        subprocess.run([sys.executable, "-m", "venv", str(target)], check=True)
        pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(LOCK)], check=True)
    (target / "ready").touch()
