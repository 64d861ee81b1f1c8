"""Reads a request's body and writes an answer on the bare ASGI interface: the hot paths know no framework."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from modelyard_serving.call import Answer, Request
from modelyard_serving.errors import RequestError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 6 * 1024 * 1024  # bytes; what SageMaker's endpoints take


class DisconnectedError(Exception):
    """The caller left before its request was read: there is nobody to answer."""


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Raises `RequestError` 413 or 415, or `DisconnectedError`."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if headers.get("content-encoding", "identity") != "identity":
        raise RequestError(415, f"content encoding {headers['content-encoding']!r} is not supported: send it plain")
    if int(headers.get("content-length", "0")) > MAX_BODY:
        raise too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            raise too_large()
        if not message.get("more_body", False):
            break
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    return Request(headers, body)


async def respond(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", b"%d" % len(answer.body))]
    for name, value in answer.headers:
        headers.append((name.encode("latin-1"), value.encode("latin-1", "replace")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def has_left(receive: Receive) -> bool:
    """Whether the caller of a request that was read is known to be gone. Not to be asked after the answer."""
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0)  # lets it look at what the connection already knows, without waiting for news
    if waiting.done():
        return bool(waiting.result()["type"] == "http.disconnect")
    waiting.cancel()
    return False


def too_large() -> RequestError:
    return RequestError(413, f"the body is larger than {MAX_BODY} bytes: send fewer rows per request")
