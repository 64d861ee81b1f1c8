"""A pod's status at each station of its life, in kubelet's form, as strategic merge patches. Pure."""

from datetime import UTC, datetime
from typing import Any

from tests.cluster.mock_kubelet.life import Ending, Hindrance

Pod = dict[str, Any]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waiting(pod: Pod, hindrance: Hindrance) -> dict[str, Any]:
    state = {"waiting": {"reason": hindrance.reason, "message": hindrance.message}}
    return {"phase": "Pending", "conditions": _conditions(False), "containerStatuses": [_container(pod, state)]}


def running(pod: Pod, address: str, started: str, *, ready: bool) -> dict[str, Any]:
    container = {**_container(pod, {"running": {"startedAt": started}}), "ready": ready, "started": True}
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "startTime": started,
        "conditions": _conditions(ready),
        "containerStatuses": [container],
    }


def ended(pod: Pod, started: str, ending: Ending) -> dict[str, Any]:
    """For good."""
    conditions = _conditions(False)
    if ending.disruption:
        lost = {"type": "DisruptionTarget", "status": "True", "reason": ending.disruption}
        conditions.append({**lost, "message": "by the script of a test", "lastTransitionTime": now()})
    said = {"reason": ending.pod_reason, "message": ending.pod_message} if ending.pod_reason else {}
    return {
        "phase": "Failed" if ending.exit_code else "Succeeded",
        "startTime": started,
        "conditions": conditions,
        "containerStatuses": [_container(pod, {"terminated": _terminated(started, ending)})],
        **said,
    }


def crash_looping(pod: Pod, started: str, ending: Ending) -> dict[str, Any]:
    """A server that ended again and again and is not started at once any more."""
    message = "back-off 40s restarting failed container"
    container = _container(pod, {"waiting": {"reason": "CrashLoopBackOff", "message": message}})
    again = {**container, "restartCount": 3, "lastState": {"terminated": _terminated(started, ending)}}
    return {"phase": "Running", "startTime": started, "conditions": _conditions(False), "containerStatuses": [again]}


def _terminated(started: str, ending: Ending) -> dict[str, Any]:
    reason = ending.reason or ("Error" if ending.exit_code else "Completed")
    times = {"startedAt": started, "finishedAt": now()}
    return {"exitCode": ending.exit_code, "reason": reason, "message": ending.message, **times}


def _container(pod: Pod, state: dict[str, Any]) -> dict[str, Any]:
    """A list by the container's name; all parts of a state but the present one are taken out."""
    [container] = pod["spec"]["containers"]
    others = dict.fromkeys({"waiting", "running", "terminated"} - set(state))
    image = container["image"]
    return {
        "name": container["name"],
        "image": image,
        "imageID": image,
        "ready": False,
        "restartCount": 0,
        "state": {**others, **state},
    }


def _conditions(ready: bool) -> list[dict[str, Any]]:
    status = {True: "True", False: "False"}[ready]
    return [{"type": type_, "status": status, "lastTransitionTime": now()} for type_ in ("Ready", "ContainersReady")]
