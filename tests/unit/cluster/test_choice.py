"""Which provider is chosen, and that somebody's real cluster never is by accident."""

import shutil
import subprocess
from types import SimpleNamespace

import pytest

from tests.cluster import ClusterError, choice
from tests.cluster.current import Current
from tests.cluster.node.provider import Node


def test_kind_only_where_docker_answers() -> None:
    assert choice.default_name(lambda: True) == "kind"
    assert choice.default_name(lambda: False) == "node"


@pytest.mark.parametrize(
    ("code", "output", "answers"),
    [(0, "28.0.1\n", True), (0, "\n", False), (0, "<no value>", False), (1, "", False), (1, "28.0.1", False)],
)
def test_a_docker_client_alone_is_no_engine(
    code: int, output: str, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "docker")
    done = SimpleNamespace(returncode=code, stdout=output)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert choice.docker_answers() is answers


def test_a_docker_engine_that_hangs_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("docker", 20)

    monkeypatch.setattr(shutil, "which", lambda _: "docker")
    monkeypatch.setattr(subprocess, "run", hang)
    assert choice.docker_answers() is False


def test_current_only_by_name() -> None:
    assert isinstance(choice.choose("current"), Current)
    assert isinstance(choice.choose("node"), Node)
    with pytest.raises(ClusterError, match="current, kind, node"):
        choice.choose("minikube")
