"""The life of a release on a real API server: install, upgrade, uninstall and back, with both Helms."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import build, kubectl
from tests.cluster.api import Api
from tests.cluster.controlplane import ControlPlane
from tests.unit.chart.rendering import CHART, ROOT

pytestmark = pytest.mark.integration

RELEASE_NAMESPACE = "ml-system"
ACCOUNT = f"system:serviceaccount:{RELEASE_NAMESPACE}:modelyard"
DATASET = {
    "apiVersion": "modelyard.dev/v1alpha1",
    "kind": "Dataset",
    "metadata": {"name": "kept"},
    "spec": {"sources": [{"name": "a", "uri": "s3://examples/a.csv"}]},
}


@dataclass(frozen=True)
class Cluster:
    helm_program: Path
    kubectl_program: Path
    kubeconfig: Path
    api: Api

    def helm(self, *arguments: str) -> str:
        base = [str(self.helm_program), "--kubeconfig", str(self.kubeconfig), "--namespace", RELEASE_NAMESPACE]
        done = subprocess.run([*base, *arguments], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self, *namespaces: str, take_ownership: bool = False) -> str:
        arguments = ["upgrade", "--install", "modelyard", str(CHART)]
        arguments += ["--set", f"workloadNamespaces={{{','.join(namespaces)}}}"]
        return self.helm(*arguments, *(["--take-ownership"] if take_ownership else []))

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        return kubectl.run(self.kubectl_program, self.kubeconfig, *arguments, given=given)

    def names(self, kind: str, namespace: str) -> list[str]:
        return self.kubectl("get", kind, "-n", namespace, "-o", "name").split()

    def secret(self, namespace: str) -> dict[str, str]:
        found = self.kubectl("get", "secret", "modelyard-store", "-n", namespace, "-o", "json")
        data: dict[str, str] = json.loads(found)["data"]
        return data

    def may(self, verb: str, resource: str, namespace: str) -> bool:
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        _, review = self.api.call("POST", path, access_review(verb, resource, namespace))
        allowed: bool = review["status"]["allowed"]
        return allowed


def access_review(verb: str, resource: str, namespace: str) -> dict[str, Any]:
    """`resource` is `plural[/subresource][.group]`."""
    path, _, group = resource.partition(".")
    plural, _, subresource = path.partition("/")
    asked = {"verb": verb, "group": group, "resource": plural, "subresource": subresource, "namespace": namespace}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": ACCOUNT, "resourceAttributes": asked},
    }


@pytest.fixture(scope="module", params=["helm", "helm3"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A control plane of its own: definitions are cluster-wide, and a release must own them."""
    with ControlPlane(controllers=True) as plane:
        made = Cluster(build.program(request.param), plane.kubectl, plane.kubeconfig, plane.api)
        for namespace in (RELEASE_NAMESPACE, "team-a", "team-b"):
            made.kubectl("create", "namespace", namespace)
        made.kubectl("label", "namespace", RELEASE_NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        yield made


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Cluster:
    cluster.install("team-a")
    kubectl.kinds_served(cluster.kubectl_program, cluster.kubeconfig)
    return cluster


def test_install_says_what_to_do_next(cluster: Cluster) -> None:
    notes = cluster.install("team-a")
    for command in ("kubectl get modelyard -A", "-f examples/quickstart/model.yaml", "-n team-a service/churn 8080:80"):
        assert command in notes
    quickstart = yaml.safe_load_all((ROOT / "examples" / "quickstart" / "model.yaml").read_text())
    served = [each["metadata"]["name"] for each in quickstart if each["kind"] == "ModelDeployment"]
    assert served == ["churn"]


def test_pod_security_admits_the_pods_into_a_restricted_namespace(installed: Cluster) -> None:
    manifest = yaml.safe_load_all(installed.helm("get", "manifest", "modelyard"))
    templates = [each["spec"]["template"] for each in manifest if each["kind"] in ("Deployment", "StatefulSet")]
    assert len(templates) == 2
    for number, template in enumerate(templates):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"try-{number}"}, "spec": template["spec"]}
        arguments = ("apply", "-n", RELEASE_NAMESPACE, "--dry-run=server", "--validate=strict", "-f", "-")
        assert "created" in installed.kubectl(*arguments, given=json.dumps(pod))


@pytest.mark.parametrize(
    ("verb", "resource", "namespace", "allowed"),
    [
        ("patch", "datasets/status.modelyard.dev", "default", True),
        ("patch", "datasets.modelyard.dev", "default", False),
        ("create", "trainingjobs.modelyard.dev", "default", True),
        ("delete", "trainingjobs.modelyard.dev", "default", False),
        ("create", "jobs.batch", "default", True),
        ("create", "pods", "default", False),
        ("create", "pods/exec", "default", False),
        ("get", "secrets", "team-a", False),
        ("list", "secrets", RELEASE_NAMESPACE, False),
        ("create", "leases.coordination.k8s.io", RELEASE_NAMESPACE, True),
        ("create", "leases.coordination.k8s.io", "default", False),
    ],
)
def test_the_operator_may_do_its_work_and_no_more(
    installed: Cluster, verb: str, resource: str, namespace: str, allowed: bool
) -> None:
    assert installed.may(verb, resource, namespace) is allowed


def test_an_upgrade_keeps_the_credentials_and_gives_them_to_a_new_namespace(installed: Cluster) -> None:
    before = installed.secret(RELEASE_NAMESPACE)
    installed.install("team-a", "team-b")
    assert [installed.secret(each) for each in (RELEASE_NAMESPACE, "team-a", "team-b")] == [before] * 3


def test_a_missing_secret_is_told_at_install(installed: Cluster) -> None:
    values = "store.existingSecret=mine,workloadNamespaces={team-a}"
    notes = installed.helm("upgrade", "modelyard", str(CHART), "--dry-run=server", "--set", values)
    assert "MISSING: there is no Secret mine in team-a" in notes


def test_uninstall_keeps_resources_and_data_and_a_new_install_takes_them_up(installed: Cluster) -> None:
    installed.kubectl("apply", "-n", "team-a", "-f", "-", given=json.dumps(DATASET))
    before = installed.secret(RELEASE_NAMESPACE)
    installed.helm("uninstall", "modelyard")
    assert installed.names("datasets.modelyard.dev", "team-a") == ["dataset.modelyard.dev/kept"]
    assert installed.names("persistentvolumeclaim", RELEASE_NAMESPACE) == ["persistentvolumeclaim/modelyard-store"]
    assert installed.secret(RELEASE_NAMESPACE) == before
    assert installed.names("secret", "team-a") == []
    for kind in ("deployment", "statefulset", "service", "networkpolicy", "role"):
        assert installed.names(kind, RELEASE_NAMESPACE) == [], kind
    installed.install("team-a")
    assert installed.secret("team-a") == before
    assert installed.names("datasets.modelyard.dev", "team-a") == ["dataset.modelyard.dev/kept"]


def test_definitions_made_by_kubectl_can_be_taken_over(cluster: Cluster) -> None:
    """What a developer who applied crds/ by hand needs."""
    cluster.helm("uninstall", "modelyard", "--ignore-not-found")
    cluster.kubectl("delete", "crd", "--all")
    cluster.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    cluster.install("team-a", take_ownership=True)
    owned = json.loads(cluster.kubectl("get", "crd", "datasets.modelyard.dev", "-o", "json"))
    assert owned["metadata"]["annotations"]["meta.helm.sh/release-name"] == "modelyard"
