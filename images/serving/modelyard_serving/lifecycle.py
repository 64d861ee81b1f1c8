"""The life of the process: listen at once, load, serve, drain on SIGTERM, write what was captured, leave in time."""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from modelyard.contract.reasons import Reason
from modelyard.contract.tasks import ServeTask
from modelyard_kit.failure import TaskFailure, WorldFailure, shorten
from modelyard_kit.task import write_result
from modelyard_serving.data_plane import DataPlane
from modelyard_serving.forward import forwarding_client
from modelyard_serving.http import App
from modelyard_serving.loading import load
from modelyard_serving.management import management
from modelyard_serving.protocol import Protocol
from modelyard_serving.serving import Loaded, Serving
from modelyard_serving.shell import shell

log = logging.getLogger(__name__)

LIMIT_SECONDS = 27.0  # from SIGTERM to the end; SageMaker and Kubernetes kill after 30
FINISH_SECONDS = 8.0  # of it for requests in work
FLUSH_SECONDS = 5.0  # of it for captured rows, at least
GARBAGE = 20_000  # new objects until garbage is looked for: a request makes a hundred, and nearly no cycles
LOOK_TICKS = 10  # of uvicorn, a tenth of a second each: how often slow connections are looked for
KEEP_ALIVE = 30  # seconds that an idle connection is kept


class _Server(uvicorn.Server):
    """Leaves signals to the lifecycle: two servers in one process must end in order."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % LOOK_TICKS == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Protocol):
                    connection.end_if_slow()
        return await super().on_tick(counter)


async def run(task: ServeTask, port: int, management_port: int, grpc_port: int | None = None) -> int:
    """Serves until SIGTERM or a failure to load; gRPC where it has a port. Returns the process's exit code."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with forwarding_client() as client:
        serving = Serving(task, client)
        data, admin = server(DataPlane(serving, shell(serving)), port), server(management(serving), management_port)
        running = [asyncio.create_task(each.serve()) for each in (data, admin)]
        calls = None if grpc_port is None else await calls_server(serving, f"0.0.0.0:{grpc_port}")
        code = await _live(serving, stop)
        if code == 0:
            await _drain(serving, data, running[0], calls)
        data.should_exit = admin.should_exit = True
        if calls is not None:
            await calls.stop(None)
        await asyncio.wait(running, timeout=1.0)
    return code


async def _live(serving: Serving, stop: asyncio.Event) -> int:
    """Until SIGTERM (0) or until loading fails (1)."""
    started = time.monotonic()
    loading = asyncio.ensure_future(_in_thread(serving))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not loading.done():
        loading.cancel()
        return 0
    try:
        serving.begin(loading.result(), time.monotonic() - started)
        gc.freeze()  # the model and its libraries stay: requests need not be searched for garbage among them
        gc.set_threshold(GARBAGE)
    except TaskFailure as failure:
        log.error("%s: %s", failure.reason, failure.message, exc_info=failure.__cause__)
        write_result(failure.result())
        return 1
    except Exception as error:
        log.exception("loading failed")
        write_result(WorldFailure(Reason.INTERNAL_ERROR, shorten(f"loading failed: {error!r}")).result())
        return 1
    await stopping
    return 0


async def _in_thread(serving: Serving) -> Loaded:
    """In a daemon thread, not an executor's: a download that hangs must not keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Loaded] = loop.create_future()

    def settle(result: Loaded | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if result is not None:
            future.set_result(result)
        else:
            future.set_exception(error or RuntimeError("loading ended without a result"))

    def work() -> None:
        try:
            result, error = load(serving.task, serving.reporter), None
        except BaseException as raised:
            result, error = None, raised
        loop.call_soon_threadsafe(settle, result, error)

    Thread(target=work, name="load", daemon=True).start()
    return await future


async def _drain(serving: Serving, data: uvicorn.Server, running: asyncio.Task[None], calls: Any) -> None:
    """Not ready, but serving, while endpoints are updated; then no new connections; then the captured rows."""
    deadline = time.monotonic() + LIMIT_SECONDS
    serving.draining = True
    serving.reporter.report("Draining", 100, f"for {serving.task.drain_seconds} s")
    await asyncio.sleep(min(serving.task.drain_seconds, LIMIT_SECONDS - FINISH_SECONDS - FLUSH_SECONDS))
    data.should_exit = True
    ending = [running] if calls is None else [running, asyncio.ensure_future(calls.stop(FINISH_SECONDS))]
    await asyncio.wait(ending, timeout=FINISH_SECONDS + 1)
    if serving.loaded is None:
        return
    for spool in serving.loaded.spools():
        left = max(1.0, deadline - time.monotonic())
        if not await asyncio.to_thread(spool.close, left):
            log.error("%d captured rows could not be written in time and are lost", spool.dropped)


def server(app: App, port: int, host: str = "0.0.0.0") -> uvicorn.Server:  # noqa: S104  a pod is reached by its address
    """Port 0 takes a free one."""
    return _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=Protocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody asks who the client was
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=int(FINISH_SECONDS),
        )
    )


async def calls_server(serving: Serving, address: str) -> Any:
    """A gRPC server that listens. Raises RuntimeError where the address is taken."""
    from modelyard_serving import rpc  # here, because most servers do without it

    made = rpc.server(serving)
    made.add_insecure_port(address)
    await made.start()
    return made
