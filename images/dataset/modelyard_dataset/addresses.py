"""Where a source may not be: on the pod itself, on its node, or where clouds hand out the node's credentials.

A name is resolved once and the connection goes to the address that was looked at, so that no second answer of a name
server and no redirect leads elsewhere. Private addresses are allowed: sources inside a company are usual.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

REFUSED = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",  # metadata of AWS, GCP and Azure, among them
        "224.0.0.0/3",
        "100.100.100.200/32",  # metadata of Alibaba
        "::/128",
        "::1/128",
        "fe80::/10",
        "ff00::/8",
        "fd00:ec2::/32",  # metadata of AWS
    )
)
_TRANSLATED = ip_network("64:ff9b::/96")  # NAT64, RFC 6052

Address = IPv4Address | IPv6Address


class RefusedAddressError(Exception):
    """No source may be there; the message says where."""


def addresses_of(host: str) -> list[str]:
    """The addresses of a host, of which none is refused. Raises RefusedAddressError, or OSError without an address."""
    found = {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    for address in sorted(found):
        if _is_refused(ip_address(address)):
            where = address if host == address else f"{host} is at {address}"
            raise RefusedAddressError(f"{where}, where no source may be: use the public or private address of a server")
    return sorted(found)


def _is_refused(address: Address) -> bool:
    own = os.environ.get("KUBERNETES_SERVICE_HOST")  # the API server
    return any(str(each) == own or any(each in network for network in REFUSED) for each in _meant(address))


def _meant(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 address that it stands for."""
    yield address
    if isinstance(address, IPv6Address):
        yield from (inner for inner in (address.ipv4_mapped, address.sixtofour) if inner)
        if address in _TRANSLATED or address.packed[:12] == bytes(12):
            yield IPv4Address(address.packed[12:])


class CheckedTransport(httpx.HTTPTransport):
    """Connects to addresses that were looked at; certificates are those of the name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        try:
            *others, last = addresses_of(host)
        except OSError as error:
            raise httpx.ConnectError(f"{host} has no address: {error}", request=request) from error
        for address in others:
            with suppress(httpx.ConnectError):
                return super().handle_request(_to(request, address))
        return super().handle_request(_to(request, last))


def _to(request: httpx.Request, address: str) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
