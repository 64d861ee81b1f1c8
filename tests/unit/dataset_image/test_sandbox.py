"""Even SQL that got past the parser reaches nothing outside the scratch folder."""

from pathlib import Path

import duckdb
import pytest

from modelyard.contract.reasons import Reason
from modelyard_dataset import sandbox
from modelyard_dataset.sandbox import blamed
from modelyard_kit.failure import TaskFailure


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('https://example.com/a.csv')",
        "select * from read_csv('{folder}/../outside.csv')",
        "copy (select 1) to '/tmp/out.csv'",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "reset lock_configuration",
    ],
)
def test_no_escape(connection: duckdb.DuckDBPyConnection, tmp_path: Path, sql: str) -> None:
    (tmp_path.parent / "outside.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.Error):
        connection.execute(sql.replace("{folder}", str(tmp_path))).fetchall()


@pytest.mark.parametrize(
    ("sql", "reason", "words"),
    [
        ("select nope from (select 1 as id)", Reason.MISSING_COLUMN, 'Candidate bindings: "id"'),
        ("select t.nope from (select 1 as id) t", Reason.MISSING_COLUMN, "nope"),
        ("select floorr(1)", Reason.INVALID_SQL, 'Did you mean "floor"'),
        ("selec 1", Reason.INVALID_SQL, "syntax error"),
        ("select cast('x' as integer)", Reason.BAD_DATA, "Could not convert string 'x'"),
        ("select * from read_text('/etc/passwd')", Reason.INVALID_SQL, "outside its sources"),
    ],
)
def test_errors_name_the_field_and_the_cause(
    connection: duckdb.DuckDBPyConnection, sql: str, reason: Reason, words: str
) -> None:
    with pytest.raises(TaskFailure) as caught, blamed("spec.transform.sql"):
        connection.execute(sql).fetchall()
    assert caught.value.reason == reason
    assert caught.value.message.startswith("spec.transform.sql")
    assert words in caught.value.message
    assert "LINE 1" not in caught.value.message


@pytest.mark.parametrize(("text", "threads"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 4)])
def test_threads_follow_the_cpu_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, threads: int) -> None:
    (tmp_path / "cpu.max").write_text(text)
    monkeypatch.setattr(sandbox, "CPU_LIMITS", (tmp_path / "cpu.max",))
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(4)))
    assert sandbox.cpus() == threads


def test_memory_follows_the_pods_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(str(1 << 30))
    monkeypatch.setattr(sandbox, "CGROUPS", (tmp_path / "memory.max", tmp_path / "absent"))
    assert sandbox.memory_limit() == 1 << 29
