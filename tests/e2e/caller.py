"""Steady requests to an endpoint's Service from a pod in the cluster, and what became of each."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e import caller_program
from tests.e2e.user import User

NAME = "caller"
POINT = {"inputs": [{"name": name, "shape": [1], "datatype": "FP64", "data": [0.25]} for name in ("x", "y")]}


@dataclass
class Calls:
    """`versions`: answers by the revision that gave them; `failed`: what went wrong, a line for each request."""

    versions: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


@contextmanager
def calling(user: User, image: str, endpoint: str, model: str, body: Mapping[str, Any] = POINT) -> Iterator[Calls]:
    """Callers are at work during the block; afterwards the Calls hold what they got. `body` is a request of V2."""
    user.kubectl("apply", "-f", "-", given=json.dumps(_script()))
    user.kubectl("apply", "-f", "-", given=json.dumps(_pod(image, endpoint, model, body)))
    try:
        user.kubectl("wait", f"pod/{NAME}", "--for=condition=Ready", "--timeout=60s")
        calls = Calls()
        yield calls
        user.kubectl("exec", NAME, "--", "touch", caller_program.STOP)
        user.kubectl("wait", f"pod/{NAME}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
        found = json.loads(user.kubectl("logs", NAME))
        calls.versions, calls.failed = found["versions"], found["failed"]
    finally:
        user.kubectl("delete", f"pod/{NAME}", f"configmap/{NAME}", "--ignore-not-found", "--grace-period=1")


def _script() -> dict[str, Any]:
    text = Path(caller_program.__file__).read_text()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": {"program.py": text}}


def _pod(image: str, endpoint: str, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
    container = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "/program/program.py"],
        "args": [f"http://{endpoint}", f"/v2/models/{model}/infer", json.dumps(body)],
        "resources": {"requests": {"cpu": "50m"}, "limits": {"cpu": "500m", "memory": "256Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "program", "mountPath": "/program"}],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "program", "configMap": {"name": NAME}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME}, "spec": spec}
