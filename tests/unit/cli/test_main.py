"""The command line."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard.cli.main import main

ROOT = Path(__file__).parents[3]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    for command in ("run", "crds", "version"):
        assert command in told


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom modelyard.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('kubernetes', 'aiohttp', 'pydantic') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "operator", capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_a_misspelt_setting_stops_the_operator_before_it_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text("workres: 3")
    assert main(["run", "--config", str(file)]) == 2
    assert "unknown key 'workres'" in capsys.readouterr().err


def test_crds_are_written_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crds", str(tmp_path), "--check"]) == 1
    assert "modelyard.dev_datasets.yaml is not what the types generate" in capsys.readouterr().err
    assert main(["crds", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("*.yaml"))) == 4
    assert main(["crds", str(tmp_path), "--check"]) == 0
    assert main(["crds", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4, "the second time there was nothing to write"


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """As it was, afterwards."""
    logger = logging.getLogger()
    before = (logger.handlers[:], logger.level)
    yield logger
    logger.handlers[:] = before[0]
    logger.setLevel(before[1])


@pytest.mark.parametrize(
    ("arguments", "form", "level"),
    [
        ([], "TextFormatter", logging.WARNING),
        (["--log-format", "json", "--log-level", "debug"], "JsonFormatter", logging.DEBUG),
        (["--dev"], "TextFormatter", logging.WARNING),
    ],
)
def test_logs_are_as_the_file_says_unless_the_command_line_says_otherwise(
    root_logger: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    form: str,
    level: int,
) -> None:
    async def serve(*_: Any, **__: Any) -> None:
        """Stands in for the operator, which would need an API server."""

    monkeypatch.setattr("modelyard.runtime.app.serve", serve)
    file = tmp_path / "operator.yaml"
    file.write_text("logFormat: text\nlogLevel: warning")
    assert main(["run", "--config", str(file), *arguments]) == 0
    (handler,) = root_logger.handlers
    assert (type(handler.formatter).__name__, root_logger.level) == (form, level)
