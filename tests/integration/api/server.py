"""An API server of its own for tests of schemas: install definitions, send objects, read refusals."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from modelyard.api.fields import API_VERSION, GROUP
from modelyard.api.kinds import BY_NAME
from tests.cluster.controlplane import ControlPlane

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
Answer = tuple[int, dict[str, Any]]


class SchemaServer:
    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane, self.api, self.namespace = plane, plane.api, namespace
        code, answer = self.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        assert code == 201, answer

    def install(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        """Returns when the kinds are served."""
        for each in definitions:
            name = each["metadata"]["name"]
            code, answer = self.api.call(
                "PATCH", f"{CRDS}/{name}?fieldManager=tests&force=true", each, "application/apply-patch+yaml"
            )
            assert code in (200, 201), answer
            served = f"/apis/{API_VERSION}/{name.split('.')[0]}"
            self.wait(partial(self._serves, served))

    def _serves(self, path: str) -> bool:
        return self.api.call("GET", path)[0] == 200

    def wait(self, what: Callable[[], bool], within: float = 30) -> None:
        end = time.monotonic() + within
        while not what():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.2)

    def path(self, kind: str, name: str = "", subresource: str = "") -> str:
        parts = [f"/apis/{GROUP}/v1alpha1/namespaces", self.namespace, BY_NAME[kind].plural, name, subresource]
        return "/".join(part for part in parts if part)

    def create(self, resource: Mapping[str, Any], *, keep: bool = False) -> Answer:
        """Under strict validation; a dry run unless it is to be kept."""
        query = "fieldValidation=Strict" + ("" if keep else "&dryRun=All")
        return self.api.call("POST", f"{self.path(resource['kind'])}?{query}", resource)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        code, answer = self.api.call("GET", self.path(kind, name))
        assert code == 200, answer
        found: dict[str, Any] = answer
        return found

    def merge(self, kind: str, name: str, patch: Any, subresource: str = "", *, dry_run: bool = False) -> Answer:
        at = f"{self.path(kind, name, subresource)}?fieldValidation=Strict&fieldManager=tests"
        at += "&dryRun=All" if dry_run else ""
        return self.api.call("PATCH", at, patch, "application/merge-patch+json")
