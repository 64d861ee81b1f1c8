"""A process that tries damaged copies of a model out, each in a fork of its own, as a server's trial does.

What it was told is on stdin; how each copy ended is on stdout: `answered`, a reason, `fails` or a signal.
"""

import io
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from subprocess import run

from modelyard.contract.manifest import ModelManifest
from modelyard_kit.trial import REFUSED
from modelyard_serving import trial

SECONDS = 5


def flipped(whole: bytes, seed: int) -> bytes:
    """One bit is another."""
    random = Random(seed)  # noqa: S311 - repeatable
    place = random.randrange(len(whole))
    return whole[:place] + bytes([whole[place] ^ 1 << random.randrange(8)]) + whole[place + 1 :]


def endings(path: Path, manifest: ModelManifest, copies: Sequence[bytes]) -> list[str]:
    """How each copy of the file ended the process that tried it."""
    told = {"name": path.name, "manifest": manifest.wire(), "copies": [copy.hex() for copy in copies]}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", __name__]
    done = run(command, input=json.dumps(told).encode(), capture_output=True, env=environment, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


def main() -> None:
    told = json.load(sys.stdin)
    import lightgbm  # noqa: F401 - once, not in every fork
    import xgboost  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / told["name"]
        found = []
        for copy in told["copies"]:
            path.write_bytes(bytes.fromhex(copy))
            found.append(_ending(path, json.dumps({"manifest": told["manifest"], "allow_unsafe": False}).encode()))
    print(json.dumps(found))


def _ending(path: Path, manifest: bytes) -> str:
    said = path.with_name("said")
    child = os.fork()
    if child == 0:
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os._exit(_tried(path, manifest))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        return signal.Signals(-code).name
    if code == REFUSED:
        return str(json.loads(said.read_text())["reason"])
    return "fails" if code else "answered"


def _tried(path: Path, manifest: bytes) -> int:
    sys.argv = ["trial", str(path), str(SECONDS)]
    sys.stdin = io.TextIOWrapper(io.BytesIO(manifest))
    try:
        code = trial.main()
        sys.stdout.flush()
    except BaseException:
        return 1
    return code


if __name__ == "__main__":
    main()
