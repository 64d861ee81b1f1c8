"""A user with kubectl and an S3 client: applies resources, waits for them, reads what they say."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import obstore
import pandas as pd
import pytest

from tests.product.lake import bucket
from tests.product.product import Product, ProductError

Resource = dict[str, Any]


def condition(resource: Resource, type_: str) -> dict[str, Any]:
    found = (c for c in resource.get("status", {}).get("conditions", []) if c["type"] == type_)
    return next(found, {"status": "absent", "reason": "", "message": ""})


@dataclass
class User:
    product: Product
    namespace: str
    applied: list[str] = field(default_factory=list)

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        return self.product.kubectl("--namespace", self.namespace, *arguments, given=given)

    def apply(self, kind: str, name: str, spec: dict[str, Any]) -> str:
        """`kubectl apply`; returns `kind/name`."""
        resource = {"apiVersion": "modelyard.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.kubectl("apply", "-f", "-", given=json.dumps(resource))
        reference = f"{kind.lower()}/{name}"
        if reference not in self.applied:
            self.applied.append(reference)
        return reference

    def get(self, reference: str, *arguments: str) -> Resource:
        return self.product.get(reference, "--namespace", self.namespace, *arguments)

    def status(self, reference: str) -> dict[str, Any]:
        status: dict[str, Any] = self.get(reference).get("status", {})
        return status

    def wait(
        self, reference: str, type_: str, status: str = "True", reason: str = "", timeout: float = 120
    ) -> Resource:
        """The resource once a condition has a status (and a reason); fails with what it says instead."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            resource = self.get(reference)
            found = condition(resource, type_)
            if found["status"] == status and reason in ("", found["reason"]):
                return resource
            time.sleep(0.5)
        pytest.fail(f"{reference}: {type_} is not {status}/{reason}: {json.dumps(resource.get('status'), indent=1)}")

    def until(self, reference: str, holds: Callable[[dict[str, Any]], Any], timeout: float = 120) -> dict[str, Any]:
        """The status once something holds of it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            status = self.status(reference)
            if holds(status):
                return status
            time.sleep(0.5)
        pytest.fail(f"{reference} did not get there: {json.dumps(status, indent=1)}")

    def describe(self, reference: str) -> str:
        return self.kubectl("describe", *reference.split("/"))

    def put(self, path: str, frame: pd.DataFrame) -> str:
        """Write a frame into the lake as Parquet or CSV; returns its URI."""
        data = frame.to_csv(index=False).encode() if path.endswith(".csv") else frame.to_parquet(index=False)
        with bucket(self.product, "examples") as store:
            obstore.put(store, path, data)
        return f"s3://examples/{path}"

    def clean_up(self) -> None:
        for reference in reversed(self.applied):
            try:
                self.kubectl("delete", reference, "--ignore-not-found", "--wait", "--timeout=60s")
            except ProductError as error:
                pytest.fail(f"deleting {reference} hangs: {error}")
