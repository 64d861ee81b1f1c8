"""Where no source may be, however the address is written or found."""

import socket
from typing import Any

import httpx
import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import SourceTask
from modelyard_dataset.access import source_bucket
from modelyard_dataset.addresses import CheckedTransport, RefusedAddressError, addresses_of
from modelyard_kit.failure import TaskFailure


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Each question to the name server has the next of these answers."""
    left = iter(answers)

    def resolved(host: str, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in next(left)]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",  # noqa: S104
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "169.254.169.254",
        "2852039166",
        "100.100.100.200",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fe80::1",
        "fd00:ec2::254",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_no_source_is_on_the_pod_its_node_or_a_metadata_service(host: str) -> None:
    with pytest.raises(RefusedAddressError, match="where no source may be"):
        addresses_of(host)


@pytest.mark.parametrize("host", ["93.184.215.14", "10.1.2.3", "192.168.1.5", "2606:2800::1", "fd12::1"])
def test_public_and_private_servers_are_allowed(host: str) -> None:
    assert addresses_of(host) == [host]


def test_the_api_server_is_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    with pytest.raises(RefusedAddressError):
        addresses_of("10.96.0.1")
    assert addresses_of("10.96.0.2") == ["10.96.0.2"]


def test_one_refused_address_of_a_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["93.184.215.14", "169.254.169.254"])
    with pytest.raises(RefusedAddressError, match=r"files\.example is at 169\.254\.169\.254"):
        addresses_of("files.example")


def test_a_name_server_that_changes_its_answer_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the address that was looked at, not to the name."""
    names(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    connected: list[str] = []

    def refuse(request: Any) -> Any:
        connected.append(request.url.host)
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: refuse(request))
    with httpx.Client(transport=CheckedTransport()) as client, pytest.raises(httpx.ConnectError):
        client.get("https://files.example/a.csv")
    assert connected == ["93.184.215.14"]


def test_every_address_of_a_server_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["192.0.2.1", "192.0.2.2"])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "192.0.2.1":
            raise httpx.ConnectError("refused")
        assert (request.headers["host"], request.extensions["sni_hostname"]) == ("files.example", "files.example")
        return httpx.Response(200)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: answer(request))
    with httpx.Client(transport=CheckedTransport()) as client:
        assert client.get("https://files.example/a.csv").status_code == 200


def test_an_endpoint_where_no_source_may_be_is_named() -> None:
    source = SourceTask(name="lake", uri="s3://lake/a.csv", endpoint="http://169.254.169.254")
    with pytest.raises(TaskFailure, match=r"spec\.sources\[lake\]\.endpoint: 169\.254\.169\.254, where") as caught:
        source_bucket(source, "lake", StoreConfig(uri="s3://modelyard"))
    assert caught.value.reason == Reason.SOURCE_FORBIDDEN
