"""One classifier of what is wrong with a pod, for all four kinds: reason, plain words with the fix, whose it is.

What ended a pod is looked for from outside in: the cluster's word, then the pod's own, then the exit code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from modelyard.contract.reasons import Reason
from modelyard.contract.redaction import redacted
from modelyard.contract.results import FailureResult, parse_result
from modelyard.contract.wording import plain, quoted
from modelyard.plan.observe import Told
from modelyard.plan.plan import Object
from modelyard.plan.pods import CONTAINER, SIDECAR

_DISRUPTION = {
    "PreemptionByScheduler": (Reason.PREEMPTED, "a pod of higher priority took the pod's place"),
    "DeletionByTaintManager": (Reason.NODE_LOST, "the pod's node stopped answering or was tainted"),
    "DeletionByPodGC": (Reason.NODE_LOST, "the pod's node is gone"),
    "EvictionByEvictionAPI": (Reason.EVICTED, "the pod was evicted, e.g. by a drain of its node"),
    "TerminationByKubelet": (Reason.EVICTED, "the pod's node shut down or ran out of a resource"),
}
_POD_REASONS = {
    "Evicted": (Reason.EVICTED, "the pod's node ran out of a resource"),
    "Preempting": (Reason.PREEMPTED, "a critical pod took the pod's place"),
    "NodeLost": (Reason.NODE_LOST, "the pod's node stopped answering"),
    "NodeShutdown": (Reason.NODE_LOST, "the pod's node shut down"),
    "Shutdown": (Reason.NODE_LOST, "the pod's node shut down"),
    "Terminated": (Reason.NODE_LOST, "the pod's node shut down"),
    "NodeAffinity": (Reason.UNSCHEDULABLE, "the pod's node refused it"),
    "UnexpectedAdmissionError": (Reason.UNSCHEDULABLE, "the pod's node refused it"),
}
OVER = ("Failed", "Succeeded")  # phases of a pod
KILLED = (137, 143)  # how a server ends that kubelet stops for a probe; many end with 0 at SIGTERM


@dataclass(frozen=True)
class Failure:
    """`ended`: the pod is over. Otherwise it keeps trying and goes on by itself once the cause is mended."""

    reason: Reason
    message: str
    blame: Literal["user", "world"]
    ended: bool
    exit_code: int | None = None


def is_over(pod: Object) -> bool:
    """Nothing runs in it any more, nor will."""
    return pod.get("status", {}).get("phase") in OVER


def world(reason: Reason, text: str, *, ended: bool = True) -> Failure:
    return Failure(reason, plain(text), "world", ended)


def user(reason: Reason, text: str, *, ended: bool = True, exit_code: int | None = None) -> Failure:
    return Failure(reason, plain(text), "user", ended, exit_code)


def ended(pod: Object, told: Sequence[Told] = ()) -> Failure | None:
    """What ended or is ending a pod, None for one that goes on or succeeded. `told` are events, newest first."""
    status: Mapping[str, Any] = pod.get("status", {})
    if status.get("phase") == "Succeeded":
        return None
    return _scratch(status) or _disrupted(pod, told) or _stopped(pod) or _died(pod, told) or _unanswering(pod)


def of_job(job: Object) -> Failure | None:
    """What a failed Job says itself, where its pod is not there to say it."""
    for condition in job.get("status", {}).get("conditions", []):
        if condition["type"] in ("Failed", "FailureTarget") and condition["status"] == "True":
            if condition.get("reason") == "DeadlineExceeded":
                return _too_long()
            text = "the pod was removed before it gave a result: by a drain, a preemption or kubectl delete"
            return world(Reason.EVICTED, text)
    return None


def _scratch(status: Mapping[str, Any]) -> Failure | None:
    """Kubelet evicts a pod that writes more than it may; trying again would not help."""
    said = str(status.get("message", ""))
    if status.get("reason") == "Evicted" and ("EmptyDir" in said or ("ephemeral" in said and "exceed" in said)):
        text = f"too much was written to disk: {quoted(said)}; raise resources.limits.ephemeral-storage"
        return user(Reason.EVICTED, text)
    return None


def _disrupted(pod: Object, told: Sequence[Told]) -> Failure | None:
    condition = condition_of(pod, "DisruptionTarget", "True")
    if condition is None:
        return None
    reason, text = _DISRUPTION.get(condition.get("reason", ""), (Reason.EVICTED, "the pod was moved away"))
    by = next((t.message for t in told if t.reason == "Preempted" and reason == Reason.PREEMPTED), None)
    # A node that does not answer never says that the pod has ended.
    over = reason == Reason.NODE_LOST or is_over(pod)
    return world(reason, _on_node(pod, text) + (f": {quoted(by)}" if by else ""), ended=over)


def _unanswering(pod: Object) -> Failure | None:
    """Only the node lifecycle controller takes Ready from a pod whose containers are ready: kubelet is silent."""
    if pod["status"].get("phase") != "Running" or pod["spec"].get("readinessGates"):
        return None
    if not condition_of(pod, "Ready", "False") or not condition_of(pod, "ContainersReady", "True"):
        return None
    text = "the pod's node does not answer: the pod goes on with it, or is replaced in a few minutes"
    return world(Reason.NODE_LOST, _on_node(pod, text), ended=False)


def condition_of(pod: Object, type_: str, status: str) -> Mapping[str, Any] | None:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == type_ and c["status"] == status), None)


def node_of(pod: Object) -> str:
    name = pod.get("spec", {}).get("nodeName")
    return f"node {name}" if name else "the pod's node"


def _on_node(pod: Object, text: str) -> str:
    return text.replace("the pod's node", node_of(pod))


def _stopped(pod: Object) -> Failure | None:
    """The pod's own reason: kubelet or a controller stopped it."""
    status: Mapping[str, Any] = pod.get("status", {})
    reason = str(status.get("reason", ""))
    if reason == "DeadlineExceeded":
        return _too_long()
    if reason.startswith("OutOf"):
        return world(Reason.UNSCHEDULABLE, f"{node_of(pod)} refused the pod: it has too little {reason[5:]} left")
    if reason in _POD_REASONS:
        known, text = _POD_REASONS[reason]
        text = _on_node(pod, text)
        return world(known, f"{text}: {quoted(status['message'])}" if status.get("message") else text)
    return None


