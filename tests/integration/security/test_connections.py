"""The operator connects to the API server and to its own pods' management ports, wherever a pod would send it."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from modelyard.contract.tasks import MANAGEMENT_PORT
from modelyard.plan.labels import MANAGED_BY, MANAGER
from tests.integration.security.conftest import Lived
from tests.integration.security.life import HostileAnswers

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def recorded(lived: Lived, *events: str) -> list[list[Any]]:
    lines = [json.loads(line) for line in lived.connections.splitlines()]
    return [arguments for event, arguments in lines if event in events]


def pods(lived: Lived) -> set[str]:
    """Addresses of pods that the operator made."""
    own = [pod for pod in lived.of("Pod") if pod["metadata"]["labels"].get(MANAGED_BY) == MANAGER]
    return {pod["status"]["podIP"] for pod in own if pod.get("status", {}).get("podIP")}


def test_it_connects_to_the_api_server_and_to_management_ports_of_its_pods_only(lived: Lived) -> None:
    server = urlsplit(lived.plane.url)
    connected = {tuple(address[:2]) for (address,) in recorded(lived, "socket.connect")}
    assert (server.hostname, server.port) in connected
    asked = connected - {(server.hostname, server.port)}
    assert asked, "no pod was asked: the guard has seen nothing"
    assert asked <= {(address, MANAGEMENT_PORT) for address in pods(lived)}


def test_it_looks_up_no_name(lived: Lived) -> None:
    """Its own listening socket and addresses in digits need no DNS."""
    hosts = {arguments[0] for arguments in recorded(lived, "socket.getaddrinfo", "socket.gethostbyname")}
    assert hosts <= {None, "", "127.0.0.1", urlsplit(lived.plane.url).hostname}


def test_it_starts_no_process_and_sends_no_datagram(lived: Lived) -> None:
    assert recorded(lived, "subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn", "os.system") == []
    assert recorded(lived, "socket.sendto") == []


def test_a_pod_that_redirects_sends_it_nowhere(lived: Lived) -> None:
    assert lived.redirected == len(HostileAnswers("")._answers), "the servers were not asked"
    assert lived.visited == []


def test_no_account_of_ours_can_write_the_address_it_connects_to(lived: Lived) -> None:
    """It is the pod's status, which only kubelet writes: pods have no account, and the operator has not the right."""
    written = {right.resource for request in lived.requests if request.about_objects for right in request.needed()}
    assert "pods/status" not in written
    for pod in lived.of("Pod"):
        mounted = [volume for volume in pod["spec"].get("volumes", []) if "projected" in volume]
        assert mounted == [], pod["metadata"]["name"]
