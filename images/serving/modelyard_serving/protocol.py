"""uvicorn's HTTP/1.1, with an answer's head and body in one packet: it writes them apart, each a system call that
costs more than reading a small request (uvloop writes at once)."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_ENDS = b"\r\n\r\n"
_INTERIM = b"HTTP/1.1 100 "  # is waited for before there is a body


class JoinedTransport:
    """Keeps the head of an answer back until its body comes, or `flush` is called."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            self._transport.write(self._head + data)
            self._head = b""
        elif data.endswith(_HEAD_ENDS) and not data.startswith(_INTERIM):
            self._head = data
        else:
            self._transport.write(data)

    def flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._joined = JoinedTransport(transport)
        super().connection_made(self._joined)  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        self._joined.flush()  # an answer to HEAD has no body
        super().on_response_complete()
