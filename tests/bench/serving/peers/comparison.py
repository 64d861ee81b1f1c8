"""Ours and each peer in turn, on the same model and the same bytes: CPU of the whole process tree for a request."""

import json
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import get_args

import joblib

from modelyard_kit.tabular import table_frame
from tests.bench.figures import Row
from tests.bench.serving.models import Model, columns, rows, truth
from tests.bench.serving.peers.catalog import AHEAD, PEERS, TENFOLD, Form, Peer
from tests.bench.serving.process import ROOT, Server, cost, load, running
from tests.bench.serving.request import Request, answer_of
from tests.bench.serving.rounds import Pairs, interleaved
from tests.cluster.waiting import free_ports

ROUNDS = 3


def compared(model: Model, ours: Server, sent: Request, expected: str, seconds: float) -> Iterator[Row]:
    """A row per peer and form. `sent` is of one row as V2 JSON, for which everybody has to answer `expected`."""
    write_model(model, sent.body.parent)
    forms: tuple[Form, ...] = ("graph",) if model.booster else get_args(Form)  # their environments have no boosters
    for peer in PEERS if model.name in TENFOLD else AHEAD:
        for form in forms:
            yield _compared(model, ours, peer, form, sent, expected, seconds)


def _compared(model: Model, ours: Server, peer: Peer, form: Form, sent: Request, expected: str, seconds: float) -> Row:
    own = _deep(sent) if peer.deep else sent
    failed: list[int] = []

    def theirs() -> float:
        us, errors = cost(server, own, seconds)
        failed.append(errors)
        return us

    with _started(peer, form, own, expected) as server:
        load(server.port, own, 32, seconds)
        pairs = interleaved(theirs, lambda: cost(ours, sent, seconds)[0], ROUNDS)
    return _row(model, peer, form, pairs, sum(failed))


def write_model(model: Model, folder: Path) -> None:
    """What the peers load beside the graph: the estimator, and the rows that ours was fitted on, without names."""
    if model.booster is None:
        frame = table_frame(rows(model, 0), columns(model))
        joblib.dump((model.estimator(), frame.to_numpy().tolist(), truth(model).tolist()), folder / "model.joblib")
    (folder / "classes.txt").write_text("no yes")
    (folder / "features.txt").write_text(str(model.features))


def _row(model: Model, peer: Peer, form: Form, pairs: Pairs, failed: int) -> Row:
    """The peer's figures are the first of each pair."""
    them, us = pairs.medians
    return Row(
        f"CPU of {peer.name}, {form}, for a request over ours, {model.name}, one row, 32 connections",
        "x",
        pairs.ratio,
        peer.targets.get(model.name, 1.0),
        better="higher",
        peer=them,
        peer_name=peer.name,
        note=f"peer in CPU-µs; ours {us:.0f}" + (f"; the peer failed {failed} requests" if failed else ""),
    )


def _deep(sent: Request) -> Request:
    """The same request with columns of two dimensions."""
    request = json.loads(sent.body.read_bytes())
    for tensor in request["inputs"]:
        tensor["shape"].append(1)
    deep = sent.body.with_name("deep.json")
    deep.write_text(json.dumps(request, separators=(",", ":")))
    return replace(sent, body=deep)


@contextmanager
def _started(peer: Peer, form: Form, sent: Request, expected: str) -> Iterator[Server]:
    (port,) = free_ports(1)
    folder = sent.body.parent
    environment = {
        "PYTHONPATH": str(ROOT),
        "PEER_PORT": str(port),
        "PEER_PATH": sent.path,
        "PEER_FOLDER": str(folder),
        "PEER_FORM": form,
    }

    def ready() -> bool:
        return _answer(port, sent) == expected

    with running(peer.command(port), port, ready, folder / f"{peer.lock}-{form}.log", environment) as server:
        yield server


def _answer(port: int, sent: Request) -> str | None:
    """The class that is answered, or None while there is none."""
    try:
        found = json.loads(answer_of(port, sent))
    except (urllib.error.URLError, OSError):
        return None
    if isinstance(found, list):  # BentoML answers batches by lists
        found = found[0]
    label: str = next(output["data"][0] for output in found["outputs"] if output["name"] == "predict")
    return label
