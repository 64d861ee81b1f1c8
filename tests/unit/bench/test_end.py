"""How a run of the operator's benchmark ends."""

import pytest

from tests.bench.figures import Row
from tests.bench.operator import __main__ as program
from tests.bench.operator.scenario import Report

WRITES = "API writes of the operator per TrainingJob"


@pytest.mark.parametrize(
    ("name", "writes", "code"), [(WRITES, 4.0, 0), (WRITES, 6.0, 1), ("a figure that nobody recorded", 4.0, 1)]
)
def test_a_run_fails_where_a_figure_leaves_its_range_or_has_none(
    name: str, writes: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "run", lambda sizes, parts: Report(rows=[Row(name, "writes", writes, 5)]))
    monkeypatch.setattr("sys.argv", ["bench", "--short"])
    assert program.main() == code
    assert (f"{name}: " in capsys.readouterr().out) == bool(code)
