"""Leader election by a Lease, with client-go's times, and the fence that keeps a former leader from writing.

Not kubernetes.aio.leaderelection: that one measures by the wall clock, cannot release, and goes on leading while
another replica holds the lease.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from modelyard.runtime.client import Client
from modelyard.runtime.errors import ApiError, ConflictError, NotFoundError
from modelyard.runtime.metrics import leading
from modelyard.runtime.resources import LEASE

DURATION = 15.0  # seconds after its last renewal a lease may be taken over
DEADLINE = 10.0  # seconds after its last renewal the holder stops; a write begun before ends before DURATION
RETRY = 2.0  # seconds between renewals
LOOK = (
    1.0  # seconds between a standby's looks: a released lease is taken within 1.2 s, one of a dead leader within 17.4 s
)

log = logging.getLogger(__name__)


def since_boot() -> float:
    """Seconds, counted on while the machine sleeps: for time.monotonic a suspended leader's lease would not run out."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))  # Linux has it


class LeaseLostError(Exception):
    """Another replica leads, or the lease could not be renewed in time: this process must end."""


class Election:
    def __init__(
        self, client: Client, namespace: str, name: str, identity: str, clock: Callable[[], float] = since_boot
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._lease: dict[str, Any] | None = None  # as last seen
        self._seen = 0.0  # when its content last changed, by our clock: clocks of replicas need not agree
        self._renewed = float("-inf")
        leading(name, False)

    def holds(self) -> bool:
        """Whether this replica may write."""
        return self._clock() - self._renewed < DEADLINE

    async def acquire(self) -> None:
        """Returns when this replica leads."""
        while True:
            if await self._attempt():
                break
            await asyncio.sleep(LOOK * (1 + 0.2 * random.random()))  # noqa: S311 - spreads replicas, no secret
        leading(self._name, True)
        log.info("this replica leads", extra={"fields": {"lease": f"{self._namespace}/{self._name}"}})

    async def keep(self) -> None:
        """Renews until cancelled. Raises LeaseLostError."""
        while True:
            await asyncio.sleep(RETRY)
            renewed = await self._attempt()
            if renewed:
                continue
            holder = self._holder()
            if holder != self._identity:
                self._renewed = float("-inf")
                raise LeaseLostError(f"{holder or 'nobody'} holds the lease")
            if not self.holds():
                raise LeaseLostError(f"the lease could not be renewed for {DEADLINE:.0f} s")

    async def release(self) -> None:
        """Lets another replica lead at once. Does nothing if this one does not."""
        if not self.holds() or self._lease is None:
            return
        self._renewed = float("-inf")
        leading(self._name, False)
        try:
            await self._look()  # a renewal that was cancelled on its way may have arrived
            if self._holder() == self._identity:
                released = {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._client.replace_lease(self._path(), self._with(released))
        except ApiError as error:
            log.warning("the lease could not be released: %s", error)

    async def _attempt(self) -> bool:
        """Take or renew the lease if that is allowed; True if this replica holds it now."""
        started = self._clock()
        try:
            if self._lease is None or self._holder() != self._identity:
                await self._look()
            if not self._free():
                return False
            await self._take()
        except ConflictError:
            self._lease = None  # changed by another: look again
            await self._look_quietly()
            return False
        except ApiError as error:
            log.warning("the lease cannot be read or written: %s", error)
            return False
        self._renewed = started
        return True

    async def _look_quietly(self) -> None:
        try:
            await self._look()
        except ApiError as error:
            log.warning("the lease cannot be read: %s", error)

    async def _look(self) -> None:
        try:
            found = await self._client.get(LEASE, self._namespace, self._name)
        except NotFoundError:
            self._lease = None
            return
        if self._lease is None or found["spec"] != self._lease["spec"]:
            self._seen = self._clock()
        self._lease = found

    def _holder(self) -> str:
        return str(self._lease["spec"].get("holderIdentity") or "") if self._lease else ""

    def _free(self) -> bool:
        if self._lease is None or self._holder() in ("", self._identity):
            return True
        duration = float(self._lease["spec"].get("leaseDurationSeconds") or DURATION)
        return self._clock() - self._seen > duration

    async def _take(self) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": self._identity, "leaseDurationSeconds": int(DURATION), "renewTime": now}
        if self._lease is None:
            new = {
                "apiVersion": LEASE.api_version,
                "kind": LEASE.kind,
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": {**spec, "acquireTime": now, "leaseTransitions": 0},
            }
            self._lease = await self._client.create_lease(LEASE.path(self._namespace), new)
            return
        if self._holder() != self._identity:
            transitions = int(self._lease["spec"].get("leaseTransitions") or 0)
            spec |= {"acquireTime": now, "leaseTransitions": transitions + 1}
        self._lease = await self._client.replace_lease(self._path(), self._with(spec))
        self._seen = self._clock()

    def _path(self) -> str:
        return LEASE.path(self._namespace, self._name)

    def _with(self, spec: dict[str, Any]) -> dict[str, Any]:
        lease = self._lease or {}
        return {**lease, "spec": {**lease.get("spec", {}), **spec}}
