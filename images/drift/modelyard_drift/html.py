"""The report for people: HTML by Evidently from a sample, on alarm. That it fails never fails a check."""

import os
import re
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

import pyarrow as pa

from modelyard_kit.failure import shorten
from modelyard_kit.profile import SAMPLE_ROWS, sample_bytes
from modelyard_kit.store import Store, StoreError

RENDER = Path(__file__).with_name("render.py")
TIMEOUT_SECONDS = 300


def render_html(store: Store, sample_digest: str | None, window: pa.Table, path: str, headline: str) -> str | None:
    """Writes the report to `path` of the store, our own verdict first. Returns None, or why there is none."""
    if sample_digest is None:
        return "the model's profile has no sample of training rows"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            store.get_blob(sample_digest, folder / "reference.parquet")
            (folder / "window.parquet").write_bytes(sample_bytes(window, window.column_names, SAMPLE_ROWS))
            _run(folder)
            store.put(path, headed((folder / "report.html").read_text(), headline).encode())
        except (StoreError, pa.ArrowException, OSError, subprocess.SubprocessError) as error:
            return _why(error)
    return None


def headed(page: str, headline: str) -> str:
    """The page with a headline above all else: Evidently's own verdict is of other tests and thresholds than ours."""
    style = "font: 18px/1.5 sans-serif; margin: 24px auto; max-width: 1240px; padding: 16px; border: 1px solid #ccc"
    note = "Below: how Evidently, with its own tests and thresholds, sees a sample of the same rows."
    section = f'<section style="{style}"><strong>{escape(headline)}</strong><br>{note}</section>'
    return re.sub(r"<body[^>]*>", lambda body: body[0] + section, page, count=1)


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
