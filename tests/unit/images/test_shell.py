"""Programs that build images: their last words are shown, and only time-outs are tried again."""

from pathlib import Path

import pytest

from images.builder import shell
from images.builder.shell import CommandError, run


def _counting(folder: Path, message: str) -> list[str]:
    return [
        "sh",
        "-c",
        f"echo x >> {folder}/tries; test $(wc -l < {folder}/tries) -gt 1 || {{ echo '{message}'; exit 3; }}",
    ]


def test_a_time_out_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("images.builder.shell.time.sleep", lambda _seconds: None)
    run(_counting(tmp_path, "Read timed out."), tries=2)
    assert (tmp_path / "tries").read_text() == "x\nx\n"


def test_any_other_failure_is_final_and_shows_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="ended with 3:\nno such package"):
        run(_counting(tmp_path, "no such package"), tries=2)


def test_missing_packages_are_named_to_who_may_not_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(CommandError, match="imaginary-package is not installed"):
        shell.need_debian_packages({"no-such-program": "imaginary-package", "sh": "dash"})
