"""Metrics that are read from the cache when somebody scrapes, so that they cost nothing until then."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from modelyard.runtime.cache import Cache
from modelyard.runtime.resources import OWN_KINDS

LastStarts = Callable[[], Mapping[str, float]]
Labels = tuple[str, ...]


class Inventory(Collector):
    """Empty until `of` is called; in a process with several operators it is the last one's."""

    def __init__(self) -> None:
        self._cache = Cache()
        self._watches: LastStarts = dict

    def of(self, cache: Cache, watches: LastStarts) -> None:
        """Show this cache, and when the watches last began (Unix time by kind)."""
        self._cache, self._watches = cache, watches

    def collect(self) -> Iterator[Metric]:
        """To be called where the cache is changed: on the event loop."""
        phases, conditions = self._counted()
        yield _gauge("modelyard_cached_objects", "Objects in the cache by kind.", ["kind"], self._sizes())
        yield _gauge("modelyard_resources", "Resources by phase.", ["kind", "phase"], phases)
        yield _gauge(
            "modelyard_resource_conditions",
            "Resources by condition, its status and its reason.",
            ["kind", "condition", "status", "reason"],
            conditions,
        )
        started: dict[Labels, float] = {(kind,): moment for kind, moment in self._watches().items()}
        text = "When the watch of this kind that waits longest last began."
        yield _gauge("modelyard_watch_last_start_timestamp_seconds", text, ["kind"], started)

    def _sizes(self) -> dict[Labels, float]:
        return {(kind,): size for kind, size in self._cache.sizes().items()}

    def _counted(self) -> tuple[Counter[Labels], Counter[Labels]]:
        phases: Counter[Labels] = Counter()
        conditions: Counter[Labels] = Counter()
        for kind in OWN_KINDS:
            for key in self._cache.keys(kind):
                resource = self._cache.get(key) or {}
                status = resource.get("status", {})
                phases[kind, status.get("phase", "Pending")] += 1
                for each in status.get("conditions", ()):
                    conditions[kind, each["type"], each["status"], each["reason"]] += 1
        return phases, conditions


def _gauge(name: str, text: str, labels: list[str], values: Mapping[Labels, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


INVENTORY = Inventory()
REGISTRY.register(INVENTORY)
