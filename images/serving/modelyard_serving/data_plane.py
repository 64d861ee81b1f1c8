"""The hot paths, on the bare ASGI interface: infer and invocations; everything else goes to the shell."""

import time
from functools import partial

from modelyard_serving.answering import Answered, answer_alone, answer_routed, record
from modelyard_serving.call import FORWARDED, error_answer
from modelyard_serving.direct import Direct
from modelyard_serving.errors import RequestError
from modelyard_serving.exchange import exchange
from modelyard_serving.forward import LATENCY, SHADOW
from modelyard_serving.http import (
    App,
    DisconnectedError,
    Message,
    Receive,
    Scope,
    Send,
    has_left,
    read_request,
    respond,
)
from modelyard_serving.routes import Route, match
from modelyard_serving.serving import Serving
from modelyard_serving.work import Work, addressed


class DataPlane:
    def __init__(self, serving: Serving, shell: App) -> None:
        self.serving = serving
        self.shell = shell
        self.direct = Direct(serving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.serving.draining:
            send = _closing(send)
        route = match(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await self.shell(scope, receive, send)
        elif scope["method"] != "POST":
            await respond(send, error_answer(RequestError(405, "use POST"))._replace(headers=(("allow", "POST"),)))
        else:
            await self._answer(route, scope, receive, send)

    async def _answer(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            written, captured = await exchange(
                self.serving, route.protocol, partial(self._infer, route, scope, receive)
            )
        except DisconnectedError:
            return
        await respond(send, written)
        self.serving.capture(captured)

    async def _infer(self, route: Route, scope: Scope, receive: Receive, started: float) -> Answered:
        loaded = addressed(self.serving, route)
        request = await read_request(scope, receive)
        call = route.parse(request, loaded.endpoint)
        work = Work(loaded, request, call, scope["path"], time.perf_counter() - started, receive)
        if FORWARDED not in request.headers:
            return await answer_routed(self.serving, work, pinned=route.version is not None)
        own = await answer_alone(self.serving, work)  # the choice was made by the server that sent it
        written = own.answer._replace(headers=(*own.answer.headers, (LATENCY, f"{own.milliseconds:.3f}")))
        # Whoever answers the user captures: a stable server answers by itself after a failure, or a too long wait.
        if own.answer.status != 200 or SHADOW in request.headers or await has_left(receive):
            return written, None
        return written, record(self.serving, work, own, "candidate")


def _closing(send: Send) -> Send:
    """Ends each connection after its answer, so that clients move to another pod before the listener closes."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        await send(message)

    return closing
