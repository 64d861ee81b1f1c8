"""kopf as the operator uses it: login, discovery and watches that reconnect. The only file that imports it.

kopf runs in a thread with a loop of its own: it takes over signals and cancels foreign tasks of a loop it shares.
"""

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import fields
from typing import Any

import aiohttp
import kopf
from kopf._cogs.clients import errors, watching
from kopf._cogs.structs.references import Insights

from modelyard.plan.labels import SELECTOR
from modelyard.plan.plan import Object
from modelyard.runtime import login
from modelyard.runtime.client import PAGE
from modelyard.runtime.intake import Intake
from modelyard.runtime.resources import CHILDREN, WATCHED, Resource

SILENCE = 70.0  # seconds; the API server sends a bookmark each minute, so a watch that is silent for longer hangs
BLIND = 300.0  # seconds without watches after which a new process is the better hope
_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before what ended soon is begun anew
_IDENTITY: Any = "modelyard"  # else kopf asks for a user name, which a numeric user does not have

log = logging.getLogger(__name__)


class WatchEndedError(Exception):
    """The watches could not be kept up: the operator is blind, so the process must end."""


class UnservedError(Exception):
    """kopf would not watch kinds that discovery does not list, and would never look again."""


def _settings() -> Any:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True  # needs no rights on namespaces and CRDs
    settings.watching.server_timeout = 600
    settings.watching.client_timeout = 660
    settings.watching.connect_timeout = 10
    settings.watching.inactivity_timeout = SILENCE
    settings.watching.chunk_size = PAGE
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = (1, 2, 3, *[5] * 120)  # an outage of ten minutes is survived
    settings.queueing.worker_limit = 100
    settings.queueing.idle_timeout = 0.1  # a worker keeps its slot while idle; with 5 s it would handle 20 a second
    settings.queueing.exit_timeout = 0.5
    for resource in CHILDREN:
        settings.watching.label_selectors[resource.group, resource.version, resource.plural] = SELECTOR
    return settings


class _Connection(kopf.ConnectionInfo):
    def as_ssl_context(self) -> ssl.SSLContext:
        context: ssl.SSLContext = super().as_ssl_context()
        context.verify_flags &= ~login.STRICT
        return context


async def _login(**kwargs: Any) -> Any:
    if login.in_cluster():
        return _Connection(server=login.server(), ca_path=str(login.authority()), token=login.token())
    found = kopf.login_with_kubeconfig(**kwargs)
    return _Connection(**{field.name: getattr(found, field.name) for field in fields(found)}) if found else None


