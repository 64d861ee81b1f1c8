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
from tests.bench.serving.measure import WrongAnswerError
from tests.bench.serving.models import Model, columns, rows, truth
from tests.bench.serving.payloads import deepened, read_v2
from tests.bench.serving.peers.catalog import AHEAD, PEERS, TENFOLD, Form, Peer
from tests.bench.serving.process import ROOT, Server, cost, load, running
from tests.bench.serving.request import Request, answer_of
from tests.bench.serving.rounds import Pairs, interleaved
from tests.cluster.waiting import free_ports

ROUNDS = 3


def compared(
    model: Model, ours: Server, sent: Request, binary: Request | None, expected: str, seconds: float
) -> Iterator[Row]:
    """A row per peer and form. `sent` is of one row as V2 JSON, `binary` the same in bytes, for the peers that take
    those; everybody has to answer `expected`. Raises WrongAnswerError."""
    write_model(model, sent.body.parent)
    forms: tuple[Form, ...] = ("graph",) if model.booster else get_args(Form)  # their environments have no boosters
    for peer in PEERS if model.name in TENFOLD else AHEAD:
        for form in forms:
            with _started(peer, form, sent, expected) as server:
                yield _row(model, peer, form, "one row", *_measured(server, ours, peer, sent, seconds))
                if binary is None or not peer.binary or form == "native":
                    continue
                if (found := _answer(server.port, peer, binary)) != expected:
                    raise WrongAnswerError(f"{peer.name} answers {found} in bytes, and the model {expected}")
                found_in_bytes = _measured(server, ours, peer, binary, seconds)
            yield _row(model, peer, form, "one row as V2 binary", *found_in_bytes)


def _measured(server: Server, ours: Server, peer: Peer, sent: Request, seconds: float) -> tuple[Pairs, int]:
    """The peer's figures, which are the first of each pair, with ours; and how many requests it failed."""
    own = _own(peer, sent)
    failed: list[int] = []

    def theirs() -> float:
        us, errors = cost(server, own, seconds)
        failed.append(errors)
        return us

    load(server.port, own, 32, seconds)
    return interleaved(theirs, lambda: cost(ours, sent, seconds)[0], ROUNDS), sum(failed)


def write_model(model: Model, folder: Path) -> None:
    """What the peers load beside the graph: the estimator, and the rows that ours was fitted on, without names."""
    if model.booster is None:
        frame = table_frame(rows(model, 0), columns(model))
        joblib.dump((model.estimator(), frame.to_numpy().tolist(), truth(model).tolist()), folder / "model.joblib")
    (folder / "classes.txt").write_text("no yes")
    (folder / "features.txt").write_text(str(model.features))


def _row(model: Model, peer: Peer, form: Form, what: str, pairs: Pairs, failed: int) -> Row:
    them, us = pairs.medians
    return Row(
        f"CPU of {peer.name}, {form}, for a request over ours, {model.name}, {what}, 32 connections",
        "x",
        pairs.ratio,
        peer.targets.get(model.name, 1.0),
        better="higher",
        peer=them,
        peer_name=peer.name,
        note=f"peer in CPU-µs; ours {us:.0f}" + (f"; the peer failed {failed} requests" if failed else ""),
    )


def _own(peer: Peer, sent: Request) -> Request:
    """As the peer takes it."""
    if not peer.deep:
        return sent
    content, headers = deepened(sent.body.read_bytes(), sent.headers)
    body = sent.body.with_name(f"deep-{sent.body.name}")
    body.write_bytes(content)
    return replace(sent, body=body, headers=headers)


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
        return _answer(port, peer, sent) == expected

    with running(peer.command(port), port, ready, folder / f"{peer.lock}-{form}.log", environment) as server:
        yield server


def _answer(port: int, peer: Peer, sent: Request) -> str | None:
    """The class that is answered, or None while there is none."""
    try:
        found = answer_of(port, _own(peer, sent))
    except (urllib.error.URLError, OSError):
        return None
    if found.startswith(b"["):  # BentoML answers batches by lists
        found = json.dumps(json.loads(found)[0]).encode()
    (label,) = read_v2(found)
    return str(label)
