"""One life of the operator per scope of the chart, and everything about it that the tests look at."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import build
from tests.cluster.controlplane import ControlPlane
from tests.cluster.mock_kubelet.kubelet import MockKubelet, Timings
from tests.integration.security import release
from tests.integration.security.life import CANARY, HostileAnswers, Place, live, played
from tests.integration.security.rights import Request, requests
from tests.integration.security.witness import Witness
from tests.unit.chart.rendering import Helm, Rendered

SERVED = {"Cluster": ("team-a",), "Namespace": ("team-a", "team-b")}
ELSEWHERE = "elsewhere"  # a namespace that the operator of the namespaces above does not serve


@dataclass(frozen=True, repr=False)
class Lived:
    """`states` are all that objects of the watched kinds had; `visited` what was asked of the redirects' target."""

    scope: str
    plane: ControlPlane
    rendered: Rendered
    requests: list[Request]
    states: list[dict[str, Any]]
    log: str
    metrics: str
    connections: str
    bearer: str
    visited: list[str]
    redirected: int

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [state for state in self.states if state["kind"] in kinds]


@contextmanager
def trap() -> Iterator[tuple[str, list[str]]]:
    """The URL that hostile servers redirect to, and the paths that were asked there."""
    visited: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visited.append(self.path)
            self.send_error(404)

        do_PUT = do_GET  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/latest/meta-data", visited
        server.shutdown()


@pytest.fixture(scope="session", params=SERVED)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    scope: str = request.param
    folder = tmp_path_factory.mktemp(scope)
    values = {"scope": scope, "workloadNamespaces": list(SERVED[scope])}
    rendered = Helm(build.program("helm")).template(values)
    with ControlPlane(controllers=True, scheduler=True, audited=release.GROUP) as plane:
        release.install(plane, rendered, SERVED[scope] if scope == "Cluster" else (*SERVED[scope], ELSEWHERE))
        yield _life(scope, plane, rendered, folder)


def _life(scope: str, plane: ControlPlane, rendered: Rendered, folder: Path) -> Lived:
    places = [Place(plane, namespace) for namespace in SERVED[scope]]
    if scope == "Namespace":
        Place(plane, ELSEWHERE).apply("Dataset", "untouched", {"transform": {"sql": "select 1"}})
    with trap() as (url, visited), Witness(plane.kubeconfig) as witness:
        hostile = HostileAnswers(url)
        timings = Timings(run=1.5)  # long enough to be asked for its progress
        with MockKubelet(plane.kubeconfig, script=played, traffic=hostile, timings=timings):
            operator = release.start(plane, rendered, folder, DATABASE_PASSWORD=CANARY)
            try:
                with ThreadPoolExecutor() as pool:
                    list(pool.map(live, places))
                metrics = operator.metrics()
            finally:
                ended = operator.stop()
            assert ended == 0, operator.log.read_text()[-4000:]
            time.sleep(2)  # for the last states and lines to arrive
        return Lived(
            scope=scope,
            plane=plane,
            rendered=rendered,
            requests=requests(plane.audit_log),
            states=list(witness.states),
            log=operator.log.read_text(),
            metrics=metrics,
            connections=operator.connections.read_text(),
            bearer=operator.bearer,
            visited=visited,
            redirected=hostile.given,
        )
