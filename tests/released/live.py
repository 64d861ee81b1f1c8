"""A control plane with a release on it, a played node, and its operator as a process."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from modelyard.plan.labels import SELECTOR
from modelyard.runtime.resources import CHILDREN as WATCHED_CHILDREN
from modelyard.runtime.resources import OWN, Resource
from tests.cluster import build, kubectl
from tests.cluster.controlplane import ControlPlane
from tests.cluster.played_node import PlayedNode
from tests.integration.runtime.replicas import PROGRAM, Replica, leading
from tests.product.product import run
from tests.released import NAMESPACE, restore
from tests.released.pods import says

RELEASE = "modelyard"
SYSTEM = "modelyard-system"
IMAGES = "images.tag=live"  # the same for every release: another image is another pod, and rightly so
KINDS = tuple(resource.plural for resource in OWN)
_CHILDREN = {r.plural: r for r in (*WATCHED_CHILDREN, Resource("ReplicaSet", "apps", "v1", "replicasets"))}
CHILDREN = tuple(_CHILDREN)
OURS = quote(SELECTOR)

Object = dict[str, Any]


@dataclass(frozen=True)
class Live:
    plane: ControlPlane
    helm_program: Path
    folder: Path

    def helm(self, *arguments: str | Path) -> str:
        return run(
            self.helm_program, "--kubeconfig", self.plane.kubeconfig, "--namespace", SYSTEM, *arguments, timeout=300
        )

    def install(self, chart: Path, *arguments: str) -> None:
        """`helm upgrade --install`; returns when the kinds are served."""
        values = ("--set", IMAGES, "--set", f"workloadNamespaces={{{NAMESPACE}}}")
        self.helm("upgrade", "--install", RELEASE, chart, *values, *arguments)
        kubectl.kinds_served(self.plane.kubectl, self.plane.kubeconfig)

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        return kubectl.run(self.plane.kubectl, self.plane.kubeconfig, *arguments, given=given)

    def items(self, *plurals: str) -> list[Object]:
        """Our children in the workload namespace."""
        return [o for plural in plurals for o in self._list(_CHILDREN[plural], f"?labelSelector={OURS}")]

    def resources(self) -> list[Object]:
        return [o for resource in OWN for o in self._list(resource, "")]

    def _list(self, resource: Resource, query: str) -> list[Object]:
        """Nothing, where the kind is not served any more."""
        code, found = self.plane.api.call("GET", resource.path(NAMESPACE) + query)
        while code == 429:  # a definition was just changed, or the machine is busy
            time.sleep(0.5)
            code, found = self.plane.api.call("GET", resource.path(NAMESPACE) + query)
        assert code in (200, 404), found
        items = found["items"] if code == 200 else []
        return [{**item, "apiVersion": resource.api_version, "kind": resource.kind} for item in items]

    def operator(self, name: str = "operator") -> Replica:
        """Of the working tree, with the configuration of the release that is installed."""
        found = self.kubectl("get", "configmap", f"{RELEASE}-operator", "-n", SYSTEM, "-o", "json")
        settings = yaml.safe_load(json.loads(found)["data"]["operator.yaml"])
        del settings["healthPort"]
        return Replica(name, SYSTEM, self.folder, PROGRAM, {"KUBECONFIG": str(self.plane.kubeconfig)}, **settings)

    @contextmanager
    def operating(self, name: str = "operator") -> Iterator[Replica]:
        """While the context lasts, from when it leads."""
        with leading(self.operator(name)) as replica:
            yield replica


def at_rest(replica: Replica, seconds: float = 3.0) -> None:
    """Returns when it has written nothing for so long."""
    before = -1.0
    while replica.writes() != before:
        before = replica.writes()
        time.sleep(seconds)


def identity(obj: Object) -> str:
    return f"{obj['kind']}/{obj['metadata']['name']}"


def condition(resource: Object, type_: str) -> str:
    """`<status> <reason>`."""
    found = (c for c in resource.get("status", {}).get("conditions", []) if c["type"] == type_)
    return next((f"{c['status']} {c['reason']}" for c in found), "absent")


@contextmanager
def live(folder: Path, chart: Path, version: str | None = None, helm: str = "helm") -> Iterator[Live]:
    """With the chart installed, and the objects of a release restored where one is named. No operator runs."""
    with ControlPlane() as plane:
        made = Live(plane, build.program(helm), folder)
        made.kubectl("create", "namespace", SYSTEM)
        made.kubectl("create", "namespace", NAMESPACE)
        made.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        made.install(chart)
        with PlayedNode(plane.api, says):
            if version:
                restore.put(plane, version)
            plane.start_controllers()  # only now: they would take half-restored objects for something to mend
            plane.start_scheduler()
            yield made
