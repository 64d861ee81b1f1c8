"""The measurements: interleaved rounds of our server and of the echo, on the same bytes, and the medians of them."""

import json
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from modelyard.contract.store import StoreConfig
from modelyard_kit.model import LoadedModel
from modelyard_kit.onnx_format import OnnxModel
from modelyard_kit.store import Store
from tests.bench.figures import Row
from tests.bench.serving.models import GRID, Model, columns, published, rows
from tests.bench.serving.ours import PATH, ours_running
from tests.bench.serving.peers.comparison import compared
from tests.bench.serving.process import Server, cost, load, serving
from tests.cluster.waiting import free_ports

PEER_SECONDS = 2.0  # of each load of a comparison
CAPTURED = 10  # percent
CONNECTIONS = (1, 8, 128)  # beside the 32 of all other rows
MANY = 64  # rows of a large request
SHAPED = 2.0  # echoes; nothing was promised for these
DATATYPES = {"float64": "FP64", "string": "BYTES"}


@dataclass(frozen=True)
class Sizes:
    """`seconds` of each load of each round."""

    rounds: int
    seconds: float


class WrongAnswerError(Exception):
    """A server answers otherwise than the model."""


def run(sizes: Sizes) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        return [row for model in GRID for row in _model(model, Path(name), sizes)]


def _model(model: Model, folder: Path, sizes: Sizes) -> Iterator[Row]:
    place = folder / model.name.replace("(", "-").rstrip(")")
    (place / "store").mkdir(parents=True)
    store = Store(StoreConfig(uri=f"file://{place}/store"))
    digest, native, graph = published(store, model, place)
    body, answer = place / "body.json", place / "answer.json"
    body.write_bytes(request_of(model))
    with ExitStack() as stack:
        ours = stack.enter_context(ours_running(store, digest, place))
        answer.write_bytes(_checked(ours, body, native, model))
        floor = stack.enter_context(_echo(answer, place))
        for server in (ours, floor):
            load(server.port, PATH, body, 32, sizes.seconds)  # warms up, and our batches learn
        own = _ratio(f"{model.name}, one row", 32, ours, floor, body, sizes)
        alone = load(ours.port, PATH, body, 1, sizes.seconds).p50_ms
        least = load(floor.port, PATH, body, 1, sizes.seconds).p50_ms
        memory, ready = ours.pss_mb(), ours.ready_s
        capturing = stack.enter_context(ours_running(store, digest, _folder(place, "capturing"), CAPTURED))
        load(capturing.port, PATH, body, 32, sizes.seconds)
        captured = [_cpu_us(capturing, body, sizes) / _cpu_us(ours, body, sizes) for _ in range(sizes.rounds)]
        label = native.predict(rows(model, 3).slice(0, 1)).values[0]
        seconds = min(sizes.seconds, PEER_SECONDS)
        peers = [] if model.words else list(compared(model, ours, PATH, body, str(label), seconds))
        shapes = list(_shapes(model, ours, floor, place, sizes)) if model is GRID[0] else []
    yield replace(own, target=model.target)
    predict = predict_ms(graph, rows(model, 3).slice(0, 1))
    note = f"{alone:.2f} ms; the echo {least:.2f} ms, the graph alone {predict:.3f} ms"
    yield Row(
        f"p50 at one connection over the model's own time, {model.name}, one row", "ms", alone - predict, 0.3, note=note
    )
    yield Row(
        f"memory of the server, {model.name}",
        "MB PSS",
        memory,
        60,
        note="the target is of a server without a framework",
    )
    yield Row(f"ready, {model.name}", "s", ready, 1.5)
    yield Row(f"CPU with {CAPTURED} % captured, {model.name}", "x without", statistics.median(captured), 1.05)
    yield from shapes
    yield from peers


def _shapes(model: Model, ours: Server, floor: Server, place: Path, sizes: Sizes) -> Iterator[Row]:
    """Other numbers of connections and of rows."""
    for connections in CONNECTIONS:
        yield _ratio(f"{model.name}, one row", connections, ours, floor, place / "body.json", sizes)
    body, answer = place / "many.json", place / "many-answer.json"
    body.write_bytes(request_of(model, MANY))
    answer.write_bytes(answer_of(ours, body))
    with _echo(answer, _folder(place, "many")) as many:
        yield _ratio(f"{model.name}, {MANY} rows", 32, ours, many, body, sizes)


def _ratio(what: str, connections: int, ours: Server, floor: Server, body: Path, sizes: Sizes) -> Row:
    pairs = [[_cpu_us(each, body, sizes, connections) for each in (ours, floor)] for _ in range(sizes.rounds)]
    us, echo = (statistics.median(pair[place] for pair in pairs) for place in (0, 1))
    return Row(
        f"CPU per request, {what}, {connections} connections",
        "x bare echo",
        statistics.median(own / bare for own, bare in pairs),
        SHAPED,
        note=f"{us:.0f} CPU-µs; the echo {echo:.0f}",
    )


def _folder(place: Path, name: str) -> Path:
    (place / name).mkdir()
    return place / name


def _cpu_us(server: Server, body: Path, sizes: Sizes, connections: int = 32) -> float:
    """Per request. Raises WrongAnswerError for an answer other than 200."""
    us, errors = cost(server, PATH, body, sizes.seconds, connections)
    if errors:
        raise WrongAnswerError(f"{errors} requests failed")
    return us


@contextmanager
def _echo(answer: Path, place: Path) -> Iterator[Server]:
    (port,) = free_ports(1)
    arguments = ["-m", "tests.bench.serving.echo", str(port), str(answer)]
    with serving(arguments, port, "/", place / "echo.log", {}) as server:
        yield server


def request_of(model: Model, count: int = 1) -> bytes:
    row = rows(model, 3).slice(0, count).to_pydict()
    inputs = [
        {"name": column.name, "shape": [count], "datatype": DATATYPES[column.type], "data": row[column.name]}
        for column in columns(model)
    ]
    return json.dumps({"inputs": inputs}).encode()


def _checked(server: Server, body: Path, native: LoadedModel, model: Model) -> bytes:
    """The answer to the body. Raises WrongAnswerError where it is not the native model's."""
    found = answer_of(server, body)
    answered = next(o["data"] for o in json.loads(found)["outputs"] if o["name"] == "predict")
    expected = native.predict(rows(model, 3).slice(0, 1)).values
    if answered != expected:
        raise WrongAnswerError(f"{model.name} answers {answered}, and its model {expected}")
    return found


def answer_of(server: Server, body: Path) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{PATH}", body.read_bytes())
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        found: bytes = response.read()
    return found


def predict_ms(graph: OnnxModel, row: pa.Table) -> float:
    """The median time of the graph alone."""
    times = []
    for _ in range(300):
        begun = time.perf_counter()
        graph.predict(row)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000
