"""kopf as the operator uses it: login, discovery and watches that reconnect. The only file that imports it.

kopf runs in a thread with a loop of its own: it takes over signals and cancels foreign tasks of a loop it shares.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from typing import Any

import aiohttp
import kopf

from modelyard.plan.plan import Object
from modelyard.runtime import login
from modelyard.runtime.client import PAGE
from modelyard.runtime.intake import Intake
from modelyard.runtime.resources import OWN, Resource
from modelyard.runtime.watches import Watches

_IDENTITY: Any = "modelyard"  # else kopf asks for a user name, which a numeric user does not have


class WatchEndedError(Exception):
    """kopf has stopped by itself: without watches the operator is blind, so the process must end."""


def _settings() -> Any:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True  # needs no rights on namespaces and CRDs
    settings.watching.server_timeout = 600
    settings.watching.client_timeout = 660
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = PAGE
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = (1, 2, 3, *[5] * 120)  # an outage of ten minutes is survived
    settings.queueing.worker_limit = 100
    settings.queueing.idle_timeout = 0.1  # a worker keeps its slot while idle; with 5 s it would handle 20 a second
    settings.queueing.exit_timeout = 0.5
    return settings


class _Connection(kopf.ConnectionInfo):
    def as_ssl_context(self) -> ssl.SSLContext:
        context: ssl.SSLContext = super().as_ssl_context()
        context.verify_flags &= ~login.STRICT
        return context


def _connection(**kwargs: Any) -> Any:
    if login.in_cluster():
        return _Connection(server=login.server(), ca_path=str(login.authority()), token=login.token())
    found = kopf.login_with_kubeconfig(**kwargs)
    return _Connection(**{field.name: getattr(found, field.name) for field in fields(found)}) if found else None


def _login(watches: Watches) -> Callable[..., Awaitable[Any]]:
    """kopf's own session, but one that tells of its requests."""
    used: list[Any] = []

    async def session(**kwargs: Any) -> Any:
        found = _connection(**kwargs)
        # kopf asks again after a 401. It knows credentials that failed by their content, but sessions have none: it
        # would try an expired token for ever instead of ending the process.
        if found is None or found in used:
            return None
        used[:] = [*used[-2:], found]
        made = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=found.as_ssl_context()),
            headers=found.as_http_headers(),
            proxy=found.proxy_url,
            trust_env=found.trust_env,
            trace_configs=[watches.tracing()],
        )
        namespace = found.default_namespace
        return kopf.AiohttpSession(aiohttp_session=made, server=found.server, default_namespace=namespace)

    return session


def _handler(resource: Resource, loop: asyncio.AbstractEventLoop, intake: Intake) -> Callable[..., Awaitable[None]]:
    async def seen(event: dict[str, Any], **_: Any) -> None:
        obj: Object = {**event["object"], "apiVersion": resource.api_version, "kind": resource.kind}
        take = intake.deleted if event["type"] == "DELETED" else intake.present
        loop.call_soon_threadsafe(take, obj)

    return seen


class Watcher:
    def __init__(self, intake: Intake, namespaces: Sequence[str]) -> None:
        self._namespaces = list(namespaces)
        self.watches = Watches(self._namespaces)
        self._loop = asyncio.get_running_loop()
        self._registry = kopf.OperatorRegistry()
        kopf.on.login(registry=self._registry, id="login")(_login(self.watches))
        for resource in OWN:
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
        self._kopf_loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    async def start(self) -> None:
        """Returns when the watches are being set up."""
        # It warns that signals are ignored outside the main thread, which is what we want.
        logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
        self.watches.expect()
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
        """Never returns. Raises WatchEndedError when kopf has ended."""
        try:
            await asyncio.shield(self._ended)
        except Exception as error:
            raise WatchEndedError(f"kopf failed: {error}") from error
        raise WatchEndedError("kopf has stopped")

    async def stop(self, patience: float = 5.0) -> None:
        if self._kopf_loop and self._stop and not self._kopf_loop.is_closed():
            self._kopf_loop.call_soon_threadsafe(self._stop.set)
            await asyncio.wait({self._ended}, timeout=patience)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._loop.call_soon_threadsafe(self._ended.set_exception, error)
        else:
            self._loop.call_soon_threadsafe(self._ended.set_result, None)

    async def _main(self) -> None:
        self._kopf_loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        ready = asyncio.Event()
        told = asyncio.create_task(self._tell(ready))
        await kopf.operator(
            registry=self._registry,
            settings=_settings(),
            standalone=True,
            identity=_IDENTITY,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            ready_flag=ready,
            stop_flag=self._stop,
        )
        told.cancel()
        await asyncio.sleep(0.1)  # aiohttp closes TLS connections only in later turns of the loop

    async def _tell(self, ready: asyncio.Event) -> None:
        await ready.wait()
        self._loop.call_soon_threadsafe(self._ready.set)
