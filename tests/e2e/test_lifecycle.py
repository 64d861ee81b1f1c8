"""What stays and what goes: deletion, two replicas, uninstall."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.e2e.leader import kill_leader
from tests.e2e.squares import dataset, points, training
from tests.e2e.user import User
from tests.product.product import ROOT, Product, ProductError

CHILDREN = "jobs,cronjobs,deployments,services,configmaps,poddisruptionbudgets,pods"
OURS = "app.kubernetes.io/managed-by=modelyard"


def test_quickstart_works_and_deleting_it_removes_every_child(user: User, eventually: Callable[..., Any]) -> None:
    path = ROOT / "examples" / "quickstart" / "model.yaml"
    resources = list(yaml.safe_load_all(path.read_text()))
    user.kubectl("apply", "-f", str(path))
    user.applied += [f"{r['kind'].lower()}/{r['metadata']['name']}" for r in resources]
    user.wait("modeldeployment/churn", "Ready", timeout=240)
    user.wait("driftmonitor/churn", "Ready", timeout=60)
    assert user.kubectl("get", CHILDREN, "-l", OURS, "-o", "name").strip()

    user.kubectl("delete", "-f", str(path), "--wait", "--timeout=60s")
    eventually(lambda: user.kubectl("get", CHILDREN, "-l", OURS, "-o", "name").strip(), lambda left: left == "")


def test_other_replica_carries_on_when_the_leader_is_killed(user: User, product: Product) -> None:
    uri = user.put("lifecycle/points.parquet", points(1000, 17))
    user.apply("Dataset", "survivor", dataset(uri))
    user.apply("TrainingJob", "survivor", training("survivor"))
    kill_leader(product)
    job = user.wait("trainingjob/survivor", "Ready", timeout=240)
    assert job["status"]["attempt"] == 1
    pods = user.kubectl("get", "pods", "-l", "modelyard.dev/name=survivor,modelyard.dev/role=attempt", "-o", "name")
    assert len(pods.split()) == 1


def test_workload_namespace_enforces_pod_security_restricted(user: User) -> None:
    with pytest.raises(ProductError, match="violates PodSecurity"):
        user.kubectl("run", "privileged", "--image=modelyard/none:1", "--privileged", "--restart=Never")


def test_uninstall_never_hangs_and_keeps_resources(user: User, product: Product, images: dict[str, str]) -> None:
    uri = user.put("lifecycle/kept.parquet", points(300, 18))
    reference = user.apply("Dataset", "kept", dataset(uri))
    digest = user.wait(reference, "Ready")["status"]["current"]["digest"]
    product.uninstall()
    try:
        assert user.status(reference)["current"]["digest"] == digest
        user.kubectl("delete", reference, "--wait", "--timeout=30s")
    except subprocess.TimeoutExpired as error:
        raise AssertionError("deleting a resource hangs without the operator") from error
    finally:
        product.install(images)
