"""DuckDB that sees one folder and nothing else, within the pod's memory and CPUs."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import TaskFailure, UserFailure, WorldFailure

CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
CPU_LIMITS = (Path("/sys/fs/cgroup/cpu.max"),)
# DuckDB exceeds its limit by up to a quarter, and Arrow and Python need room beside it.
SHARE = 0.5
LEAST = 128 * 1024 * 1024
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "python_enable_replacements": "false",  # a Python variable is no table
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@contextmanager
def sandbox(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that may read and write below `folder` only and can never be told otherwise."""
    connection = duckdb.connect(str(folder / "work.duckdb"), config=_CONFIG)
    try:
        settings = {
            "TimeZone": "'UTC'",
            "memory_limit": f"'{memory_limit() // 1024}KiB'",
            "threads": str(cpus()),
            "temp_directory": f"'{folder / 'spill'}'",
            "allowed_directories": f"['{folder}/']",
            "enable_external_access": "false",
            "lock_configuration": "true",
        }
        for name, value in settings.items():
            connection.execute(f"SET {name} = {value}")
        yield connection
    finally:
        connection.close()


def memory_limit() -> int:
    """Bytes DuckDB may use: a share of the pod's limit, else of the machine's memory."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [int(text) for path in CGROUPS if path.is_file() and (text := path.read_text().strip()).isdigit()]
    return max(LEAST, int(min([total, *limits]) * SHARE))


def cpus() -> int:
    """Threads: the pod's CPU limit rounded up, else the CPUs it may run on."""
    available = len(os.sched_getaffinity(0))
    for path in CPU_LIMITS:
        quota, _, period = path.read_text().strip().partition(" ") if path.is_file() else ("max", "", "")
        if quota.isdigit():
            return max(1, min(available, -(-int(quota) // int(period))))
    return available


@contextmanager
def blamed(field: str) -> Iterator[None]:
    """Turns DuckDB's errors into failures that name the field of the spec whose SQL ran."""
    try:
        yield
    except duckdb.Error as error:
        raise failure(field, error) from error


def failure(field: str, error: duckdb.Error) -> TaskFailure:
    text = _plain(error)
    match error:
        case duckdb.OutOfMemoryException():
            return UserFailure(Reason.OOM_KILLED, f"{field} needs more memory: raise spec.resources.limits.memory")
        case duckdb.IOException():
            return WorldFailure(Reason.INTERNAL_ERROR, f"the pod's scratch disk failed in {field}: {text}")
        case duckdb.BinderException() if re.search("referenced column|does not have a column", text, re.I):
            return UserFailure(Reason.MISSING_COLUMN, f"{field}: {text}")
        case duckdb.ParserException() | duckdb.BinderException() | duckdb.CatalogException():
            return UserFailure(Reason.INVALID_SQL, f"{field}: {text}")
        case duckdb.PermissionException():
            return UserFailure(Reason.INVALID_SQL, f"{field} reaches outside its sources: {text}")
        case duckdb.DataError() | duckdb.InvalidInputException():
            return UserFailure(Reason.BAD_DATA, f"{field}: {text}")
    return WorldFailure(Reason.INTERNAL_ERROR, f"{field}: {text}")


def _plain(error: duckdb.Error) -> str:
    """DuckDB's message without its type and without the picture of the place."""
    text = str(error).partition("\nLINE ")[0]
    return " ".join(re.sub(r"^\w+( \w+)* Error: ", "", text).split())


def quoted(name: str) -> str:
    """An identifier as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as SQL."""
    return "'" + text.replace("'", "''") + "'"


def scalar(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The one number a query gives."""
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
