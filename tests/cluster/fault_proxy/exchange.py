"""One request on its way through the proxy, and what an effect makes of it."""

import asyncio
import contextlib
import socket
import struct

import aiohttp
from aiohttp import web
from yarl import URL

from tests.cluster.fault_proxy.effects import Break, Cut, Effect, Hang, Refuse, Reset, Silence, Slow, Truncate

# Hop by hop; and nothing is to be compressed, so that half of an answer can be told from the whole.
_NOT_FORWARDED = {"host", "connection", "accept-encoding", "content-length", "transfer-encoding", "keep-alive"}
_RESET = struct.pack("ii", 1, 0)


class Exchange:
    def __init__(self, session: aiohttp.ClientSession, server: str, request: web.BaseRequest) -> None:
        self._session = session
        self._url = URL(server + request.raw_path, encoded=True)
        self._request = request

    async def run(self, effect: Effect | None) -> tuple[web.StreamResponse, int]:
        """The response and the status the client was told; 0 if it was told none."""
        match effect:
            case Hang():
                await asyncio.sleep(effect.seconds)
                return self._reset()
            case Reset(done=False):
                return self._reset()
            case Refuse(done=False):
                return self._refusal(effect), effect.status
            case Slow():
                await asyncio.sleep(effect.seconds)
        headers = {name: value for name, value in self._request.headers.items() if name.lower() not in _NOT_FORWARDED}
        try:
            async with self._session.request(
                self._request.method, self._url, headers=headers, data=await self._request.read() or None
            ) as answer:
                try:
                    return await self._answered(answer, effect)
                finally:
                    _give_up(answer)
        except aiohttp.ClientConnectionResetError:
            raise  # it is the client that has gone
        except aiohttp.ClientError:
            return self._reset()  # the API server is gone: so is the proxy

    async def _answered(self, answer: aiohttp.ClientResponse, effect: Effect | None) -> tuple[web.StreamResponse, int]:
        match effect:
            case Reset():
                await answer.read()
                return self._reset()
            case Refuse():
                await answer.read()
                return self._refusal(effect), effect.status
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_FORWARDED}
        length = answer.headers.get("Content-Length")
        if isinstance(effect, Truncate):
            return await self._half(answer, kept, framed=effect.framed)
        response = web.StreamResponse(status=answer.status, headers=kept)
        response.content_length = int(length) if length else None
        await response.prepare(self._request)
        await self._stream(answer, response, effect)
        return response, answer.status

    async def _half(
        self, answer: aiohttp.ClientResponse, headers: dict[str, str], *, framed: bool
    ) -> tuple[web.StreamResponse, int]:
        """Of a watch, half of its first event; of anything else, half of the body."""
        watch = answer.headers.get("Content-Length") is None and "watch=true" in self._request.query_string
        body = await answer.content.readline() if watch else await answer.read()
        half = body[: len(body) // 2]
        response = web.StreamResponse(status=answer.status, headers=headers)
        if not watch:
            response.content_length = len(half) if framed else len(body)
        await response.prepare(self._request)
        await response.write(half)
        if framed:
            await response.write_eof()
            return response, answer.status
        self._reset()
        return response, answer.status

    async def _stream(
        self, answer: aiohttp.ClientResponse, response: web.StreamResponse, effect: Effect | None
    ) -> None:
        """Whole lines, so that an event of our own fits between two; the rest at the end."""
        rest = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(effect.after if isinstance(effect, Silence | Break | Cut) else None):
                async for chunk in answer.content.iter_any():
                    lines, newline, rest = (rest + chunk).rpartition(b"\n")
                    await response.write(lines + newline)
                await response.write(rest)
                await response.write_eof()
                return
        match effect:
            case Silence():
                await asyncio.sleep(effect.lasting)
                self._reset()
            case Break():
                await response.write(effect.line())
                await response.write_eof()
            case Cut():
                self._reset()

    def _refusal(self, effect: Refuse) -> web.StreamResponse:
        headers = {"Retry-After": str(effect.retry_after)} if effect.retry_after is not None else {}
        return web.json_response(effect.body(), status=effect.status, headers=headers)

    def _reset(self) -> tuple[web.StreamResponse, int]:
        """Ends the client's connection with a TCP reset, without TLS's goodbye."""
        transport = self._request.transport
        connection = transport.get_extra_info("socket") if transport else None
        if transport and connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()
        return web.Response(), 0


def _give_up(answer: aiohttp.ClientResponse) -> None:
    """What was not read to its end is cut at once: a TLS goodbye waits for its answer, and would outlive the proxy."""
    if answer.connection and answer.connection.transport:
        answer.connection.transport.abort()
