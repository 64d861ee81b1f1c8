"""Pod statuses as real clusters write them, with what a person is to read about them."""

from typing import Any

from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailureResult
from tests.unit.plan.builders import Built, pod

IMAGE = "registry.example/team/train:1"


def gpu_pod() -> Built:
    requests = {"cpu": "1", "nvidia.com/gpu": "1"}
    container = {"name": "main", "image": IMAGE, "resources": {"requests": requests, "limits": {"memory": "1Gi"}}}
    return pod("p", IMAGE).spec(containers=[container])


def unschedulable(message: str) -> Built:
    return gpu_pod().condition("PodScheduled", "False", "Unschedulable", message)


def disrupted(reason: str, phase: str = "Failed") -> Built:
    return gpu_pod().ended(143).status(phase=phase).condition("DisruptionTarget", "True", reason, "…")


def stopped(reason: str, message: str = "") -> Built:
    return pod().status(phase="Failed", reason=reason, message=message)


def told(blame: Any, reason: str, message: str, exit_code: int | None = None, code: int = 1) -> Built:
    result = FailureResult(blame=blame, reason=reason, message=message, exit_code=exit_code)
    return pod().ended(code, result.canonical())


def crashing(reason: str, code: int, message: str) -> Built:
    last = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}}
    return gpu_pod().container("Running", state=waiting, lastState=last, restartCount=3)


NOT_FOUND = (
    'failed to pull and unpack image "registry.example/team/train:1": failed to resolve reference '
    '"registry.example/team/train:1": registry.example/team/train:1: not found'
)
NO_GPU = (
    "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
    "2 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
)
TAINTED = (
    "0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}. preemption: 0/1 nodes are available: "
    "1 Preemption is not helpful for scheduling."
)

