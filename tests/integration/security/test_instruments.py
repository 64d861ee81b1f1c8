"""The instruments of the other tests see what they are to see: else these would be content with anything."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.security.rights import Request, Right, covered, granted
from tests.unit.chart.rendering import ROOT

pytestmark = pytest.mark.integration

BREAKS_OUT = """
import contextlib, os, socket, subprocess, sys
from tests.integration.security.guard import record
record(sys.argv[1])
with contextlib.suppress(OSError):
    socket.create_connection(("127.0.0.1", 9))
with contextlib.suppress(OSError):
    socket.getaddrinfo("name.invalid", 443)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.sendto(b"x", ("127.0.0.1", 9))
subprocess.run(["true"], check=True)
"""


def test_the_guard_records_connections_lookups_datagrams_and_processes(tmp_path: Path) -> None:
    record = tmp_path / "record"
    subprocess.run([sys.executable, "-c", BREAKS_OUT, str(record)], cwd=ROOT, check=True, timeout=60)
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert ["socket.connect", [["127.0.0.1", 9]]] in lines
    assert ["socket.sendto", [["127.0.0.1", 9]]] in lines
    assert any(event == "socket.getaddrinfo" and given[0] == "name.invalid" for event, given in lines)
    assert any(event == "subprocess.Popen" for event, _ in lines)


def request(verb: str, code: int, **what: str) -> Request:
    named: dict[str, Any] = {"resource": "jobs", "apiGroup": "batch", "namespace": "a", "name": "x", **what}
    return Request({"verb": verb, "requestURI": "/", "responseStatus": {"code": code}, "objectRef": named})


ROLE = {
    "metadata": {"namespace": "a"},
    "rules": [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["patch", "list"]}],
}


def test_an_apply_that_made_an_object_needed_two_rights() -> None:
    assert {right.verb for right in request("patch", 201).needed()} == {"patch", "create"}
    assert {right.verb for right in request("patch", 200).needed()} == {"patch"}
    assert [right.resource for right in request("patch", 200, subresource="status").needed()] == ["jobs/status"]


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        (Right("a", "batch", "jobs", "patch", "x"), True),
        (Right("b", "batch", "jobs", "patch", "x"), False),
        (Right("", "batch", "jobs", "list"), False),
        (Right("a", "batch", "jobs", "create", "x"), False),
        (Right("a", "batch", "jobs/status", "patch", "x"), False),
        (Right("a", "apps", "jobs", "patch", "x"), False),
    ],
)
def test_a_right_covers_its_verb_on_its_resource_in_its_namespace(asked: Right, allowed: bool) -> None:
    assert bool(covered(asked, granted([ROLE]))) is allowed


def test_a_right_to_one_name_covers_no_other() -> None:
    grants = {Right("a", "coordination.k8s.io", "leases", "update", "modelyard")}
    assert covered(Right("a", "coordination.k8s.io", "leases", "update", "modelyard"), grants)
    assert not covered(Right("a", "coordination.k8s.io", "leases", "update", "other"), grants)
