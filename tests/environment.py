"""Virtual environments beside the tests' own, once per lock, in the cache: what is in them wants other versions."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.lock import exclusive
from tests.cluster.paths import cache_dir
from tests.cluster.progress import step

LOCKS = Path(__file__).parents[1] / "requirements"


def python(name: str) -> Path:
    """The interpreter of the environment of requirements/<name>.txt, installing that where it is not there yet. Raises
    CalledProcessError."""
    lock = LOCKS / f"{name}.txt"
    target = cache_dir() / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not (target / "ready").exists():
        with exclusive(cache_dir() / f"{name}.lock", f"installing {name}"):
            if not (target / "ready").exists():
                _install(target, lock)
    return target / "bin" / "python"


def _install(target: Path, lock: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    with step(f"installing {lock.name} (once, about a minute)"):
        subprocess.run([sys.executable, "-m", "venv", str(target)], check=True)
        pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(lock)], check=True)
    (target / "ready").touch()


def folder(name: str, version: str) -> Path:
    """The packages of requirements/<name>.txt, without native code, for the Python of an image: to be mounted there.
    Raises CalledProcessError."""
    lock = LOCKS / f"{name}.txt"
    target = cache_dir() / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    with exclusive(cache_dir() / f"{name}.lock", f"installing {name}"):
        if not (target / "ready").exists():
            shutil.rmtree(target, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            other = ["--only-binary=:all:", "--python-version", version, "--target", str(target)]
            subprocess.run([*pip, *other, "--require-hashes", "-r", str(lock)], check=True)
            (target / "ready").touch()
    return target
