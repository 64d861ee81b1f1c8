"""Which requests the candidate answers, where it is found, and when two answers disagree."""

import hashlib
import math
import re
from collections.abc import Sequence
from typing import Any

from modelyard.contract.progress import Routing
from modelyard.contract.tasks import SERVING_PORT
from modelyard_serving.errors import RequestError

REVISION = re.compile(r"[a-z0-9]{1,16}")
TOLERANCE = 0.01  # two numbers that differ by a larger share of the larger one disagree


def check_routing(routing: Routing, own_revision: str) -> None:
    """Raises `RequestError` 400. The candidate's name becomes part of a host name, so nothing else may be in it."""
    for name, share in (("weight", routing.weight), ("shadow", routing.shadow)):
        if not 0 <= share <= 100:
            raise RequestError(400, f"{name} is {share}: it is a percentage from 0 to 100")
    if routing.weight + routing.shadow > 100:
        raise RequestError(400, f"weight {routing.weight} and shadow {routing.shadow} are more than 100 percent")
    if routing.candidate is None:
        if routing.weight or routing.shadow:
            raise RequestError(400, "candidate is missing: name the revision that gets the share")
        return
    if not REVISION.fullmatch(routing.candidate):
        raise RequestError(400, f"candidate {routing.candidate!r} is no revision: 1 to 16 letters a-z and digits")
    if routing.candidate == own_revision:
        raise RequestError(400, f"candidate {routing.candidate!r} is this server's own revision")


def candidate_url(deployment: str, revision: str) -> str:
    return f"http://{deployment}-{revision}:{SERVING_PORT}"


def asks_candidate(routing: Routing) -> bool:
    """Whether any request is its, or is shown to it: one that only starts, or gets 0 %, costs requests nothing."""
    return routing.candidate is not None and bool(routing.weight or routing.shadow)


def takes_candidate(routing: Routing, inference_id: str) -> bool:
    """By hash of the id: the same id always goes the same way, and stays with the candidate while weights rise.

    Salted, so that the share is independent of which requests are captured.
    """
    return bool(routing.weight) and _place(inference_id) < routing.weight


def is_shadowed(routing: Routing, inference_id: str) -> bool:
    """Whether the candidate is asked beside. As the weight rises, shadowed requests become the candidate's own."""
    return bool(routing.shadow) and 0 <= _place(inference_id) - routing.weight < routing.shadow


def _place(inference_id: str) -> int:
    """From 0 to 99."""
    return int.from_bytes(hashlib.sha256(b"split:" + inference_id.encode()).digest()[:4]) % 100


def disagreements(own: Sequence[Any], other: Sequence[Any], numeric: bool) -> int:
    """The number of rows predicted differently. Lengths must be equal."""
    differs = _numbers_differ if numeric else _classes_differ
    return sum(differs(left, right) for left, right in zip(own, other, strict=True))


def _classes_differ(left: Any, right: Any) -> bool:
    return bool(left != right)


def _numbers_differ(left: Any, right: Any) -> bool:
    return not math.isclose(float(left), float(right), rel_tol=TOLERANCE, abs_tol=1e-12)
