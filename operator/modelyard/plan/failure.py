"""One classifier of what is wrong with a pod, for all four kinds: reason, plain words with the fix, whose it is.

What ended a pod is looked for from outside in: the cluster's word, then the pod's own, then the exit code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailureResult, parse_result
from modelyard.plan.plan import Object

LIMIT = 256  # characters of what the cluster says; a pod's own words are bounded by the contract

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


@dataclass(frozen=True)
class Failure:
    """`ended`: the pod is over. Otherwise it keeps trying and goes on by itself once the cause is mended."""

    reason: Reason
    message: str
    blame: Literal["user", "world"]
    ended: bool
    exit_code: int | None = None


def words(text: str) -> str:
    """In one line, of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= LIMIT else line[: LIMIT - 1] + "…"


def world(reason: Reason, text: str, *, ended: bool = True) -> Failure:
    return Failure(reason, words(text), "world", ended)


def user(reason: Reason, text: str, *, ended: bool = True, exit_code: int | None = None) -> Failure:
    return Failure(reason, words(text), "user", ended, exit_code)


def ended(pod: Object) -> Failure | None:
    """What ended or is ending a pod, None for one that goes on or succeeded."""
    status: Mapping[str, Any] = pod.get("status", {})
    if status.get("phase") == "Succeeded":
        return None
    return _scratch(status) or _disrupted(status) or _stopped(status) or _died(pod)


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
        return user(Reason.EVICTED, f"too much was written to disk: raise resources.limits.ephemeral-storage. {said}")
    return None


def _disrupted(status: Mapping[str, Any]) -> Failure | None:
    for condition in status.get("conditions", []):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            reason, text = _DISRUPTION.get(condition.get("reason", ""), (Reason.EVICTED, "the pod was moved away"))
            # A node that does not answer never says that the pod has ended.
            return world(reason, text, ended=reason == Reason.NODE_LOST or status.get("phase") in OVER)
    return None


def _stopped(status: Mapping[str, Any]) -> Failure | None:
    """The pod's own reason: kubelet or a controller stopped it."""
    reason = str(status.get("reason", ""))
    if reason == "DeadlineExceeded":
        return _too_long()
    if reason.startswith("OutOf"):
        return world(Reason.UNSCHEDULABLE, f"the pod's node refused it: it has too little {reason[5:]} left")
    if reason in _POD_REASONS:
        known, text = _POD_REASONS[reason]
        return world(known, f"{text}: {status['message']}" if status.get("message") else text)
    return None


def _too_long() -> Failure:
    return user(Reason.DEADLINE_EXCEEDED, "it took longer than spec.deadline: raise it, or give more cpu")


def _died(pod: Object) -> Failure | None:
    for container in container_statuses(pod):
        state = container.get("state", {})
        if state.get("waiting", {}).get("reason") == "CrashLoopBackOff":
            return _crash_loop(container, container.get("lastState", {}), pod)
        if state.get("terminated", {}).get("exitCode"):
            restarts = pod["spec"].get("restartPolicy") == "Always"
            return _crash_loop(container, state, pod) if restarts else _died_of(state["terminated"], pod)
    return None


def container_statuses(pod: Object) -> list[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _died_of(terminated: Mapping[str, Any], pod: Object) -> Failure:
    code, reason, said = terminated["exitCode"], terminated.get("reason", ""), terminated.get("message") or ""
    result = parse_result(said)
    if reason == "OOMKilled":
        return user(Reason.OOM_KILLED, _out_of_memory(pod), exit_code=code)
    if isinstance(result, FailureResult):
        return _told(result)
    if code == 137:
        return user(Reason.OOM_KILLED, f"killed by signal 9; most likely {_out_of_memory(pod)}", exit_code=code)
    if reason in ("StartError", "ContainerCannotRun"):
        return user(Reason.CONFIG_ERROR, f"the container cannot start: {said or reason}", exit_code=code)
    return user(Reason.USER_ERROR, f"the container ended with exit code {code}: {_last_line(said)}", exit_code=code)


def _told(result: FailureResult) -> Failure:
    """The pod's own word."""
    known = Reason(result.reason) if result.reason in set(Reason) else Reason.INTERNAL_ERROR
    code = result.exit_code
    unsaid = code is not None and str(code) not in result.message
    message = f"exit code {code}: {result.message}" if unsaid else result.message
    return Failure(known, message, result.blame, True, code)


def _crash_loop(container: Mapping[str, Any], state: Mapping[str, Any], pod: Object) -> Failure:
    """A server that ended and is started anew by kubelet, with growing pauses. `state` says how it ended."""
    last = state.get("terminated", {})
    cause = _died_of({"exitCode": 0, **last}, pod)
    if cause.reason == Reason.USER_ERROR:
        times = container.get("restartCount", 0)
        said = _last_line(last.get("message"))
        text = f"it ended with exit code {cause.exit_code} and was restarted {times} times: {said}"
        return world(Reason.CRASH_LOOP, text, ended=False)
    return Failure(cause.reason, cause.message, cause.blame, False, cause.exit_code)


def _last_line(said: str | None) -> str:
    lines = (said or "").strip().splitlines()
    return lines[-1] if lines else "it said nothing; see kubectl logs"


def _out_of_memory(pod: Object) -> str:
    limits = pod["spec"]["containers"][0].get("resources", {}).get("limits", {})
    may = f"its limit of {limits['memory']}" if "memory" in limits else "its node has"
    return f"it needed more memory than {may}: raise spec.resources.limits.memory"