def _too_long() -> Failure:
    return user(Reason.DEADLINE_EXCEEDED, "it took longer than spec.deadline: raise it, or give more cpu")


def _died(pod: Object, told: Sequence[Told]) -> Failure | None:
    for container in container_statuses(pod):
        state, last = container.get("state", {}), container.get("lastState", {})
        if state.get("waiting", {}).get("reason") == "CrashLoopBackOff":
            return _crash_loop(container, last, pod, told)
        if _wrongly_ended(container, state, pod):
            restarts = pod["spec"].get("restartPolicy") == "Always"
            return (
                _crash_loop(container, state, pod, told) if restarts else _died_of(container, state["terminated"], pod)
            )
        # Started anew and not ready yet: nothing shows that this time will be another one.
        if "running" in state and not container.get("ready") and _wrongly_ended(container, last, pod):
            return _crash_loop(container, last, pod, told)
    return None


def _wrongly_ended(container: Mapping[str, Any], state: Mapping[str, Any], pod: Object) -> bool:
    """What is always started anew should not end with 0 either: of a sidecar kubelet says no CrashLoopBackOff then."""
    if "terminated" not in state:
        return False
    spec = pod["spec"]
    init = next((c for c in spec.get("initContainers", ()) if c["name"] == container.get("name")), None)
    stays = (spec if init is None else init).get("restartPolicy") == "Always"
    return stays or bool(state["terminated"].get("exitCode"))


