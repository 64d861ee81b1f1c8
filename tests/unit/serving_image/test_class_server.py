"""The program that serves a user's class: alone in a process, with nothing of ours on its path."""

import ast
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelyard_serving import class_server
from tests.cluster.waiting import free_ports

PROGRAM = Path(class_server.__file__)
MODEL = """
import collections

class Model:
    def load(self, path):
        with open(path + "/model.txt") as file:
            self.threshold = float(file.read())

    def predict(self, rows):
        if any(row["price"] is None for row in rows):
            raise KeyError("price is missing")
        return tuple("high" if row["price"] >= self.threshold else "low" for row in rows)

class Broken(Model):
    def load(self, path):
        raise RuntimeError("no GPU")
"""


@contextmanager
def started(folder: Path, name: str = "own.model:Model") -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    (folder / "app" / "own").mkdir(parents=True)
    (folder / "app" / "own" / "model.py").write_text(MODEL)
    (folder / "model").mkdir()
    (folder / "model" / "model.txt").write_text("20")
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [
            sys.executable,
            "-I",
            "-c",
            f"import runpy, sys; sys.argv = {[str(PROGRAM), name]!r}; sys.path[0:0] = ['x'];"
            f"runpy.run_path({str(PROGRAM)!r}, run_name='__main__')",
        ],
        cwd=folder / "app",
        env={"SAGEMAKER_BIND_TO_PORT": str(port), "MODELYARD_MODEL": str(folder / "model"), "PATH": ""},
        stderr=subprocess.PIPE,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield process, client
    finally:
        process.kill()
        process.communicate()


def pings(process: subprocess.Popen[bytes], client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if client.get("/ping").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the class does not answer /ping")


def test_a_class_loads_and_predicts_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with started(tmp_path) as (process, client):
        pings(process, client)
        answer = client.post("/invocations", json={"instances": [{"price": 3.5}, {"price": 30}]})
        assert (answer.status_code, answer.json()) == (200, {"predictions": ["low", "high"]})
        assert client.post("/invocations", json={"instances": []}).json() == {"predictions": []}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_an_error_of_the_class_is_answered_and_logged_and_the_next_request_works(tmp_path: Path) -> None:
    with started(tmp_path) as (process, client):
        pings(process, client)
        answer = client.post("/invocations", json={"instances": [{"price": None}]})
        assert (answer.status_code, answer.json()["error"]) == (500, "KeyError: 'price is missing'")
        assert client.post("/invocations", json={"instances": [{"price": 1}]}).status_code == 200
        assert client.post("/other", json={}).status_code == client.get("/other").status_code == 404
        process.terminate()
        assert b"price is missing" in process.communicate(timeout=10)[1]


def test_a_class_that_cannot_load_ends_the_container_with_its_own_words(tmp_path: Path) -> None:
    with started(tmp_path, "own.model:Broken") as (process, _):
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert said.decode().splitlines()[-1] == "RuntimeError: no GPU"


def test_it_is_written_for_the_pythons_of_others() -> None:
    tree = ast.parse(PROGRAM.read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


class Arrayish:
    def __init__(self, value: Any) -> None:
        self.value = value

    def tolist(self) -> Any:
        return self.value


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("a", "b"), ["a", "b"]),
        (Arrayish([1.0, 2.0]), [1.0, 2.0]),
        ([Arrayish(1), Arrayish(2)], [1, 2]),
        ([Arrayish([0.1, 0.9])], [[0.1, 0.9]]),
    ],
)
def test_what_libraries_answer_becomes_plain(given: Any, expected: Any) -> None:
    assert class_server.plain(given) == expected
