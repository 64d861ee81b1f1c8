"""Prometheus metrics of one server; children of hot paths are bound once."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from modelyard_serving.call import Endpoint

SECONDS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 4.096, 30.0)
REQUESTS = (1, 2, 4, 8, 16, 32, 64, 128)


class SpoolCounts(Protocol):
    written: int
    dropped: int

    @property
    def buffered(self) -> int: ...


class _SpoolCollector(Collector):
    def __init__(self, spool: SpoolCounts, name: str) -> None:
        self._spool, self._name = spool, name

    def collect(self) -> Iterator[Metric]:
        totals = CounterMetricFamily(self._name, "Rows for the store, by what became of them.", labels=["result"])
        totals.add_metric(["written"], self._spool.written)
        totals.add_metric(["dropped"], self._spool.dropped)
        yield totals
        yield GaugeMetricFamily(f"{self._name}_buffered", "Rows that wait for the store.", self._spool.buffered)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "modelyard_inference_requests", "Answered requests.", ["protocol", "code"], registry=self.registry
        )
        self._duration = Histogram(
            "modelyard_inference_request_duration_seconds",
            "From the request's first byte to its answer.",
            ["protocol"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._compute = Histogram(
            "modelyard_inference_compute_duration_seconds",
            "In the model, for all requests that were asked together.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._batch = Histogram(
            "modelyard_inference_batch_requests",
            "Requests that were asked together.",
            buckets=REQUESTS,
            registry=self.registry,
        )
        self.rows = Counter("modelyard_inference_rows", "Predicted rows.", registry=self.registry)
        self.inflight = Gauge("modelyard_inference_inflight", "Requests in work.", registry=self.registry)
        self.forwarded = Counter(
            "modelyard_forwarded_requests", "Requests sent on to the candidate.", ["result"], registry=self.registry
        )
        self.compared = Counter(
            "modelyard_compared_rows", "Rows predicted by both revisions.", ["result"], registry=self.registry
        )
        self.ready = Gauge("modelyard_model_ready", "1 while requests are served.", registry=self.registry)
        self.load_seconds = Gauge("modelyard_model_load_seconds", "Download, load and warm-up.", registry=self.registry)
        self._info = Gauge(
            "modelyard_model_info",
            "The model that is served.",
            ["model", "revision", "digest", "format", "training_job", "dataset"],
            registry=self.registry,
        )
        self._bound = lru_cache(maxsize=256)(self._bind)

    def answered(self, protocol: str, code: int, seconds: float) -> None:
        requests, duration = self._bound(protocol, code)
        requests.inc()
        duration.observe(seconds)

    def batch(self, seconds: float, requests: int) -> None:
        self._compute.observe(seconds)
        self._batch.observe(requests)

    def watch(self, spool: SpoolCounts, name: str) -> None:
        """Shows a spool's running totals as `<name>_total{result}` and `<name>_buffered`."""
        self.registry.register(_SpoolCollector(spool, name))

    def loaded(self, endpoint: Endpoint, digest: str, training_job: str, seconds: float) -> None:
        manifest = endpoint.manifest
        dataset = f"{manifest.dataset_name}@{manifest.dataset_digest}"
        self._info.labels(endpoint.name, endpoint.revision, digest, manifest.format, training_job, dataset).set(1)
        self.load_seconds.set(seconds)

    def _bind(self, protocol: str, code: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(protocol, str(code)), self._duration.labels(protocol)
