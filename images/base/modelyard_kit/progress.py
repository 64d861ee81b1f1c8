"""The management port of a pod: GET /progress and GET /metrics, from a thread of the standard library's server."""

import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest

from modelyard.contract.progress import Progress
from modelyard.contract.tasks import MANAGEMENT_PORT

STOP_SEEN = 0.1  # seconds at most until a closed server stops listening

log = logging.getLogger(__name__)


class Reporter:
    """Holds what the pod is doing; thread-safe, as one reference is swapped. Logs each new stage."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.current = Progress(stage="Starting")
        self.registry = registry
        self._percent = Gauge("modelyard_task_percent", "How much of the task is done.", registry=registry)
        self._values = Gauge(
            "modelyard_task_metric", "A figure the task reports while it runs.", ["name"], registry=registry
        )

    def report(self, stage: str, percent: int, message: str = "", metrics: dict[str, float] | None = None) -> None:
        """`stage` is one word; `percent` is of the whole task; absent `metrics` keep the last ones."""
        if stage != self.current.stage:
            log.info("%s: %s", stage, message)
        kept = self.current.metrics if metrics is None else metrics
        self.current = Progress(stage=stage, percent=percent, message=message, metrics=kept)
        self._percent.set(percent)
        for name, value in (metrics or {}).items():
            self._values.labels(name).set(value)


class _Handler(BaseHTTPRequestHandler):
    reporter: Reporter

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/progress":
                self._answer("application/json", self.reporter.current.canonical().encode())
            case "/metrics":
                self._answer(CONTENT_TYPE_LATEST, generate_latest(self.reporter.registry))
            case _:
                self.send_error(404)

    def _answer(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Polls are not worth a line each."""


class ProgressServer:
    """Serves a reporter until closed; use as a context manager. Port 0 takes a free one."""

    def __init__(self, reporter: Reporter, host: str = "", port: int = MANAGEMENT_PORT) -> None:
        handler = type("Handler", (_Handler,), {"reporter": reporter})
        self._server = ThreadingHTTPServer((host, port), handler)
        self.port = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, args=(STOP_SEEN,), name="progress", daemon=True)

    def __enter__(self) -> "ProgressServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
