"""What programs count on /metrics: the operator's own writes, and all writes that the API server has answered."""

import urllib.request
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.controlplane import ControlPlane

Labels = frozenset[tuple[str, str]]


def samples(text: str, name: str) -> dict[Labels, float]:
    """The values of one metric by labels; only its own lines are parsed, for an API server shows megabytes."""
    lines = (line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} ")))
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return {frozenset(s.labels.items()): s.value for family in families for s in family.samples}


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def operator_writes(text: str) -> Mapping[str, float]:
    """By verb of the operator's client."""
    found = samples(text, "modelyard_api_writes_total")
    return {dict(labels)["verb"]: value for labels, value in found.items()}


def server_writes(plane: ControlPlane) -> float:
    """Of everybody since the API server began, without the leases that nodes and leaders renew by the clock."""
    code, text = plane.api.call("GET", "/metrics")
    if code != 200:
        raise RuntimeError(f"the API server answers {code} to /metrics")
    total = 0.0
    for labels, value in samples(text, "apiserver_request_total").items():
        named = dict(labels)
        if named["verb"] in ("POST", "PUT", "PATCH", "APPLY", "DELETE") and named["resource"] != "leases":
            total += value
    return total
