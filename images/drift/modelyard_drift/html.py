"""The report for people: HTML by Evidently from a sample, on alarm. That it fails never fails a check."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa

from modelyard_kit.failure import shorten
from modelyard_kit.profile import SAMPLE_ROWS, sample_bytes
from modelyard_kit.store import Store, StoreError

RENDER = Path(__file__).with_name("render.py")
TIMEOUT_SECONDS = 300


def render_html(store: Store, sample_digest: str | None, window: pa.Table, path: str) -> str | None:
    """Writes the report to `path` of the store. Returns None, or in words why there is none."""
    if sample_digest is None:
        return "the model's profile has no sample of training rows"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            store.get_blob(sample_digest, folder / "reference.parquet")
            (folder / "window.parquet").write_bytes(sample_bytes(window, window.column_names, SAMPLE_ROWS))
            _run(folder)
            store.put(path, (folder / "report.html").read_bytes())
        except (StoreError, pa.ArrowException, OSError, subprocess.SubprocessError) as error:
            return _why(error)
    return None


def _run(folder: Path) -> None:
    """Without the store's credentials, and with Evidently's telemetry off."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    subprocess.run(
        [sys.executable, "-P", str(RENDER), str(folder)],
        env=kept | {"DO_NOT_TRACK": "1", "HOME": str(folder), "MPLCONFIGDIR": str(folder)},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_SECONDS,
        check=True,
    )


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in error.stderr.splitlines() if line.strip()]
        return shorten(f"Evidently ended with code {error.returncode}: {lines[-1] if lines else 'it said nothing'}")
    if isinstance(error, subprocess.TimeoutExpired):
        return f"Evidently took longer than {TIMEOUT_SECONDS} s"
    return shorten(str(error))
