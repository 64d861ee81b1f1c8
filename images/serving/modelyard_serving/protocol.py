"""uvicorn's HTTP/1.1, and what it leaves out: bounds of a request's head and of the time to send a request, and an
answer's head and body in one packet (it writes them apart, each a system call that costs more than to read a small
request; uvloop writes at once)."""

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 32 * 1024  # bytes of request line and headers, give or take what one read brings
READ_SECONDS = 30.0  # from the connection, or from the first byte of a later request, to the end of its body
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
        self._reading_since: float | None = self.loop.time()
        self._in_head = False
        self._head_size = 0
        super().connection_made(self._joined)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD and not self.transport.is_closing():
                self._refuse(b"431 Request Header Fields Too Large", f"the headers have more than {MAX_HEAD} bytes")

    def on_message_begin(self) -> None:
        self._reading_since = self.loop.time()
        self._in_head = True
        self._head_size = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reading_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._joined.flush()  # an answer to HEAD has no body
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(b"400 Bad Request", "the request is not valid HTTP/1.1")

    def end_if_slow(self) -> None:
        """Nobody keeps a connection, and memory, by sending a request byte by byte."""
        if self._reading_since is not None and self.loop.time() - self._reading_since > READ_SECONDS:
            self._refuse(b"408 Request Timeout", f"the request was not sent within {READ_SECONDS:g} s")

    def _refuse(self, status: bytes, message: str) -> None:
        """Ends the connection; nothing of an answer has been sent, or its caller does not keep to HTTP."""
        body = orjson.dumps({"error": message})
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)
        self.transport.close()
