"""The one measurement of the grid: what a request costs a server beside an echo of the same bytes."""

import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import Row
from tests.bench.serving.payloads import Payload
from tests.bench.serving.process import Server, cost, serving
from tests.bench.serving.request import Request, answer_of
from tests.bench.serving.rounds import Pairs, interleaved
from tests.cluster.waiting import free_ports


@dataclass(frozen=True)
class Sizes:
    """`seconds` of each load of each round."""

    rounds: int
    seconds: float


class WrongAnswerError(Exception):
    """A server answers otherwise than the model."""


def cpu_us(server: Server, request: Request, sizes: Sizes, connections: int = 32, settle: float = 0.0) -> float:
    """Per request. Raises WrongAnswerError for an answer other than 200."""
    us, errors = cost(server, request, sizes.seconds, connections, settle)
    if errors:
        raise WrongAnswerError(f"{errors} requests failed")
    return us


def beside(ours: Server, floor: Server, request: Request, sizes: Sizes, connections: int = 32) -> Pairs:
    return interleaved(
        lambda: cpu_us(ours, request, sizes, connections),
        lambda: cpu_us(floor, request, sizes, connections),
        sizes.rounds,
    )


def row(what: str, connections: int, pairs: Pairs, target: float) -> Row:
    us, echo = pairs.medians
    return Row(
        f"CPU per request, {what}, {connections} connections",
        "x bare echo",
        pairs.ratio,
        target,
        note=f"{us:.0f} CPU-µs; the echo {echo:.0f}",
    )


def asked(server: Server) -> tuple[int, int]:
    """Rows and batches that the model of ours was asked since the server's start."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/v2/models/bench/stats", timeout=10) as answer:
        (found,) = json.load(answer)["model_stats"]
    return int(found["inference_count"]), int(found["execution_count"])


def mean_batch(before: tuple[int, int], after: tuple[int, int]) -> float:
    """The rows of a batch between two answers of `asked`."""
    rows, batches = (late - early for late, early in zip(after, before, strict=True))
    return rows / batches


def checked(server: Server, request: Request, payload: Payload, expected: Sequence[Any]) -> bytes:
    """The answer. Raises WrongAnswerError where its predictions are others than `expected`."""
    found = answer_of(server.port, request)
    if (predictions := payload.read(found)) != list(expected):
        raise WrongAnswerError(f"{payload.name} answers {predictions}, and the model {expected}")
    return found


@contextmanager
def echo(answer: bytes, place: Path) -> Iterator[Server]:
    """`place` is a folder of this server's own."""
    place.mkdir()
    (place / "answer").write_bytes(answer)
    (port,) = free_ports(1)
    arguments = ["-m", "tests.bench.serving.echo", str(port), str(place / "answer")]
    with serving(arguments, port, "/", place / "echo.log", {}) as server:
        yield server
