"""Prometheus metrics of one server; what every request changes is counted in plain numbers, and read by a scrape."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as CounterMetric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from modelyard_serving.call import Endpoint
from modelyard_serving.tally import Distribution

SECONDS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 4.096, 30.0)
EXPLAINING = (0.016, 0.064, 0.256, 1.0, 4.0, 16.0, 60.0)
REQUESTS = (1, 2, 4, 8, 16, 32, 64, 128)


class SpoolCounts(Protocol):
    @property
    def written(self) -> int: ...
    @property
    def dropped(self) -> int: ...
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


class Metrics(Collector):
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rows = 0  # predicted
        self.last = 0.0  # when a request was answered, in seconds since 1970
        self.failed_seconds = 0.0  # of requests that were not answered 200
        self._requests: Counter[tuple[str, int]] = Counter()
        self._durations: dict[str, Distribution] = {}
        self.compute = Distribution(SECONDS)
        self._batch = Distribution(REQUESTS)
        self.inflight = Gauge("modelyard_inference_inflight", "Requests in work.", registry=self.registry)
        self.forwarded = CounterMetric(
            "modelyard_forwarded_requests", "Requests sent on to the candidate.", ["result"], registry=self.registry
        )
        self.compared = CounterMetric(
            "modelyard_compared_rows", "Rows predicted by both revisions.", ["result"], registry=self.registry
        )
        self._explained = CounterMetric(
            "modelyard_explain_requests", "Answered requests for explanations.", ["code"], registry=self.registry
        )
        self._explaining = Histogram(
            "modelyard_explain_request_duration_seconds",
            "From the request's first byte to its answer.",
            buckets=EXPLAINING,
            registry=self.registry,
        )
        self.ready = Gauge("modelyard_model_ready", "1 while requests are served.", registry=self.registry)
        self.load_seconds = Gauge("modelyard_model_load_seconds", "Download, load and warm-up.", registry=self.registry)
        self._info = Gauge(
            "modelyard_model_info",
            "The model that is served.",
            ["model", "revision", "digest", "format", "training_job", "dataset"],
            registry=self.registry,
        )
        self.registry.register(self)

    def answered(self, protocol: str, code: int, seconds: float) -> None:
        """`seconds` from the request's first byte to its answer."""
        self._requests[protocol, code] += 1
        if (duration := self._durations.get(protocol)) is None:
            duration = self._durations[protocol] = Distribution(SECONDS)
        duration.observe(seconds)
        self.last = time.time()
        if code != 200:
            self.failed_seconds += seconds

    def explained(self, code: int, seconds: float) -> None:
        """Apart from predictions: their rates and times are what people are paged for."""
        self._explained.labels(str(code)).inc()
        self._explaining.observe(seconds)

    def requests(self, successful: bool) -> int:
        return sum(count for (_, code), count in self._requests.items() if (code == 200) == successful)

    def seconds(self) -> float:
        """Of all requests together."""
        return sum(duration.sum for duration in self._durations.values())

    def batch(self, seconds: float, requests: int) -> None:
        """`seconds` in the model, for all requests that were asked together."""
        self.compute.observe(seconds)
        self._batch.observe(requests)

    def collect(self) -> Iterator[Metric]:
        answered = CounterMetricFamily(
            "modelyard_inference_requests", "Answered requests.", labels=["protocol", "code"]
        )
        for (protocol, code), count in self._requests.items():
            answered.add_metric([protocol, str(code)], count)
        yield answered
        durations = HistogramMetricFamily(
            "modelyard_inference_request_duration_seconds",
            "From the request's first byte to its answer.",
            labels=["protocol"],
        )
        for protocol, duration in self._durations.items():
            durations.add_metric([protocol], duration.buckets(), duration.sum)
        yield durations
        yield _histogram(
            "modelyard_inference_compute_duration_seconds",
            "In the model, for all requests that were asked together.",
            self.compute,
        )
        yield _histogram("modelyard_inference_batch_requests", "Requests that were asked together.", self._batch)
        yield CounterMetricFamily("modelyard_inference_rows", "Predicted rows.", self.rows)

    def watch(self, spool: SpoolCounts, name: str) -> None:
        """Shows a spool's running totals as `<name>_total{result}` and `<name>_buffered`."""
        self.registry.register(_SpoolCollector(spool, name))

    def loaded(self, endpoint: Endpoint, digest: str, training_job: str, seconds: float) -> None:
        manifest = endpoint.manifest
        dataset = f"{manifest.dataset_name}@{manifest.dataset_digest}"
        self._info.labels(endpoint.name, endpoint.revision, digest, manifest.format, training_job, dataset).set(1)
        self.load_seconds.set(seconds)


def _histogram(name: str, documentation: str, found: Distribution) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, documentation, found.buckets(), found.sum)
