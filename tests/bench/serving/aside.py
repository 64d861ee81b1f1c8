"""What goes on aside, or is off: a server with it beside the same server, or one of its kind, without it."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from modelyard.contract.progress import Routing
from modelyard_kit.store import Store
from tests.bench.figures import Row
from tests.bench.serving.measure import Sizes, asked, cpu_us, mean_batch
from tests.bench.serving.models import Model
from tests.bench.serving.ours import ours_running
from tests.bench.serving.process import NothingMeasuredError, Server, load
from tests.bench.serving.request import Request
from tests.bench.serving.rounds import Pairs, interleaved

CAPTURED = 10  # percent
FLUSH = 1  # seconds between writes; a server's own default, 10, is longer than a load
SETTLE = FLUSH + 0.25  # after a load: the last rows are written then
SCRAPE = 1.0  # seconds between scrapes
ROUNDS = 8  # even, so that each begins as often as the other
TARGET = 1.05


def captured(model: Model, ours: Server, store: Store, digest: str, place: Path, sent: Request, sizes: Sizes) -> Row:
    """Both are given the time in which the last captured rows are written, and it counts: not to count it leaves the
    writes out that fall between two loads. Raises NothingMeasuredError where rows were dropped."""
    with ours_running(store, digest, place, CAPTURED, FLUSH) as capturing:
        load(capturing.port, sent, 32, sizes.seconds)
        before = [asked(server) for server in (capturing, ours)]
        pairs = interleaved(
            lambda: cpu_us(capturing, sent, sizes, settle=SETTLE),
            lambda: cpu_us(ours, sent, sizes, settle=SETTLE),
            ROUNDS,
        )
        after = [asked(server) for server in (capturing, ours)]
        stats = json.loads(_asked(capturing.management, "/stats"))
    if stats["captured"] == 0 or stats["captureDropped"]:
        raise NothingMeasuredError(f"{stats['captured']} rows were captured, {stats['captureDropped']} dropped")
    batch, without = map(mean_batch, before, after)
    what = f"{stats['captured']} rows written; {batch:.0f} rows a batch, {without:.0f} without"
    return _row(f"CPU with {CAPTURED} % captured, {model.name}", pairs, what)


def switched(model: Model, ours: Server, sent: Request, sizes: Sizes) -> Iterator[Row]:
    """What one server can do at some times and not at others is measured on it alone: two may have learned to batch
    otherwise."""
    scrapes: list[int] = []

    def while_scraped() -> float:
        with _scraped(ours.management) as done:
            found = cpu_us(ours, sent, sizes)
        scrapes.append(len(done))
        return found

    pairs = interleaved(while_scraped, lambda: cpu_us(ours, sent, sizes), ROUNDS)
    yield _row(f"CPU with metrics scraped every second, {model.name}", pairs, f"{sum(scrapes)} scrapes")

    def while_shadow_is_idle() -> float:
        with _idle_shadow(ours.management):
            return cpu_us(ours, sent, sizes)

    pairs = interleaved(while_shadow_is_idle, lambda: cpu_us(ours, sent, sizes), ROUNDS)
    yield _row(f"CPU with an idle shadow, {model.name}", pairs, "a candidate is named and gets 0 %")


def _row(name: str, pairs: Pairs, what: str) -> Row:
    us, without = pairs.medians
    note = f"{pairs.spread}; {us:.0f} CPU-µs, {without:.0f} without; {what}"
    return Row(name, "x without", pairs.ratio, TARGET, note=note)


@contextmanager
def _scraped(port: int) -> Iterator[list[bytes]]:
    """The first scrape comes after half the time between two, so that a load has as many as it has seconds."""
    done: list[bytes] = []
    ended = Event()

    def scrape() -> None:
        wait = SCRAPE / 2
        while not ended.wait(wait):
            done.append(_asked(port, "/metrics"))
            wait = SCRAPE

    thread = Thread(target=scrape)
    thread.start()
    try:
        yield done
    finally:
        ended.set()
        thread.join()


@contextmanager
def _idle_shadow(port: int) -> Iterator[None]:
    _route(port, Routing(epoch="idle", candidate="beside"))
    try:
        yield
    finally:
        _route(port, Routing(epoch="none"))


def _route(port: int, routing: Routing) -> None:
    headers = {"content-type": "application/json"}
    url = f"http://127.0.0.1:{port}/routing"
    sent = urllib.request.Request(url, routing.canonical().encode(), headers, method="PUT")
    urllib.request.urlopen(sent, timeout=10).close()  # noqa: S310


def _asked(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        found: bytes = answer.read()
    return found