CASES: list[tuple[str, Built, Reason, str, bool, str]] = [
    # name, pod, reason, blame, ended, part of the message
    ("wrong tag", pod("p", IMAGE).waiting("ErrImagePull", NOT_FOUND), Reason.IMAGE_PULL, "user", False, IMAGE),
    (
        "back-off",
        pod("p", IMAGE).waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'),
        Reason.IMAGE_PULL,
        "user",
        False,
        "check its name",
    ),
    (
        "invalid name",
        pod("p", "Bad Image").waiting("InvalidImageName", "couldn't parse image name"),
        Reason.IMAGE_PULL,
        "user",
        False,
        "Bad Image is no name",
    ),
    (
        "private image",
        pod("p", IMAGE).waiting("ErrImagePull", "pull access denied, repository does not exist or may require auth"),
        Reason.IMAGE_PULL,
        "user",
        False,
        "imagePullSecrets",
    ),
    (
        "registry down",
        pod("p", IMAGE).waiting("ErrImagePull", "dial tcp 10.0.0.9:443: connect: connection refused"),
        Reason.IMAGE_PULL,
        "world",
        False,
        "does not answer",
    ),
    (
        "not loaded",
        pod("p", IMAGE).waiting("ErrImageNeverPull", "Container image is not present with pull policy of Never"),
        Reason.IMAGE_PULL,
        "user",
        False,
        "load it",
    ),
    (
        "no store secret",
        pod().waiting("CreateContainerConfigError", 'secret "modelyard-store" not found'),
        Reason.CONFIG_ERROR,
        "user",
        False,
        "workloadNamespaces",
    ),
    (
        "no key in the secret",
        pod().waiting("CreateContainerConfigError", "couldn't find key AWS_ACCESS_KEY_ID in Secret ns/modelyard-store"),
        Reason.CONFIG_ERROR,
        "user",
        False,
        "Secret modelyard-store has no key AWS_ACCESS_KEY_ID",
    ),
    (
        "image runs as root",
        pod().waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
        Reason.CONFIG_ERROR,
        "user",
        False,
        "numeric USER",
    ),
    ("no gpu", unschedulable(NO_GPU), Reason.UNSCHEDULABLE, "world", False, "no node has nvidia.com/gpu: 1 free"),
    (
        "no memory, two things",
        unschedulable("0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."),
        Reason.UNSCHEDULABLE,
        "world",
        False,
        "no node has cpu: 1, memory free",
    ),
    ("tainted", unschedulable(TAINTED), Reason.UNSCHEDULABLE, "world", False, "untolerated taint {dedicated: gpu}”;"),
    (
        "gated",
        pod().condition("PodScheduled", "False", "SchedulingGated", "Scheduling is blocked due to non-empty gates"),
        Reason.PENDING,
        "world",
        False,
        "gate",
    ),
    ("out of memory", gpu_pod().ended(137, "", "OOMKilled"), Reason.OOM_KILLED, "user", True, "its limit of 1Gi"),
    ("killed", pod().ended(137), Reason.OOM_KILLED, "user", True, "signal 9"),
    (
        "script exits 3",
        told("user", "UserError", "train.py ended: no such column", exit_code=3),
        Reason.USER_ERROR,
        "user",
        True,
        "exit code 3: train.py",
    ),
    (
        "store down",
        told("world", "StoreUnavailable", "the store does not answer"),
        Reason.STORE_UNAVAILABLE,
        "world",
        True,
        "store",
    ),
    ("reason of a newer image", told("world", "Cosmic", "rays"), Reason.INTERNAL_ERROR, "world", True, "rays"),
    (
        "dies before it can tell",
        pod().ended(1, "Traceback (most recent call last):\nModuleNotFoundError: No module named 'x'\n"),
        Reason.USER_ERROR,
        "user",
        True,
        "exit code 1: “ModuleNotFoundError",
    ),
    ("dies in silence", pod().ended(2), Reason.USER_ERROR, "user", True, "kubectl logs"),
    (
        "no such program",
        pod().ended(128, 'exec: "python": executable file not found in $PATH', "StartError"),
        Reason.CONFIG_ERROR,
        "user",
        True,
        "executable file not found",
    ),
    (
        "node out of memory",
        stopped("Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi."),
        Reason.EVICTED,
        "world",
        True,
        "low on resource: memory",
    ),
    (
        "too much written to /tmp",
        stopped("Evicted", 'Usage of EmptyDir volume "tmp" exceeds the limit "4Gi". '),
        Reason.EVICTED,
        "user",
        True,
        "resources.limits.ephemeral-storage",
    ),
    (
        "too much written at all",
        stopped("Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. "),
        Reason.EVICTED,
        "user",
        True,
        "ephemeral-storage",
    ),
    ("preempted", disrupted("PreemptionByScheduler"), Reason.PREEMPTED, "world", True, "higher priority"),
    ("preemption under way", disrupted("PreemptionByScheduler", "Running"), Reason.PREEMPTED, "world", False, "higher"),
    ("drained", disrupted("EvictionByEvictionAPI"), Reason.EVICTED, "world", True, "drain"),
    ("node silent", disrupted("DeletionByTaintManager", "Running"), Reason.NODE_LOST, "world", True, "node"),
    ("node deleted", disrupted("DeletionByPodGC"), Reason.NODE_LOST, "world", True, "gone"),
    ("node shuts down", disrupted("TerminationByKubelet"), Reason.EVICTED, "world", True, "shut down"),
    (
        "too long",
        stopped("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"),
        Reason.DEADLINE_EXCEEDED,
        "user",
        True,
        "spec.deadline",
    ),
    (
        "node refuses",
        stopped("OutOfnvidia.com/gpu", "Node didn't have enough resource"),
        Reason.UNSCHEDULABLE,
        "world",
        True,
        "nvidia.com/gpu",
    ),
    (
        "device broken",
        stopped("UnexpectedAdmissionError", "Allocate failed due to no healthy devices present"),
        Reason.UNSCHEDULABLE,
        "world",
        True,
        "no healthy devices",
    ),
    (
        "server crashes",
        crashing("Error", 1, "ValueError: bad model"),
        Reason.CRASH_LOOP,
        "world",
        False,
        "it ended with exit code 1 (3 restarts): “ValueError",
    ),
    (
        "server ended, kubelet is about to restart it",
        pod().spec(restartPolicy="Always").ended(1, "KeyError: 'x'").status(phase="Running"),
        Reason.CRASH_LOOP,
        "world",
        False,
        "it ended with exit code 1: “KeyError",
    ),
    (
        "server ended as if its work were done",
        pod().spec(restartPolicy="Always").ended(0).status(phase="Running"),
        Reason.CRASH_LOOP,
        "world",
        False,
        "it ended with exit code 0, and a server goes on; kubectl logs -p",
    ),
    (
        "server ended as if its work were done, again and again",
        crashing("Completed", 0, ""),
        Reason.CRASH_LOOP,
        "world",
        False,
        "it ended with exit code 0 (3 restarts), and a server goes on; kubectl logs -p",
    ),
    ("server out of memory", crashing("OOMKilled", 137, ""), Reason.OOM_KILLED, "user", False, "1Gi"),
    (
        "server told why",
        crashing("Error", 1, FailureResult(blame="user", reason="UnsafeModel", message="type x").canonical()),
        Reason.UNSAFE_MODEL,
        "user",
        False,
        "type x",
    ),
    (
        "server told what the user can mend",
        crashing("Error", 1, FailureResult(blame="user", reason="UserError", message="model.ubj is empty").canonical()),
        Reason.USER_ERROR,
        "user",
        False,
        "model.ubj is empty",
    ),
]