def container_statuses(pod: Object) -> list[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _died_of(container: Mapping[str, Any], terminated: Mapping[str, Any], pod: Object) -> Failure:
    code, reason, said = terminated["exitCode"], terminated.get("reason", ""), terminated.get("message") or ""
    result = parse_result(said)
    if reason == "OOMKilled":
        return user(Reason.OOM_KILLED, _out_of_memory(container, pod), exit_code=code)
    if isinstance(result, FailureResult):
        return _told(result)
    if code == 137:
        text = f"killed by signal 9; most likely {_out_of_memory(container, pod)}"
        return user(Reason.OOM_KILLED, text, exit_code=code)
    if reason in ("StartError", "ContainerCannotRun"):
        return user(Reason.CONFIG_ERROR, f"the container cannot start: {quoted(said or reason)}", exit_code=code)
    text = (
        f"the container ended with exit code {code}: {_last_line(said)}; kubectl logs {_logs(container, pod)} has more"
    )
    return user(Reason.USER_ERROR, text, exit_code=code)


def _told(result: FailureResult) -> Failure:
    """The pod's own word."""
    known = Reason(result.reason) if result.reason in set(Reason) else Reason.INTERNAL_ERROR
    code = result.exit_code
    unsaid = code is not None and str(code) not in result.message
    message = f"exit code {code}: {result.message}" if unsaid else result.message
    return Failure(known, plain(message), result.blame, True, code)


def _crash_loop(container: Mapping[str, Any], state: Mapping[str, Any], pod: Object, told: Sequence[Told]) -> Failure:
    """A server that ended and is started anew by kubelet, with growing pauses. `state` says how it ended."""
    last = state.get("terminated", {})
    cause = _died_of(container, {"exitCode": 0, **last}, pod)
    more = f"kubectl logs -p {_logs(container, pod)} has more"
    times = _restarts(container.get("restartCount", 0))
    unhealthy = _unhealthy(told, last.get("exitCode"))
    if unhealthy and last.get("reason") != "OOMKilled":
        text = f"it did not answer kubelet{times}: {quoted(unhealthy)}; {more}"
        return world(Reason.CRASH_LOOP, text, ended=False)
    said = last.get("message") or ""
    if cause.reason == Reason.USER_ERROR and not isinstance(parse_result(said), FailureResult):
        why = f": {_last_line(said)}" if cause.exit_code else ", and a server goes on"
        text = f"it ended with exit code {cause.exit_code}{times}{why}; {more}"
        return world(Reason.CRASH_LOOP, text, ended=False)
    return Failure(cause.reason, cause.message, cause.blame, False, cause.exit_code)


def _unhealthy(told: Sequence[Told], code: int | None) -> str:
    """The probe for which kubelet stopped a server, where it did. One that ends with 0 may have ended by itself."""
    killed = any(t.reason == "Killing" and "probe" in t.message for t in told)
    if code not in KILLED and not (code == 0 and killed):
        return ""
    return next((t.message for t in told if t.reason == "Unhealthy" and not t.message.startswith("Readiness")), "")


def _restarts(count: int) -> str:
    """Few words: what the container said needs the room."""
    return f" ({count} restart{'s' if count > 1 else ''})" if count else ""


def _last_line(said: str) -> str:
    """Secrets are looked for in the whole: they may be longer than a line."""
    lines = redacted(said).strip().splitlines()
    return quoted(lines[-1]) if lines else "it said nothing"


def _logs(container: Mapping[str, Any], pod: Object) -> str:
    """What kubectl logs takes; a pod's main container needs no name."""
    name = container.get("name", CONTAINER)
    return str(pod["metadata"]["name"]) + ("" if name == CONTAINER else f" -c {name}")


def _out_of_memory(container: Mapping[str, Any], pod: Object) -> str:
    own = container.get("name") == SIDECAR
    specs = [c for f in ("containers", "initContainers") for c in pod["spec"].get(f, ())]
    found = next((c for c in specs if c.get("name") == container.get("name")), specs[0])
    limits = found.get("resources", {}).get("limits", {})
    may = f"its limit of {limits['memory']}" if "memory" in limits else "its node has"
    field = "spec.container.resources" if own else "spec.resources"
    return f"it needed more memory than {may}: raise {field}.limits.memory"
