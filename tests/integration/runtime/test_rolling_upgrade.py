"""The operator itself is replaced, in the order of the chart's Deployment, while resources come and change."""

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until
from tests.integration.runtime.replicas import PROGRAM, Replica, leading, standing_by

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
SPACE = "rolling"
DATASETS = f"/apis/modelyard.dev/v1alpha1/namespaces/{SPACE}/datasets"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def plane(controlled_plane: ControlPlane) -> ControlPlane:
    for kind in KINDS:
        body = definition(kind)
        controlled_plane.api.apply(f"{CRDS}/{body['metadata']['name']}", body)
    controlled_plane.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": SPACE}})
    until(lambda: controlled_plane.api.call("GET", DATASETS)[0] == 200, "datasets are served", 20)
    return controlled_plane


@contextmanager
def watched_jobs(plane: ControlPlane, log: Path) -> Iterator[None]:
    """Everything that happens to Jobs, as kubectl sees it."""
    base = [str(plane.kubectl), "--kubeconfig", str(plane.kubeconfig), "--namespace", SPACE]
    with log.open("w") as target:
        process = subprocess.Popen(
            [*base, "get", "jobs", "--watch", "--output-watch-events", "-o", "json"], stdout=target
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def created(log: Path) -> list[str]:
    """Names of Jobs, one for each creation; the last event may still be in the writing."""
    text, place, names = log.read_text(), 0, []
    with suppress(json.JSONDecodeError):
        while text[place:].strip():
            event, place = json.JSONDecoder().raw_decode(text, place + len(text[place:]) - len(text[place:].lstrip()))
            names += [event["object"]["metadata"]["name"]] if event["type"] == "ADDED" else []
    return names


def datasets(log: Path) -> set[str]:
    return {name.rsplit("-build-")[0] for name in created(log)}


class Users(threading.Thread):
    """Make a Dataset every quarter of a second, and change every third one a second later."""

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__()
        self.plane, self.over, self.generations = plane, threading.Event(), dict[str, int]()

    def run(self) -> None:
        while not self.over.wait(0.25):
            number = len(self.generations)
            self._apply(f"d{number}", "select 1 as x")
            if number >= 4 and number % 3 == 0:
                self._apply(f"d{number - 4}", "select 2 as x")

    def _apply(self, name: str, sql: str) -> None:
        body = {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "Dataset",
            "metadata": {"name": name},
            "spec": {"transform": {"sql": sql}},
        }
        assert self.plane.api.apply(f"{DATASETS}/{name}", body) in (200, 201)
        self.generations[name] = self.generations.get(name, 0) + 1


def lacking(plane: ControlPlane, users: Users) -> list[str]:
    """Datasets whose status is not about their last spec, or which have no build of it."""
    jobs = {j["metadata"]["name"] for j in plane.api.call("GET", f"/apis/batch/v1/namespaces/{SPACE}/jobs")[1]["items"]}
    found: list[dict[str, Any]] = plane.api.call("GET", DATASETS)[1]["items"]
    statuses = {d["metadata"]["name"]: d.get("status", {}) for d in found}
    return [
        name
        for name, generation in users.generations.items()
        if statuses[name].get("observedGeneration") != generation
        or statuses[name].get("lastBuild", {}).get("job") not in jobs
    ]


def test_a_rolling_upgrade_amid_changes_loses_no_action_and_does_none_twice(
    plane: ControlPlane, tmp_path: Path
) -> None:
    environment = {"KUBECONFIG": str(plane.kubeconfig)}

    def replica(name: str) -> Replica:
        return Replica(name, SPACE, tmp_path, PROGRAM, environment)

    users = Users(plane)
    with ExitStack() as running, watched_jobs(plane, tmp_path / "jobs"):
        old = [running.enter_context(leading(replica("old-1"))), running.enter_context(standing_by(replica("old-2")))]
        users.start()
        try:
            for number, ends in enumerate(reversed(old), start=1):  # the standby, then the leader
                running.enter_context(standing_by(replica(f"new-{number}")))  # maxUnavailable 0: first one more
                ends.stop()
            until(lambda: len(users.generations) > 10, "users have made more", 30)
        finally:
            users.over.set()
            users.join()
        until(lambda: not lacking(plane, users), "every Dataset has the build of its last spec", 60, every_s=1)
        until(lambda: users.generations.keys() <= datasets(tmp_path / "jobs"), "the Jobs are told", 20)
    purposes = Counter((name.rsplit("-build-")[0], name.rsplit("-")[-1]) for name in created(tmp_path / "jobs"))
    assert [dataset_and_spec for dataset_and_spec, times in purposes.items() if times > 1] == []
    assert {dataset for dataset, _ in purposes} == users.generations.keys()
