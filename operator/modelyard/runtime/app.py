"""Puts the operator together and runs it until it is told to stop or can go on no longer."""

import asyncio
import logging
import os
import signal
import socket
from datetime import UTC, datetime, timedelta

from modelyard.plan.plan import Key
from modelyard.runtime import health
from modelyard.runtime.cache import Cache
from modelyard.runtime.client import Client, pace
from modelyard.runtime.config import Config
from modelyard.runtime.election import Election
from modelyard.runtime.events import Recorder
from modelyard.runtime.inspection import Inspection
from modelyard.runtime.intake import Intake
from modelyard.runtime.inventory import INVENTORY
from modelyard.runtime.metrics import LEADER
from modelyard.runtime.pods import Pods
from modelyard.runtime.queue import Queue
from modelyard.runtime.reconcile import Planners, Reconciler
from modelyard.runtime.reflector import Reflector
from modelyard.runtime.resync import Resync
from modelyard.runtime.watches import Watches
from modelyard.runtime.worker import Worker

STUCK = timedelta(minutes=5)
REST = 0.2  # seconds between two reconciles of a resource

log = logging.getLogger(__name__)


def identity() -> str:
    """The pod's name, which a restarted container keeps and so leads again at once.

    Outside a cluster the process too: two with one identity would both lead.
    """
    return os.environ.get("POD_NAME") or f"{socket.gethostname()}_{os.getpid()}"


class Operator:
    def __init__(self, client: Client, config: Config, planners: Planners, *, elect: bool) -> None:
        runtime = config.runtime
        self._client = client
        self._workers = runtime.workers
        client.pace = pace(runtime.writes_per_second)
        self._queue: Queue[Key] = Queue(lane=lambda key: (key.namespace, key.kind), rest=REST)
        self.intake = Intake(Cache(), self._queue)
        self._pods = Pods(self.intake.cache, self._queue.add, runtime.poll_seconds)
        self._inspection = Inspection(client, self.intake.cache, self._queue.add)
        recorder = Recorder(client, identity())
        self._reconciler = Reconciler(
            client, self.intake, recorder, self._pods, self._inspection, planners, config.settings
        )
        self.resync = Resync(client, self.intake, self._reconciler.heal, runtime.namespaces, runtime.resync_seconds)
        self._worker = Worker(self._queue, self._reconciler)
        self.watches = Watches()
        self._election = Election(client, runtime.lease.namespace, runtime.lease.name, identity()) if elect else None
        if self._election:
            client.may_write = self._election.holds
        INVENTORY.of(self.intake.cache, self.watches.last_starts)
        self.ready = False
        self._leads = False

    def trouble(self) -> str:
        """What a restart would mend, or "". A standby's queue fills and is not worked on; a leader's must move."""
        if self._leads and len(self._queue) and datetime.now(UTC) - self._worker.finished > STUCK:
            return f"{len(self._queue)} resources wait and none was reconciled for {STUCK}"
        dead = self.watches.dead()
        return f"nothing is heard of {', '.join(dead)}" if dead else ""

    async def run(self) -> None:
        """Never returns. Raises, in an ExceptionGroup, what makes it impossible to go on."""
        await self.resync.wait_for_crds()
        await self.resync.until_synced()
        self.ready = True
        log.info("the cache is synced", extra={"fields": dict(self.intake.cache.sizes())})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.resync.run())
            for place, version in self.resync.versions.items():
                tasks.create_task(Reflector(self._client, self.intake, self.watches, place, version).run())
            tasks.create_task(self._lead())

    async def _lead(self) -> None:
        if self._election:
            await self._election.acquire()
        LEADER.set(1)
        self._leads = True
        self._reconciler.take_over()
        self.intake.wake_all()
        async with asyncio.TaskGroup() as tasks:
            if self._election:
                tasks.create_task(self._election.keep())
            tasks.create_task(self._pods.run())
            tasks.create_task(self._inspection.run())
            for _ in range(self._workers):
                tasks.create_task(self._worker.run(self._workers))

    async def close(self) -> None:
        if self._election:
            await self._election.release()


async def serve(config: Config, planners: Planners, *, elect: bool) -> None:
    """Runs until SIGTERM or SIGINT. Raises what ended it otherwise."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect()
    try:
        operator = Operator(client, config, planners, elect=elect)
        async with health.served(config.runtime.health_port, operator.trouble, lambda: operator.ready):
            await _until(stop, operator)
    finally:
        await client.close()


async def _until(stop: asyncio.Event, operator: Operator) -> None:
    work = asyncio.create_task(operator.run())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
        log.info("stopping")
    finally:
        for task in (work, stopped):
            task.cancel()
        await asyncio.gather(work, stopped, return_exceptions=True)
        await operator.close()
