"""Metrics under the names that operators' dashboards already know (client-go's, controller-runtime's), and our own.

What is counted as it happens is here; what is read from the cache at a scrape is in inventory.py.
No label names an object: there are as many series with ten thousand resources as with ten.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call] # no second series beside each, for when it began
_QUEUE = ("modelyard", "modelyard")  # one queue for all kinds
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WAITS = (0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
NO_ANSWER = "<error>"  # client-go's word for a request without an HTTP status


def _of_queue(kind: type[Any], name: str, text: str, **more: Any) -> Any:
    return kind(f"workqueue_{name}", text, ["name", "controller"], **more).labels(*_QUEUE)


QUEUE_DEPTH: Gauge = _of_queue(Gauge, "depth", "Resources waiting to be reconciled.")
QUEUE_ADDS: Counter = _of_queue(Counter, "adds_total", "Resources put into the queue; one that waits already is none.")
QUEUE_RETRIES: Counter = _of_queue(Counter, "retries_total", "Resources put back after an error.")
QUEUE_SECONDS: Histogram = _of_queue(
    Histogram, "queue_duration_seconds", "How long a resource waited for a worker.", buckets=_WAITS
)
WORK_SECONDS: Histogram = _of_queue(
    Histogram, "work_duration_seconds", "How long a worker had a resource.", buckets=_SECONDS
)
UNFINISHED: Gauge = _of_queue(Gauge, "unfinished_work_seconds", "Seconds of work in progress, of all workers together.")
LONGEST: Gauge = _of_queue(Gauge, "longest_running_processor_seconds", "Seconds of the longest work in progress.")

RECONCILES = Counter("controller_runtime_reconcile_total", "Reconciles by kind and result.", ["controller", "result"])
RECONCILE_ERRORS = Counter("controller_runtime_reconcile_errors_total", "Reconciles that failed.", ["controller"])
RECONCILE_PANICS = Counter(
    "controller_runtime_reconcile_panics_total",
    "Reconciles that failed by a defect of the operator, not by an answer of the API server.",
    ["controller"],
)
RECONCILE_SECONDS = Histogram(
    "controller_runtime_reconcile_time_seconds", "Duration of a reconcile by kind.", ["controller"], buckets=_SECONDS
)
WORKERS = Gauge(
    "controller_runtime_max_concurrent_reconciles", "Reconciles that may run at once, of all kinds.", ["controller"]
)
ACTIVE = Gauge("controller_runtime_active_workers", "Reconciles under way by kind.", ["controller"])

API_REQUESTS = Counter("rest_client_requests_total", "Requests by HTTP status and method.", ["code", "method"])
API_WRITES = Counter("modelyard_api_writes_total", "Writes sent to the API server.", ["verb"])
EVENTS = Counter(
    "modelyard_events_total", "Events told of resources: each is a transition.", ["kind", "type", "reason"]
)
POD_READINGS = Counter("modelyard_pod_readings_total", "Pods asked on their management port.", ["result"])

LEADER = Gauge("modelyard_leader", "1 on the replica that holds the lease, else 0.")
ELECTION = Gauge("leader_election_master_status", "1 on the replica that holds the lease, else 0.", ["name"])
LOOP_LAG = Gauge("modelyard_event_loop_lag_seconds", "How late the event loop was when last measured.")
RESYNCED = Gauge("modelyard_resync_last_success_timestamp_seconds", "When everything was last listed without an error.")
RESYNC_DELETIONS = Counter(
    "modelyard_resync_deletions_total", "Deletions that a resync noticed before a watch had told.", ["kind"]
)
WATCH_STARTS = Counter("modelyard_watch_starts_total", "Watches begun, by kind and HTTP status.", ["kind", "code"])


@dataclass(frozen=True)
class Reconciles:
    """The series of one kind, resolved once: they are touched at every reconcile."""

    results: Mapping[str, Counter]
    errors: Counter
    panics: Counter
    seconds: Histogram
    active: Gauge


@cache
def reconciles_of(kind: str) -> Reconciles:
    return Reconciles(
        results={result: RECONCILES.labels(kind, result) for result in ("success", "requeue_after", "error")},
        errors=RECONCILE_ERRORS.labels(kind),
        panics=RECONCILE_PANICS.labels(kind),
        seconds=RECONCILE_SECONDS.labels(kind),
        active=ACTIVE.labels(kind),
    )


def answered(method: str, status: int) -> None:
    """Count a request to the API server; status 0 is none."""
    API_REQUESTS.labels(str(status) if status else NO_ANSWER, method.upper()).inc()


def leading(lease: str, leads: bool) -> None:
    LEADER.set(leads)
    ELECTION.labels(lease).set(leads)
