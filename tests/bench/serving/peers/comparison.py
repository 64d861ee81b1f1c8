"""Ours and each peer in turn, on the same model and the same bytes: CPU of the whole process tree for a request."""

import json
import statistics
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import joblib

from modelyard_kit.tabular import table_frame
from tests.bench.figures import Row
from tests.bench.serving.models import Model, columns, rows, truth
from tests.bench.serving.peers.catalog import AHEAD, PEERS, TENFOLD, Form, Peer
from tests.bench.serving.process import ROOT, Server, cost, load, running
from tests.cluster.waiting import free_ports

ROUNDS = 3


def compared(model: Model, ours: Server, path: str, body: Path, expected: str, seconds: float) -> Iterator[Row]:
    """A row per peer and form. `body` is of one row, for which everybody has to answer `expected`."""
    write_model(model, body.parent)
    forms: tuple[Form, ...] = ("graph",) if model.booster else get_args(Form)  # their environments have no boosters
    for peer in PEERS if model.name in TENFOLD else AHEAD:
        for form in forms:
            own = _deep(body) if peer.deep else body
            with _started(peer, form, path, own, expected) as server:
                load(server.port, path, own, 32, seconds)
                both = ((ours, body), (server, own))
                measured = [[cost(each, path, sent, seconds) for each, sent in both] for _ in range(ROUNDS)]
            yield _row(model, peer, form, measured)


def write_model(model: Model, folder: Path) -> None:
    """What the peers load beside the graph: the estimator, fitted as ours but on rows without names."""
    if model.booster is None:
        frame = table_frame(rows(model, 0), columns(model))
        joblib.dump(model.estimator().fit(frame.to_numpy(), truth(model)), folder / "model.joblib")
    (folder / "classes.txt").write_text("no yes")
    (folder / "features.txt").write_text(str(model.features))


def _row(model: Model, peer: Peer, form: Form, measured: list[list[tuple[float, int]]]) -> Row:
    ratios = [theirs / our for (our, _), (theirs, _) in measured]
    us, them = (statistics.median(side[place][0] for side in measured) for place in (0, 1))
    failed = sum(errors for _, (_, errors) in measured)
    return Row(
        f"CPU of {peer.name}, {form}, for a request over ours, {model.name}, one row, 32 connections",
        "x",
        statistics.median(ratios),
        peer.targets.get(model.name, 1.0),
        better="higher",
        peer=them,
        peer_name=peer.name,
        note=f"peer in CPU-µs; ours {us:.0f}" + (f"; the peer failed {failed} requests" if failed else ""),
    )


def _deep(body: Path) -> Path:
    """The same request with columns of two dimensions."""
    request = json.loads(body.read_bytes())
    for tensor in request["inputs"]:
        tensor["shape"].append(1)
    deep = body.with_name("deep.json")
    deep.write_text(json.dumps(request, separators=(",", ":")))
    return deep


@contextmanager
def _started(peer: Peer, form: Form, path: str, body: Path, expected: str) -> Iterator[Server]:
    (port,) = free_ports(1)
    environment = {
        "PYTHONPATH": str(ROOT),
        "PEER_PORT": str(port),
        "PEER_PATH": path,
        "PEER_FOLDER": str(body.parent),
        "PEER_FORM": form,
    }
    log = body.parent / f"{peer.lock}-{form}.log"

    def ready() -> bool:
        return _answer(port, path, body.read_bytes()) == expected

    with running(peer.command(port), port, ready, log, environment) as server:
        yield server


def _answer(port: int, path: str, body: bytes) -> str | None:
    """The class that is answered, or None while there is none."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            found = json.loads(response.read())
    except (urllib.error.URLError, OSError):
        return None
    if isinstance(found, list):  # BentoML answers batches by lists
        found = found[0]
    label: str = next(output["data"][0] for output in found["outputs"] if output["name"] == "predict")
    return label
