"""The grid: our server beside the echo, beside itself with what goes on aside, and beside its peers, model by model."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from modelyard.contract.store import StoreConfig
from modelyard_kit.model import LoadedModel
from modelyard_kit.onnx_format import OnnxModel
from modelyard_kit.store import Store
from tests.bench.figures import Row
from tests.bench.serving.aside import captured, switched
from tests.bench.serving.floor import graph_us
from tests.bench.serving.measure import Sizes, asked, beside, checked, echo, mean_batch, row
from tests.bench.serving.models import GRID, Model, columns, published, rows
from tests.bench.serving.no_op import NO_OP, published_no_op
from tests.bench.serving.ours import ours_running
from tests.bench.serving.payloads import OTHERS, SEED, V2_BINARY, V2_JSON, Payload
from tests.bench.serving.peers.comparison import compared
from tests.bench.serving.process import Server, load
from tests.bench.serving.request import Request

PEER_SECONDS = 2.0  # of each load of a comparison
CONNECTIONS = (1, 8, 128)  # beside the 32 of all other rows
MANY = 64  # rows of a large request
SHAPED = 2.0  # echoes; nothing was promised for these
PAYLOAD_ROUNDS = 3
PAYLOADS = ("LogReg", "HistGradientBoosting")  # the fewest columns, and the most
FORMS = ((V2_JSON, MANY), (V2_BINARY, MANY), *((payload, 1) for payload in OTHERS))


@dataclass(frozen=True)
class Served:
    """A model of the grid, published, with its server and the request of one row."""

    model: Model
    native: LoadedModel
    ours: Server
    place: Path
    one: Request

    def asked_in(self, payload: Payload, count: int) -> tuple[Request, bytes]:
        """A request of so many rows and the answer, which is the native model's. Raises WrongAnswerError."""
        given = asking(self.model, count)
        sent = payload.request(given, columns(self.model), self.place)
        return sent, checked(self.ours, sent, payload, self.native.predict(given).values)


def asking(model: Model, count: int) -> pa.Table:
    return rows(model, SEED).slice(0, count)


def run(sizes: Sizes) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [_no_op(folder, sizes), *(row for model in GRID for row in _model(model, folder, sizes))]


def _store(model: Model, folder: Path) -> tuple[Store, Path]:
    """And the model's folder."""
    place = folder / model.name.replace("(", "-").rstrip(")")
    (place / "store").mkdir(parents=True)
    return Store(StoreConfig(uri=f"file://{place}/store")), place


def _no_op(folder: Path, sizes: Sizes) -> Row:
    store, place = _store(NO_OP, folder)
    digest, native = published_no_op(store, place)
    with ours_running(store, digest, place) as ours:
        sent = V2_JSON.request(asking(NO_OP, 1), columns(NO_OP), place)
        answer = checked(ours, sent, V2_JSON, native.predict(asking(NO_OP, 1)).values)
        with echo(answer, place / "echo") as floor:
            for server in (ours, floor):
                load(server.port, sent, 32, sizes.seconds)
            pairs = beside(ours, floor, sent, sizes)
    made = row(f"{NO_OP.name}, one row", 32, pairs, NO_OP.target)
    return replace(made, note=f"{made.note}; a call of ONNX Runtime for each batch is in it")


def _model(model: Model, folder: Path, sizes: Sizes) -> Iterator[Row]:
    store, place = _store(model, folder)
    digest, native, graph = published(store, model, place)
    one = V2_JSON.request(asking(model, 1), columns(model), place)
    with ours_running(store, digest, place) as ours:
        served = Served(model, native, ours, place, one)
        _, answer = served.asked_in(V2_JSON, 1)
        with echo(answer, place / "echo") as floor:
            yield from _plain(served, graph, floor, sizes)
            if model is GRID[0]:
                yield from _connections(served, floor, sizes)
        yield captured(model, ours, store, digest, _folder(place, "capturing"), one, sizes)
        if model is GRID[0]:
            yield from switched(model, ours, one, sizes)
        if model.name in PAYLOADS:
            yield from _payloads(served, sizes)
        if not model.words:
            (label,) = native.predict(asking(model, 1)).values
            binary = served.asked_in(V2_BINARY, 1)[0] if model is GRID[0] else None
            yield from compared(model, ours, one, binary, str(label), min(sizes.seconds, PEER_SECONDS))


def _plain(served: Served, graph: OnnxModel, floor: Server, sizes: Sizes) -> Iterator[Row]:
    """What every model has: CPU by both floors, latency, memory, time to be ready."""
    model, ours, one = served.model, served.ours, served.one
    for server in (ours, floor):
        load(server.port, one, 32, sizes.seconds)  # warms up, and our batches learn
    before = asked(ours)
    pairs = beside(ours, floor, one, sizes)
    batch = mean_batch(before, asked(ours))
    alone, least = (load(server.port, one, 1, sizes.seconds).p50_ms for server in (ours, floor))
    memory = ours.pss_mb()
    yield row(f"{model.name}, one row", 32, pairs, model.target)
    share = graph_us(graph, asking(model, 32))
    yield Row(
        f"CPU per request, {model.name}, one row, 32 connections, over echo and graph",
        "x floor",
        pairs.over(share),
        model.target,
        note=f"the graph needs {share:.1f} CPU-µs for a row of 32; the server asked it {batch:.0f} at once",
    )
    predict = predict_ms(graph, asking(model, 1))
    yield Row(
        f"p50 at one connection over the model's own time, {model.name}, one row",
        "ms",
        alone - predict,
        0.3,
        note=f"{alone:.2f} ms; the echo {least:.2f} ms, the graph alone {predict:.3f} ms",
    )
    without = "the target is of a server without a framework"
    yield Row(f"memory of the server, {model.name}", "MB PSS", memory, 60, note=without)
    yield Row(f"ready, {model.name}", "s", ours.ready_s, 1.5)


def _connections(served: Served, floor: Server, sizes: Sizes) -> Iterator[Row]:
    for connections in CONNECTIONS:
        pairs = beside(served.ours, floor, served.one, sizes, connections)
        yield row(f"{served.model.name}, one row", connections, pairs, SHAPED)


def _payloads(served: Served, sizes: Sizes) -> Iterator[Row]:
    """Other protocols, and many rows."""
    for payload, count in FORMS:
        sent, answer = served.asked_in(payload, count)
        with echo(answer, served.place / f"echo-{sent.body.name}") as floor:
            load(served.ours.port, sent, 32, sizes.seconds)
            pairs = beside(served.ours, floor, sent, replace(sizes, rounds=PAYLOAD_ROUNDS))
        what = "one row" if count == 1 else f"{count} rows"
        yield row(f"{served.model.name}, {what} as {payload.name}", 32, pairs, SHAPED)


def _folder(place: Path, name: str) -> Path:
    (place / name).mkdir()
    return place / name


def predict_ms(graph: OnnxModel, row: pa.Table) -> float:
    """The median time of the graph alone."""
    times = []
    for _ in range(300):
        begun = time.perf_counter()
        graph.predict(row)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000
