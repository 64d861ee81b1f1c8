"""Kubeflow Trainer with JobSet: the operator that most people would otherwise train with."""

from functools import partial

from tests.bench.operator import install
from tests.bench.operator.client import Object
from tests.bench.operator.contender import IMAGE, NAMESPACE, REQUESTS, completed
from tests.bench.operator.peer import Peer
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until

_GROUP = "/apis/trainer.kubeflow.org/v1alpha1"
_RUNTIME = "one-node"

JOBSET = Peer(
    tool="jobset",
    module="sigs.k8s.io/jobset",
    namespace="jobset-system",
    service_account="controller-manager",
    manifests=(
        "config/components/crd/bases",
        "config/components/rbac/role.yaml",
        "config/components/rbac/role_binding.yaml",
        "config/components/rbac/service_account.yaml",
        "config/components/webhook/manifests.yaml",
    ),
    configuration={
        "apiVersion": "config.jobset.x-k8s.io/v1alpha1",
        "internalCertManagement": {"enable": False},
    },
)
TRAINER = Peer(
    tool="trainer",
    module="github.com/kubeflow/trainer/v2",
    namespace="kubeflow-system",
    service_account="kubeflow-trainer-controller-manager",
    manifests=(
        "manifests/base/crds",
        "manifests/base/rbac/role.yaml",
        "manifests/base/rbac/role_binding.yaml",
        "manifests/base/rbac/service_account.yaml",
        "manifests/base/webhook/manifests.yaml",
    ),
    configuration={
        "apiVersion": "config.trainer.kubeflow.org/v1alpha1",
        "certManagement": {"enable": False},
        # as its own manifests have it; more brought nothing when it was measured
        "clientConnection": {"qps": 50, "burst": 100},
        "controller": {
            "groupKindConcurrency": {
                "TrainJob.trainer.kubeflow.org": 5,
                "TrainingRuntime.trainer.kubeflow.org": 1,
                "ClusterTrainingRuntime.trainer.kubeflow.org": 1,
            }
        },
    },
)


class Trainer:
    name = "Kubeflow Trainer 2.3.0, JobSet 0.12.0"
    collection = f"{_GROUP}/namespaces/{NAMESPACE}/trainjobs"
    processes = (TRAINER.tool, JOBSET.tool)

    def start(self, plane: ControlPlane) -> None:
        install.namespace(plane, NAMESPACE)
        JOBSET.start(plane)
        TRAINER.start(plane)
        until(partial(_accepted, plane), "the training runtime is accepted", 30)

    def body(self, name: str) -> Object:
        reference = {"apiGroup": "trainer.kubeflow.org", "kind": "ClusterTrainingRuntime", "name": _RUNTIME}
        return {
            "apiVersion": "trainer.kubeflow.org/v1alpha1",
            "kind": "TrainJob",
            "metadata": {"name": name},
            "spec": {"runtimeRef": reference, "trainer": {"numNodes": 1}},
        }

    def done(self, obj: Object) -> bool:
        return completed(obj)


def _runtime() -> Object:
    """One node with the pod of the plain Jobs; the container's name is the one Trainer asks for."""
    container = {"name": "node", "image": IMAGE, "resources": {"requests": REQUESTS}}
    pod = {"restartPolicy": "Never", "containers": [container]}
    node = {
        "name": "node",
        "template": {
            "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
            "spec": {"backoffLimit": 0, "template": {"spec": pod}},
        },
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "ClusterTrainingRuntime",
        "metadata": {"name": _RUNTIME},
        "spec": {"mlPolicy": {"numNodes": 1}, "template": {"spec": {"replicatedJobs": [node]}}},
    }


def _accepted(plane: ControlPlane) -> bool:
    """Its kind and its webhook may take a moment."""
    return plane.api.call("POST", f"{_GROUP}/clustertrainingruntimes", _runtime())[0] in (201, 409)
