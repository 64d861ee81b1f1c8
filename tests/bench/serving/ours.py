"""Our server's process, with a model of the grid."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from modelyard.contract.tasks import ServeTask
from modelyard_kit.store import Store
from tests.bench.serving.models import JOB, NAMESPACE
from tests.bench.serving.process import Server, serving
from tests.cluster.waiting import free_ports


@contextmanager
def ours_running(
    store: Store, digest: str, place: Path, capture_percent: int = 0, flush_seconds: int = 10
) -> Iterator[Server]:
    """`place` is a folder of this server's own."""
    port, management = free_ports(2)
    task = ServeTask(
        namespace=NAMESPACE,
        name="bench",
        store=store.config,
        model_name="bench",
        training_job=JOB,
        model_digest=digest,
        revision="r1",
        capture_percent=capture_percent,
        drain_seconds=0,
        flush_seconds=flush_seconds,
    )
    (place / "task.json").write_text(task.canonical())
    environment = {
        "MODELYARD_TASK": str(place / "task.json"),
        "MODELYARD_RESULT": str(place / "result.json"),
        "MODELYARD_SERVING_PORT": str(port),
        "MODELYARD_MANAGEMENT_PORT": str(management),
    }
    log = place / "server.log"
    with serving(["-m", "modelyard_serving"], port, "/v2/health/ready", log, environment) as server:
        yield replace(server, management=management)
