"""A real API server takes what endpoints and monitors plan, under strict validation, and drops nothing of a status."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import build
from tests.cluster.kubectl import kinds_served
from tests.unit.plan.builders import Built, deployment, monitor
from tests.unit.plan.endpoints import model, rolling, serving, step
from tests.unit.plan.monitored import check, checked, decay, ends, gate, gate_jobs, gating
from tests.unit.plan.monitored import world as monitored
from tests.unit.plan.world import World

ROOT = Path(__file__).parents[3]
Kubectl = Callable[..., str]


@pytest.fixture(scope="module")
def kubectl(control_plane: Path) -> Iterator[Kubectl]:
    program = build.program("kubernetes", "kubectl")

    def run(*arguments: str, given: Any = None) -> str:
        command = [str(program), "--kubeconfig", str(control_plane), *arguments]
        text = None if given is None else json.dumps(given)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{arguments}: {done.stderr}\n{text}"
        return done.stdout

    run("apply", "--server-side", "-f", str(ROOT / "crds"))
    kinds_served(program, control_plane)
    run("create", "namespace", "ns")
    yield run
    run("delete", "namespace", "ns", "--wait=false")


@pytest.fixture(scope="module")
def objects(kubectl: Kubectl) -> None:
    """The resources whose status is written."""
    for resource in (deployment(), monitor()):
        metadata = {"name": resource["metadata"]["name"], "namespace": "ns"}
        kubectl("create", "-f", "-", given={**resource, "metadata": metadata})


def accepted(kubectl: Kubectl, w: World) -> None:
    """Children and retrainings, then the status."""
    made = [r for (k, n), r in w.related.items() if k == "TrainingJob" and "-r-" in n]
    for child in [*w.children.values(), *made]:
        if owned(child):
            strictly = ("--server-side", "--dry-run=server", "--validate=strict")
            kubectl("apply", *strictly, "-f", "-", given=as_planned(child))
    kind, name = w.resource["kind"].lower(), w.resource["metadata"]["name"]
    patch = json.dumps({"status": w.status})
    arguments = ("--namespace", "ns", "--subresource=status", "--type=merge", "--dry-run=server", "-o", "json")
    kept = json.loads(kubectl("patch", kind, name, *arguments, "--patch", patch))
    assert kept["status"] == w.status


def owned(child: Built) -> bool:
    """Planned, not made by the test or by Kubernetes."""
    return "ownerReferences" in child["metadata"]


def as_planned(child: Built) -> dict[str, Any]:
    given = ("uid", "generation", "creationTimestamp")
    metadata = {k: v for k, v in child["metadata"].items() if k not in given}
    return {**{k: v for k, v in child.items() if k != "status"}, "metadata": metadata}


def a_first_model() -> World:
    return serving()


def a_canary() -> World:
    w = rolling()
    step(w, 1, requests=10)
    return w


def a_rollback() -> World:
    w = rolling()
    step(w, 1, requests=10, errors=3)
    return w


def a_promotion() -> World:
    w = rolling()
    step(w, 30, requests=10)
    step(w, 30, requests=10)
    return w


def a_pinned_one() -> World:
    w = serving(model("t", "a", 1), model={"trainingJobRef": {"name": "t"}, "follow": "Pinned"})
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    return w


def a_drifted_one() -> World:
    w = monitored()
    w.resource = w.resource.annotated(run="now")
    worst = [{"column": "price", "method": "wasserstein", "effect": 0.21, "threshold": 0.13}]
    checked(w, check("Drifted", driftedColumns=1, columns=7, worst=worst, minDetectableEffect=0.1, html="r.html"))
    return w


def a_retraining() -> World:
    w = monitored()
    checked(w, decay())
    return w


def a_judged_one() -> World:
    w = gating()
    ends(w, gate_jobs(w)[0], gate("Refuse"), "gate")
    w.run()
    return w


SITUATIONS = [a_first_model, a_canary, a_rollback, a_promotion, a_pinned_one]
SITUATIONS += [monitored, a_drifted_one, a_retraining, gating, a_judged_one]


@pytest.mark.integration
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.__name__)
def test_the_api_server_takes_what_is_planned(kubectl: Kubectl, objects: None, situation: Callable[[], World]) -> None:
    accepted(kubectl, situation())
