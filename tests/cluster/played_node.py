"""A node and its kubelet, played on a control plane that has none: pods get Running, Ready or finished, and go.

What cannot be had without root stands here in its place; nothing runs.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from tests.cluster.api import Api

CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "500", "ephemeral-storage": "999Gi"}
_TURN = 0.5  # seconds
_HEARTBEAT = 10.0  # seconds; the node controller waits 50
_MERGE = "application/strategic-merge-patch+json"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class PlayedNode:
    """`says` gives the termination message of a pod that is to succeed at once, None for one that runs on, Ready."""

    def __init__(self, api: Api, says: Callable[[dict[str, Any]], str | None], name: str = "played") -> None:
        self._api, self._says, self.name = api, says, name
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"node {name}")

    def __enter__(self) -> "PlayedNode":
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name}}
        self._api.call("POST", "/api/v1/nodes", node)
        self._heartbeat()
        self._api.call("PATCH", f"/api/v1/nodes/{self.name}", {"spec": {"taints": None}}, _MERGE)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        turns = 0
        while not self._over.wait(_TURN):
            turns += 1
            if turns % int(_HEARTBEAT / _TURN) == 0:
                self._heartbeat()
            for pod in self._api.call("GET", f"/api/v1/pods?fieldSelector=spec.nodeName={self.name}")[1]["items"]:
                self._look_after(pod)

    def _heartbeat(self) -> None:
        at = {"lastHeartbeatTime": _now(), "lastTransitionTime": _now()}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", **at}
        status = {"capacity": CAPACITY, "allocatable": CAPACITY, "conditions": [ready]}
        self._api.call("PATCH", f"/api/v1/nodes/{self.name}/status", {"status": status}, _MERGE)

    def _look_after(self, pod: dict[str, Any]) -> None:
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        if "deletionTimestamp" in pod["metadata"]:
            if pod["status"].get("phase") == "Running":  # the Job controller lets only ended pods go
                self._api.call("PATCH", f"{path}/status", {"status": _ended(pod, "Failed", 143, "Error")}, _MERGE)
            self._api.call("DELETE", path, {"gracePeriodSeconds": 0})
        elif pod["status"].get("phase") == "Pending":
            said = self._says(pod)
            status = _running(pod) if said is None else _ended(pod, "Succeeded", 0, "Completed", said)
            self._api.call("PATCH", f"{path}/status", {"status": status}, _MERGE)


def _container(pod: dict[str, Any], **state: Any) -> dict[str, Any]:
    image = pod["spec"]["containers"][0]["image"]
    return {"name": pod["spec"]["containers"][0]["name"], "image": image, "imageID": image, "restartCount": 0, **state}


def _running(pod: dict[str, Any]) -> dict[str, Any]:
    ready = [{"type": t, "status": "True", "lastTransitionTime": _now()} for t in ("ContainersReady", "Ready")]
    container = _container(pod, ready=True, started=True, state={"running": {"startedAt": _now()}})
    return {"phase": "Running", "startTime": _now(), "conditions": ready, "containerStatuses": [container]}


def _ended(pod: dict[str, Any], phase: str, exit_code: int, reason: str, said: str = "") -> dict[str, Any]:
    ended = {"exitCode": exit_code, "reason": reason, "message": said, "startedAt": _now(), "finishedAt": _now()}
    container = _container(pod, ready=False, started=False, state={"terminated": ended})
    return {"phase": phase, "startTime": pod["status"].get("startTime") or _now(), "containerStatuses": [container]}