class Pauses:
    """How long to wait before something begins again that ends now and then, by itself or not."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = 0

    def ended(self, begun: float) -> float:
        """Seconds; longer each time that it lasted for less than the longest pause."""
        if self._clock() - begun > _PAUSES[-1]:
            self._ends = 0
        pause = _PAUSES[min(self._ends, len(_PAUSES) - 1)]
        self._ends += 1
        return pause


class _Streams:
    """The watches of one process, by kind and namespace. `gap` is called when one begins anew with a list."""

    def __init__(self, gap: Callable[[], object]) -> None:
        self._gap = gap
        self._pauses: dict[Any, Pauses] = {}

    async def stream(self, **given: Any) -> AsyncGenerator[Any, None]:
        place, begun = (given["resource"], given["namespace"]), time.monotonic()
        if place in self._pauses:
            self._gap()
        pauses = self._pauses.setdefault(place, Pauses())
        trouble: object = "its version has expired"
        try:
            async for event in _FRAGILE(**given):
                yield event
        except (errors.APIError, watching.WatchingError, aiohttp.ClientError, ValueError) as error:
            trouble = f"{type(error).__name__}: {error}"
        pause = pauses.ended(begun)
        log.warning("the watch of %s ended and begins anew in %.0f s: %s", given["resource"].plural, pause, trouble)
        await asyncio.sleep(pause)


_STREAMS: ContextVar[_Streams] = ContextVar("streams")
# kopf ends wholly, and hangs while it does, when one watch meets an answer that it does not expect: half an event, an
# error that passes, a kind that is gone for a while. There is no setting for it, and no way to give it other watches.
_FRAGILE: Any = watching.continuous_watch
watching.continuous_watch = lambda **given: _STREAMS.get().stream(**given)


def _handler(resource: Resource, loop: asyncio.AbstractEventLoop, intake: Intake) -> Callable[..., Awaitable[None]]:
    async def seen(event: dict[str, Any], **_: Any) -> None:
        obj: Object = {**event["object"], "apiVersion": resource.api_version, "kind": resource.kind}
        take = intake.deleted if event["type"] == "DELETED" else intake.present
        loop.call_soon_threadsafe(take, obj)

    return seen


class Watcher:
    """Keeps the watches up. `gap` is called when one begins anew: kopf does not tell what was deleted meanwhile."""

    def __init__(self, intake: Intake, namespaces: Sequence[str], gap: Callable[[], None]) -> None:
        self._namespaces = list(namespaces)
        self._loop = asyncio.get_running_loop()
        self._streams = _Streams(lambda: self._loop.call_soon_threadsafe(gap))
        self._registry = kopf.OperatorRegistry()
        kopf.on.login(registry=self._registry, id="login")(_login)
        for resource in WATCHED:
            kopf.on.event(
                group=resource.group,
                version=resource.version,
                plural=resource.plural,
                id=resource.plural,
                registry=self._registry,
            )(_handler(resource, self._loop, intake))
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)
        self._ready = asyncio.Event()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._stopping = threading.Event()
        self._watches = False
        self._kopf_loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    async def start(self) -> None:
        """Returns when the watches are being set up."""
        # It warns that signals are ignored outside the main thread, which is what we want.
        logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
        self._thread.start()
        ready = asyncio.create_task(self._ready.wait())
        self._ended.add_done_callback(lambda _: ready.cancel())
        try:
            await ready
        except asyncio.CancelledError:
            if not self._ended.done():
                raise
            await self.watch()

    async def watch(self) -> None:
        """Never returns. Raises WatchEndedError when the watches cannot be kept up."""
        await asyncio.shield(self._ended)
        raise WatchEndedError(f"no watches for {BLIND:.0f} s")

    async def stop(self, patience: float = 5.0) -> None:
        self._stopping.set()
        if self._kopf_loop and self._stop and not self._kopf_loop.is_closed():
            self._kopf_loop.call_soon_threadsafe(self._stop.set)
        if self._thread.is_alive():
            await asyncio.wait({self._ended}, timeout=patience)

    def _run(self) -> None:
        blind, pauses = time.monotonic(), Pauses()
        while not self._stopping.is_set() and time.monotonic() - blind < BLIND:
            begun, self._watches = time.monotonic(), False
            try:
                asyncio.run(self._round())
                trouble = "it has stopped"
            except BaseException as error:
                trouble = f"{type(error).__name__}: {error}"
            blind = time.monotonic() if self._watches else blind
            if not self._stopping.is_set():
                pause = pauses.ended(begun)
                log.warning("kopf ended and begins anew in %.0f s: %s", pause, trouble)
                self._stopping.wait(pause)
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    async def _round(self) -> None:
        """Returns or raises when kopf has ended."""
        self._kopf_loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        if self._stopping.is_set():
            return
        _STREAMS.set(self._streams)
        insights = Insights()
        checked = asyncio.create_task(self._check(insights, self._stop))
        try:
            await kopf.operator(
                registry=self._registry,
                settings=_settings(),
                standalone=True,
                identity=_IDENTITY,
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                insights=insights,
                stop_flag=self._stop,
            )
            if checked.done():
                await checked
        finally:
            checked.cancel()
            await asyncio.sleep(0.1)  # aiohttp closes TLS connections only in later turns of the loop

    async def _check(self, insights: Any, stop: asyncio.Event) -> None:
        """Tells that watches are being set up. Stops kopf and raises UnservedError if some would be missing."""
        await insights.ready_resources.wait()
        found = {(resource.group, resource.plural) for resource in insights.watched_resources}
        missing = [resource.plural for resource in WATCHED if (resource.group, resource.plural) not in found]
        if missing:
            stop.set()
            raise UnservedError(f"the API server does not serve {', '.join(missing)}")
        self._watches = True
        self._loop.call_soon_threadsafe(self._ready.set)
