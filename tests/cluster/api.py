"""A small client of the Kubernetes API for our own use: the standard library and a client certificate."""

import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.credentials import Credentials


class Api:
    def __init__(self, server: str, credentials: Credentials, user: str = "admin") -> None:
        parts = urlsplit(server)
        self.host, self.port = parts.hostname or "", parts.port or 443
        self.context = ssl.create_default_context(cafile=str(credentials.ca))
        self.context.load_cert_chain(credentials.certificate(user), credentials.key(user))

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Any]:
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=10)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = answer.getheader("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text.decode(errors="replace")

    def apply(self, path: str, document: Any) -> int:
        """Server-side apply."""
        return self.call("PATCH", f"{path}?fieldManager=tests&force=true", document, "application/apply-patch+yaml")[0]

    def ready(self) -> bool:
        try:
            return self.call("GET", "/readyz")[0] == http.client.OK
        except (OSError, http.client.HTTPException):
            return False


def node_ready(api: Api, name: str) -> bool:
    try:
        code, node = api.call("GET", f"/api/v1/nodes/{name}")
    except (OSError, http.client.HTTPException):
        return False
    conditions = node["status"].get("conditions", []) if code == http.client.OK else []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def mark_unknown(api: Api, name: str) -> None:
    """Before kubelet starts again, so that its old Ready is not taken for a new one."""
    condition = {"type": "Ready", "status": "Unknown", "reason": "Starting", "message": "kubelet is starting"}
    patch = {"status": {"conditions": [condition]}}
    api.call("PATCH", f"/api/v1/nodes/{name}/status", patch, "application/strategic-merge-patch+json")
