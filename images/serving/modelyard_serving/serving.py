"""The state of one server: what is loaded, where requests go, whether it is going away."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from modelyard.contract.progress import Parity, Routing, ServingStats
from modelyard.contract.tasks import ServeTask
from modelyard_kit.progress import Reporter
from modelyard_serving.call import Endpoint
from modelyard_serving.errors import NotReadyError, RequestError
from modelyard_serving.explanation.worker import ExplanationWorker
from modelyard_serving.metrics import Metrics, SpoolCounts
from modelyard_serving.patience import Patience
from modelyard_serving.predictor import Predictor
from modelyard_serving.records import CaptureRecord, LabelRecord, ShadowRecord
from modelyard_serving.routing import check_routing
from modelyard_serving.spool import Spool
from modelyard_serving.statistics import Statistics

MAX_IN_FLIGHT = 128  # requests in work; more are told to come back, so that memory stays bounded


@dataclass(frozen=True)
class Loaded:
    """A model that answers, and where its traffic is written."""

    endpoint: Endpoint
    predictor: Predictor
    captures: Spool[CaptureRecord]
    labels: Spool[LabelRecord]
    begin_shadows: Callable[[], Spool[ShadowRecord]]
    explanations: ExplanationWorker
    parity: Parity | None = None  # with what training recorded

    @cached_property
    def shadows(self) -> Spool[ShadowRecord]:
        """Begins when it is first asked for: most servers never need one."""
        return self.begin_shadows()

    def spools(self) -> list[Spool[Any]]:
        """Those that have begun."""
        return [self.captures, self.labels, *([self.shadows] if "shadows" in vars(self) else [])]

    @property
    def shadow_counts(self) -> SpoolCounts:
        return _ShadowCounts(self)


@dataclass(frozen=True)
class _ShadowCounts:
    """Of a spool that may not have begun: then nothing is counted, and it does not begin for being looked at."""

    loaded: Loaded

    def _count(self, name: str) -> int:
        return int(getattr(vars(self.loaded).get("shadows"), name, 0))

    @property
    def written(self) -> int:
        return self._count("written")

    @property
    def dropped(self) -> int:
        return self._count("dropped")

    @property
    def buffered(self) -> int:
        return self._count("buffered")


class Serving:
    """Lives on the event loop; only the spools have threads."""

    def __init__(self, task: ServeTask, client: httpx.AsyncClient) -> None:
        self.task = task
        self.client = client
        self.metrics = Metrics()
        self.reporter = Reporter(self.metrics.registry)
        self.statistics = Statistics()
        self.routing = Routing(epoch="")
        self.loaded: Loaded | None = None
        self.draining = False
        self.in_flight = 0  # requests in work
        self.patience = Patience()
        self.asked_beside: set[asyncio.Future[None]] = set()  # questions to the candidate that nobody waits for
        self.metrics.ready.set_function(lambda: float(self.ready))
        self.metrics.inflight.set_function(lambda: float(self.in_flight))

    @property
    def ready(self) -> bool:
        return self.loaded is not None and not self.draining and self.loaded.predictor.model.answers

    @property
    def personal(self) -> bool:
        """Whether errors may repeat what is not to be logged."""
        return self.loaded is not None and self.loaded.endpoint.personal

    def check_room(self) -> None:
        """Raises 429 where more requests are in work than may be."""
        if self.in_flight > MAX_IN_FLIGHT:
            raise RequestError(429, f"{MAX_IN_FLIGHT} requests are in work: try again", retry_after=1)

    def check_endpoint(self, name: str | None) -> None:
        """Raises 404 for another endpoint's name: clients of several may mix them up."""
        if name not in (None, self.task.name, self.task.model_name):
            raise RequestError(404, f"endpoint {name!r} is not served here: this is {self.task.name!r}")

    def check_model(self, name: str | None, version: str | None) -> None:
        """Raises 404 for another model or version."""
        if name not in (None, self.task.model_name):
            raise RequestError(404, f"model {name!r} is not served here: this endpoint serves {self.task.model_name!r}")
        if version not in (None, self.task.revision):
            raise RequestError(404, f"version {version!r} is not served here: this is {self.task.revision!r}")

    def model(self, name: str | None = None, version: str | None = None) -> Loaded:
        """What is loaded; while draining too. Raises `NotReadyError`, or 404 for another model or version."""
        self.check_model(name, version)
        if self.loaded is None:
            raise NotReadyError(f"the model is not ready: {self.reporter.current.stage}")
        return self.loaded

    def begin(self, loaded: Loaded, seconds: float) -> None:
        """From now on requests are answered. `seconds`: how long loading took."""
        self.metrics.loaded(loaded.endpoint, self.task.model_digest, self.task.training_job, seconds)
        self.metrics.watch(loaded.captures, "modelyard_capture_records")
        self.metrics.watch(loaded.labels, "modelyard_label_records")
        self.metrics.watch(loaded.shadow_counts, "modelyard_shadow_records")
        loaded.predictor.tell(self.metrics.batch)
        self.loaded = loaded
        self.reporter.report("Serving", 100, f"revision {self.task.revision} after {seconds:.1f} s")

    def route(self, routing: Routing) -> None:
        """Raises `RequestError` 400. A new epoch starts the statistics at zero."""
        check_routing(routing, self.task.revision)
        if routing.epoch != self.routing.epoch:
            self.statistics = Statistics(routing.epoch, *self._captured())
        self.routing = routing

    def stats(self) -> ServingStats:
        parity = self.loaded.parity if self.loaded else None
        return self.statistics.snapshot(*self._captured()).model_copy(update={"parity": parity})

    def capture(self, record: CaptureRecord | None) -> None:
        """Keeps an answered request for the store, where it is sampled."""
        if record is not None and self.loaded is not None:
            self.loaded.captures.add([record])

    def _captured(self) -> tuple[int, int]:
        spool = self.loaded.captures if self.loaded else None
        return (spool.written, spool.dropped) if spool else (0, 0)
