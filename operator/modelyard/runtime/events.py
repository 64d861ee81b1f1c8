"""Kubernetes events: what planners find worth telling, once per object, reason and message in ten minutes."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from modelyard.plan.labels import MANAGER, hash_of
from modelyard.plan.plan import Event, Object
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ApiError, ConflictError
from modelyard.runtime.metrics import EVENTS

WINDOW = 600.0  # seconds
_REMEMBERED = 10_000
_NOTE_LIMIT = 1024

log = logging.getLogger(__name__)


class Recorder:
    """The same event told twice, by this replica or by its successor, has the same name: the second is refused."""

    def __init__(self, client: Client, identity: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._identity = identity
        self._clock = clock
        self._told: OrderedDict[str, float] = OrderedDict()

    async def tell(self, resource: Object, event: Event) -> None:
        """Never raises for an answer of the API server: an event is not worth a failed reconcile."""
        now = self._clock()
        fingerprint = hash_of([resource["metadata"]["uid"], event.type, event.reason, event.message], 16)
        if now - self._told.get(fingerprint, 0.0) < WINDOW:
            return
        try:
            await self._client.create_event(self._object(resource, event, fingerprint, now))
            EVENTS.labels(resource["kind"], event.type, str(event.reason)).inc()
        except ConflictError:
            log.debug("event %s was told already", event.reason)
        except ApiError as error:
            log.warning("event %s could not be told: %s", event.reason, error)
            return
        self._told[fingerprint] = now
        self._told.move_to_end(fingerprint)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def _object(self, resource: Object, event: Event, fingerprint: str, now: float) -> dict[str, Any]:
        metadata = resource["metadata"]
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name']}.{fingerprint}.{int(now // WINDOW):x}",
                "namespace": metadata["namespace"],
            },
            "eventTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": f"modelyard.dev/{MANAGER}",
            "reportingInstance": self._identity,
            "action": "Reconcile",
            "reason": str(event.reason),
            "type": event.type,
            "note": event.message[:_NOTE_LIMIT],
            "regarding": {
                "apiVersion": resource["apiVersion"],
                "kind": resource["kind"],
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
        }
