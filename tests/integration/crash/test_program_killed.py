"""`modelyard run` itself, with election, killed after each of its writes until there is nothing left to write."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from modelyard.plan.labels import SELECTOR
from tests.cluster.controlplane import ControlPlane
from tests.cluster.mock_kubelet.kubelet import MockKubelet
from tests.cluster.waiting import free_ports, until

pytestmark = [pytest.mark.integration, pytest.mark.crash, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[3]
DATASET = "/apis/modelyard.dev/v1alpha1/namespaces/default/datasets/orders"


def started(plane: ControlPlane, folder: Path, log: Any) -> "subprocess.Popen[bytes]":
    config = folder / "operator.json"
    (port,) = free_ports(1)
    lease = {"namespace": "default", "name": "modelyard"}
    config.write_text(json.dumps({"healthPort": port, "lease": lease, "pollSeconds": 0.5}))
    # A container that is started anew keeps its pod's name, and with it the lease.
    environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig), "POD_NAME": "modelyard-0"}
    environment["PYTHONPATH"] = f"{ROOT / 'operator'}:{ROOT}"
    command = [sys.executable, "-m", "tests.integration.crash.program", "run", "--config", str(config)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)


def names(plane: ControlPlane, path: str) -> list[str]:
    found = plane.api.call("GET", f"{path}?labelSelector={SELECTOR}")[1]["items"]
    return [item["metadata"]["name"] for item in found]


def ended_or(ready: Callable[[], bool], process: "subprocess.Popen[bytes]") -> bool:
    return process.poll() is not None or ready()


def test_a_program_killed_after_each_of_its_writes_comes_to_the_same_end(tmp_path: Path) -> None:
    with ControlPlane(controllers=True, scheduler=True) as plane, MockKubelet(plane.kubeconfig):
        for kind in KINDS:
            body = definition(kind)
            plane.api.apply(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{body['metadata']['name']}", body)
        spec = {"transform": {"sql": "select 1 as x"}}
        dataset = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Dataset", "metadata": {"name": "orders"}}
        until(lambda: plane.api.apply(DATASET, {**dataset, "spec": spec}) == 201, "Datasets are served", 30)

        def ready() -> bool:
            return bool(plane.api.call("GET", DATASET)[1].get("status", {}).get("phase") == "Ready")

        kills = 0
        with (tmp_path / "log").open("wb") as log:
            while not ready():
                process = started(plane, tmp_path, log)
                try:
                    until(partial(ended_or, ready, process), "a write, or the end", 120)
                finally:
                    process.kill()
                assert process.wait() == -signal.SIGKILL, (tmp_path / "log").read_text()
                kills += 1
        assert kills >= 2  # after the Job, and after the status that says it is done
        jobs = names(plane, "/apis/batch/v1/namespaces/default/jobs")
        assert len(jobs) == 1
        assert names(plane, "/api/v1/namespaces/default/configmaps") == []
        assert len(names(plane, "/api/v1/namespaces/default/pods")) == 1
