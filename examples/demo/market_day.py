"""Puts the market's weeks into the lake and plays them against the endpoint from a pod in the cluster."""

import io
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pandas as pd

from examples.electricity import market
from tests.product.lake import PORT, SECRET, bucket
from tests.product.product import RELEASE, SYSTEM, Product, ProductError

REPLAY = Path(market.__file__).with_name("replay.py")


def fill_lake(product: Product, known_weeks: int, future_weeks: int) -> int:
    """The known weeks go into the lake, the future ones beside it; returns the rows in the lake."""
    frame = market.read(market.fetch())

    def parquet(rows: pd.DataFrame) -> io.BytesIO:
        buffer = io.BytesIO()
        rows.to_parquet(buffer, index=False)
        buffer.seek(0)
        return buffer

    with bucket(product, "examples") as store:
        for old in obstore.list(store, "electricity/").collect():
            obstore.delete(store, old["path"])
        for week in range(1, known_weeks + future_weeks + 1):
            folder = "electricity" if week <= known_weeks else "future"
            obstore.put(store, f"{folder}/week-{week:03d}.parquet", parquet(market.week(frame, week)))
    return known_weeks * market.WEEK


def _pod(image: str, arguments: list[str]) -> dict[str, Any]:
    def from_secret(key: str) -> dict[str, Any]:
        return {"name": key, "valueFrom": {"secretKeyRef": {"name": SECRET, "key": key}}}

    container = {
        "name": "replay",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "/replay/replay.py", *arguments],
        "env": [
            from_secret("AWS_ACCESS_KEY_ID"),
            from_secret("AWS_SECRET_ACCESS_KEY"),
            {"name": "STORE_ENDPOINT", "value": f"http://{RELEASE}-store.{SYSTEM}.svc:{PORT}"},
        ],
        "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "50m"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "script", "mountPath": "/replay"}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "script", "configMap": {"name": "replay"}}, {"name": "tmp", "emptyDir": {}}],
    }


def start(product: Product, namespace: str, image: str, name: str, arguments: list[str]) -> None:
    """A Job that plays weeks; `arguments` as in replay.py."""
    script = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "replay", "namespace": namespace},
        "data": {"replay.py": REPLAY.read_text()},
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": _pod(image, arguments)},
        },
    }
    product.kubectl("delete", "job", name, "--namespace", namespace, "--ignore-not-found", "--wait")
    product.kubectl("apply", "-f", "-", given=json.dumps(script))
    product.kubectl("apply", "-f", "-", given=json.dumps(job))
    _wait_until_it_talks(product, namespace, name)


def _wait_until_it_talks(product: Product, namespace: str, name: str) -> None:
    """Until the pod runs or has run: `kubectl logs` refuses a container that is still being made."""
    for _ in range(240):
        status = product.get(f"job/{name}", "--namespace", namespace).get("status", {})
        if any(status.get(count) for count in ("ready", "succeeded", "failed")):
            return
        time.sleep(0.5)
    raise ProductError(f"job/{name} does not start: kubectl --namespace {namespace} describe job {name}")


def follow(product: Product, namespace: str, name: str, told: Callable[[int, int], None]) -> tuple[int, int]:
    """Read the Job's lines until it ends; returns (rows, rows predicted right). Raises when the Job fails."""
    command = [
        *(str(product.provider.kubectl()), "--kubeconfig", str(product.provider.kubeconfig())),
        *("--namespace", namespace, "logs", "--follow", f"job/{name}"),
    ]
    rows = right = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if line.startswith("{"):
                told_now = json.loads(line)
                rows, right = rows + told_now.get("rows", 0), right + told_now.get("right", 0)
                told(rows, right)
    product.kubectl("wait", "--for=condition=Complete", f"job/{name}", "--namespace", namespace, "--timeout=30s")
    return rows, right
