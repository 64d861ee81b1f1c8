"""Fake nodes by KWOK, as its own fast stages play them; a pod of a Job runs for two seconds.

Nothing but the benchmark's pods runs there, so the nodes have no taints and the pods no tolerations.
"""

from functools import partial
from pathlib import Path
from typing import Any

import yaml

from modelyard.contract.results import TrainResult
from tests.cluster import build
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until

NODES = 20
RUN_MS = 2000
_ANNOTATION = {"kwok.x-k8s.io/node": "fake"}
_ROLE = "modelyard.dev/role"
_OWN_STAGES = Path(__file__).with_name("attempt-stages.yaml")
_CONFIGURATION = {
    "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
    "kind": "KwokConfiguration",
    "options": {
        "manageNodesWithAnnotationSelector": "kwok.x-k8s.io/node=fake",
        "nodeLeaseDurationSeconds": 40,
        "cidr": "10.128.0.0/16",
        # Without them it exits, or plays nothing: its configuration has no defaults for these.
        "nodeLeaseParallelism": 4,
        "nodePlayStageParallelism": 4,
        "podPlayStageParallelism": 16,
    },
}
RESULT = TrainResult(
    model_digest="sha256:" + "ab" * 32,
    format="skops",
    metrics={"accuracy": 0.91, "f1": 0.9, "rocAuc": 0.95},
    profile_digest="sha256:" + "cd" * 32,
    train_rows=8000,
    test_rows=2000,
    bytes=1_000_000,
    seconds=2.0,
)


def start(plane: ControlPlane) -> None:
    """Returns when all nodes are ready."""
    program = build.program("kwok")
    config = plane.directory / "kwok.yaml"
    config.write_text(yaml.safe_dump_all([_CONFIGURATION, *stages()]))
    plane.processes.start("kwok", [str(program), f"--config={config}", f"--kubeconfig={plane.kubeconfig}"])
    for number in range(NODES):
        plane.api.call("POST", "/api/v1/nodes", _node(f"fake-{number:02}"))
    until(partial(_ready, plane), "the fake nodes are ready", 60, trouble=lambda: _trouble(plane))


def stages() -> list[dict[str, Any]]:
    """KWOK's own, and ours for the pods of TrainingJobs, which have to tell a result."""
    theirs = build.module("kwok", "sigs.k8s.io/kwok") / "kustomize" / "stage"
    files = ("node/fast/node-initialize", "pod/fast/pod-ready", "pod/fast/pod-complete", "pod/fast/pod-delete")
    found = {Path(name).name: _document(theirs / f"{name}.yaml") for name in files}
    for name in ("pod-ready", "pod-complete"):
        not_ours = {"key": f'.metadata.labels["{_ROLE}"]', "operator": "NotIn", "values": ["attempt"]}
        found[name]["spec"]["selector"]["matchExpressions"].append(not_ours)
    own = list(yaml.safe_load_all(_OWN_STAGES.read_text().replace("RESULT", RESULT.canonical())))
    for stage in (found["pod-complete"], own[-1]):
        stage["spec"]["delay"] = {"durationMilliseconds": RUN_MS}
    return [*found.values(), *own]


def _document(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    return document


def _node(name: str) -> dict[str, Any]:
    room = {"cpu": "64", "memory": "256Gi", "pods": "250"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": _ANNOTATION, "labels": {"kubernetes.io/hostname": name}},
        "status": {"allocatable": room, "capacity": room},
    }


def _ready(plane: ControlPlane) -> bool:
    nodes = plane.api.call("GET", "/api/v1/nodes")[1]["items"]
    conditions = [c for node in nodes for c in node["status"].get("conditions", [])]
    ready = sum(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    tainted = any(node["spec"].get("taints") for node in nodes)  # "not ready", until the controllers have seen it
    return ready == NODES and not tainted


def _trouble(plane: ControlPlane) -> str | None:
    return None if plane.processes.alive("kwok") else f"KWOK ended:\n{plane.log('kwok')}"
