"""uvicorn's HTTP/1.1, and what it leaves out: bounds of a request's head and of the time to send a request, the short
way to an answer, and an answer's head and body in one packet: it writes them apart, each a system call that costs more
than to read a small request (uvloop writes at once)."""

import asyncio
from functools import lru_cache
from typing import Any

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, HttpToolsProtocol

from modelyard_serving.call import FORWARDED, LONGEST, Answer
from modelyard_serving.direct import Direct, DirectCall
from modelyard_serving.heads import END, Head

MAX_DIRECT = 64 * 1024  # bytes of a body that is read to its end without telling the sender to wait
MAX_HEAD = 32 * 1024  # bytes of request line and headers, give or take what one read brings
READ_SECONDS = 30.0  # from the connection, or from the first byte of a later request, to the end of its body
_INTERIM = b"HTTP/1.1 100 "  # is waited for before there is a body
_INDIRECT = frozenset({b"transfer-encoding", b"content-encoding", b"expect", b"upgrade", FORWARDED.encode()})
_UNUSED = asyncio.Event()


class JoinedTransport:
    """Keeps the head of an answer back until its body comes, or `flush` is called."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            self._transport.write(self._head + data)
            self._head = b""
        elif data.endswith(END) and not data.startswith(_INTERIM):
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


def new_parser(protocol: "Protocol") -> httptools.HttpRequestParser:
    """As uvicorn makes it."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


@lru_cache
def head_of(status: int, content_type: str) -> bytes:
    """As far as answers have it in common; the length of the body comes next."""
    return b"%bcontent-type: %b\r\ncontent-length: " % (STATUS_LINE[status], content_type.encode())


class Turn:
    """A request on its short way, which is for uvicorn one of its cycles."""

    __slots__ = ("_connection", "begun", "call", "disconnected", "keep_alive", "response_complete")
    message_event = _UNUSED

    def __init__(self, connection: "Protocol") -> None:
        self._connection = connection
        self.call: DirectCall
        self.begun = 0.0
        self.disconnected = False
        self.keep_alive = True
        self.response_complete = False

    def reply(self, answer: Answer) -> None:
        self.response_complete = True
        self._connection.write_whole(answer, self.keep_alive)


class Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._joined = JoinedTransport(transport)
        self._write = transport.write
        self._direct: Direct | None = getattr(self.app, "direct", None)
        self._turn: Turn | None = None  # while its request is read
        self._between = True  # requests
        self._given = b""  # what has come of a small request
        self._head: Head | None = None  # of the turn, where it was known; then its body is to come
        self._idle_since: float | None = None
        self._reading_since: float | None = self.loop.time()
        self._offering: bytes | None = None  # the head of a request that offers another protocol, without the offer
        self._passed = False  # what was read last has the end of a head, or some of a body
        self._head_size = 0  # bytes of a head, or of what is between and behind chunks, since then
        super().connection_made(self._joined)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        if self._turn and self._head is not None:  # has begun, and its body is to come
            if len(data) == self._head.length:
                self._begin(self._turn, self._head, data)
                return
            data = self._given + data  # what else has come is the parser's, from the first byte
            self._head = self.cycle = None  # type: ignore[assignment]
            self._between = True
        elif self._between and self._takes_known(data):
            return
        self._given = data if self._between else self._given + data if self._turn else b""
        self._passed = False
        self._unset_keepalive_if_required()
        self._parse(memoryview(data))
        if not (self._passed or self._between):
            self._head_size += len(data)
            if self._head_size > MAX_HEAD and not self.transport.is_closing():
                self._refuse(b"431 Request Header Fields Too Large", f"the headers have more than {MAX_HEAD} bytes")

    def _parse(self, data: memoryview) -> None:
        """The parser ends a request that offers another protocol at its head, and skips its body. No offer is taken:
        the head is read again without it (RFC 9110, 7.8)."""
        try:
            while data:
                try:
                    self.parser.feed_data(data)
                    return
                except httptools.HttpParserUpgrade as offer:
                    if self._offering is None:  # CONNECT, which is answered as it is
                        return
                    data = data[offer.args[0] :]
                head, self._offering = self._offering, None
                self.parser = new_parser(self)
                self.parser.feed_data(head)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("")

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(self.cycle, Turn):
            self.cycle.call.leave()
        super().connection_lost(exc)

    def _takes_known(self, data: bytes) -> bool:
        """Begins a turn with a head that was read before, alone or with its whole body; False where it is another."""
        if self._direct is None:
            return False
        head, end = self._direct.heads.find(data)
        if head is None or len(data) not in (end, end + head.length):
            return False
        turn = self._turn_to(head.target)
        if turn is None:
            return False
        self._turn = self.cycle = turn  # type: ignore[assignment]
        self._between = False
        self._idle_since = None
        self._unset_keepalive_if_required()  # the long way's timer
        if len(data) == end + head.length:
            self._begin(turn, head, data[end:])
        else:
            self._given, self._head, self._reading_since = data, head, self.loop.time()
        return True

    def _begin(self, turn: Turn, head: Head, body: bytes) -> None:
        """Its request is whole."""
        self._head = None
        self._between = True
        self._reading_since = None
        turn.begun = self.loop.time()
        turn.call.begin(head.path, head.headers, body)

    def on_message_begin(self) -> None:
        self._between = False
        self._reading_since = self.loop.time()
        self._idle_since = None
        self._head_size = 0
        self._turn = None
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offering = self._head_without_offer()
            return
        self._passed = True
        self._head_size = 0
        turn = self._turn_of_its_own()
        if turn is None:
            self._begin_scope()
            super().on_headers_complete()
        else:
            self._turn = self.cycle = turn  # type: ignore[assignment]
            self._body = b""

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        headers = b"".join(b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade")
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, headers)

    def _turn_of_its_own(self) -> Turn | None:
        """None for what is to take the way through ASGI."""
        parser, given = self.parser, dict(self.headers)
        if parser.get_method() != b"POST" or not parser.should_keep_alive() or parser.get_http_version() != "1.1":
            return None
        if int(given.get(b"content-length", MAX_DIRECT + 1)) > MAX_DIRECT or not _INDIRECT.isdisjoint(given):
            return None
        return self._turn_to(self.url)

    def _turn_to(self, target: bytes) -> Turn | None:
        if self._direct is None or not (self.cycle is None or self.cycle.response_complete):
            return None
        if self.flow.write_paused:  # the long way waits until its answers are read
            return None
        turn = Turn(self)
        call = self._direct.call(target, turn.reply)
        if call is None:
            return None
        turn.call = call
        return turn

    def _begin_scope(self) -> None:
        """uvicorn makes a request's scope before it knows what the request is."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers

    def on_body(self, body: bytes) -> None:
        self._passed = True
        self._head_size = 0
        if self._turn is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        if self._offering is not None:
            return
        if self._turn is None:
            self._between = True
            self._reading_since = None
            super().on_message_complete()
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}
        head = Head(self.url, self.url.decode("latin-1"), headers, len(self._body))
        if self._direct is not None:
            self._direct.heads.learn(self._given, head)
        self._begin(self._turn, head, self._body)

    def write_whole(self, answer: Answer, keep_alive: bool) -> None:
        """Answers the request of a turn."""
        more = b"" if keep_alive else b"connection: close\r\n"
        for name, value in answer.headers:
            more += b"%b: %b\r\n" % (name.encode(), HEADER_VALUE_RE.sub(b"", value.encode("latin-1", "replace")))
        head = head_of(answer.status, answer.content_type)
        self._write(b"%b%d\r\n%b\r\n%b" % (head, len(answer.body), more, answer.body))
        if not keep_alive:
            self.transport.close()
        if self.pipeline:
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._idle_since = self.loop.time()

    def on_response_complete(self) -> None:
        self._joined.flush()  # an answer to HEAD has no body
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(b"400 Bad Request", "the request is not valid HTTP/1.1")

    def end_if_slow(self) -> None:
        """Nobody keeps a connection, and memory, by sending a request byte by byte, or none."""
        now = self.loop.time()
        if self._reading_since is not None and now - self._reading_since > READ_SECONDS:
            self._refuse(b"408 Request Timeout", f"the request was not sent within {READ_SECONDS:g} s")
        elif self._idle_since is not None and now - self._idle_since > self.timeout_keep_alive:
            self.timeout_keep_alive_handler()
        elif isinstance(self.cycle, Turn) and self.cycle.begun and now - self.cycle.begun > LONGEST:
            self.cycle.call.give_up()

    def _refuse(self, status: bytes, message: str) -> None:
        """Ends the connection; nothing of an answer has been sent, or its caller does not keep to HTTP."""
        body = orjson.dumps({"error": message})
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)
        self.transport.close()
