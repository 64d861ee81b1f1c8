"""Metrics under the names that operators' dashboards already know (controller-runtime's), and a few of our own."""

from prometheus_client import Counter, Gauge, Histogram

QUEUE_DEPTH = Gauge("workqueue_depth", "Resources waiting to be reconciled.", ["name"])
QUEUE_ADDS = Counter("workqueue_adds_total", "Resources put into the queue.", ["name"])
QUEUE_RETRIES = Counter("workqueue_retries_total", "Resources put back after an error.", ["name"])
RECONCILES = Counter("controller_runtime_reconcile_total", "Reconciles by kind and result.", ["controller", "result"])
RECONCILE_SECONDS = Histogram(
    "controller_runtime_reconcile_time_seconds",
    "Duration of a reconcile by kind.",
    ["controller"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LEADER = Gauge("modelyard_leader", "1 on the replica that holds the lease, else 0.")
API_WRITES = Counter("modelyard_api_writes_total", "Writes sent to the API server.", ["verb"])
POD_READINGS = Counter("modelyard_pod_readings_total", "Pods asked on their management port.", ["result"])
CACHED = Gauge("modelyard_cached_objects", "Objects in the cache by kind.", ["kind"])
