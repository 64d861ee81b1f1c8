"""A resource on a real API server with its controllers and scheduler; the test plays runtime and kubelet."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from modelyard.api.conditions import timestamp
from modelyard.contract.document import Document
from modelyard.plan.plan import Plan
from modelyard.plan.settings import Settings
from modelyard.runtime.status import merge_patch
from tests.unit.plan.builders import Built, observed
from tests.unit.plan.simulation import Planner

SPACE = "attempts"
NODE = "played"
CHILDREN = "job,pod,configmap,deployment,service,poddisruptionbudget,cronjob"
Kubectl = Callable[..., Any]


def report(kubectl: Kubectl, **resources: str) -> None:
    now = timestamp(datetime.now(UTC))
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
    status = {"capacity": resources, "allocatable": resources, "conditions": [{**ready, "lastTransitionTime": now}]}
    kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", "--patch", json.dumps({"status": status}))


class Played:
    """A resource of the API server and its planner; `reconcile` does what the runtime does."""

    def __init__(self, kubectl: Kubectl, planner: Planner, resource: Built, *related: Built) -> None:
        self.kubectl, self.planner, self.related = kubectl, planner, related
        self.kind, self.name = resource["kind"].lower(), resource["metadata"]["name"]
        self.selector = f"modelyard.dev/kind={resource['kind']},modelyard.dev/name={self.name}"
        metadata = {"name": self.name, "namespace": SPACE}
        kubectl("create", "--validate=strict", "-f", "-", given={**resource, "metadata": metadata})

    @property
    def resource(self) -> dict[str, Any]:
        found: dict[str, Any] = self.kubectl("get", self.kind, self.name, "-o", "json")
        return found

    def children(self) -> list[dict[str, Any]]:
        found = self.kubectl("get", CHILDREN, "-l", self.selector, "-o", "json")
        items: list[dict[str, Any]] = found["items"]
        return items

    def reconcile(self) -> Plan:
        resource, seen = self.resource, observed(*self.children(), related=self.related)
        plan = self.planner(resource, seen, datetime.now(UTC), Settings())
        if plan.apply:
            children = {"apiVersion": "v1", "kind": "List", "items": list(plan.apply)}
            self.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", given=children)
        for unwanted in plan.delete:
            self.kubectl("delete", unwanted["kind"], unwanted["metadata"]["name"], "--wait=false")
        change = merge_patch(resource.get("status", {}), plan.status)
        if change:
            patch = ("--subresource=status", "--type=merge", "--patch", json.dumps({"status": change}))
            kept = self.kubectl("patch", self.kind, self.name, *patch, "-o", "json")["status"]
            assert kept == plan.status  # the schema drops nothing and adds nothing
        return plan

    def until(self, what: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Reconcile until the status is as wanted."""
        for _ in range(60):
            self.reconcile()
            status: dict[str, Any] = self.resource["status"]
            if what(status):
                return status
            time.sleep(0.5)
        raise AssertionError(f"never came: {self.resource['status']}")

    def pod(self) -> dict[str, Any]:
        """The pod the Job controller made."""
        for _ in range(60):
            self.reconcile()
            for child in self.children():
                waits = child["kind"] == "Pod" and child["status"]["phase"] == "Pending"
                if waits and "deletionTimestamp" not in child["metadata"]:
                    return child
            time.sleep(0.5)
        raise AssertionError(f"no pod: {self.children()}")

    def finish(self, said: Document, exit_code: int = 0) -> None:
        """As the kubelet writes it."""
        pod = self.pod()
        now = timestamp(datetime.now(UTC))
        ended = {"exitCode": exit_code, "message": said.canonical(), "startedAt": now, "finishedAt": now}
        container = {"name": "main", "image": "i", "imageID": "i", "ready": False, "restartCount": 0}
        status = {
            "phase": "Failed" if exit_code else "Succeeded",
            "containerStatuses": [{**container, "state": {"terminated": ended}}],
        }
        patch = ("--subresource=status", "--type=merge", "--patch", json.dumps({"status": status}))
        self.kubectl("patch", "pod", pod["metadata"]["name"], *patch)


def reason(status: dict[str, Any], type_: str = "Ready") -> str:
    return str(next(c["reason"] for c in status["conditions"] if c["type"] == type_))
