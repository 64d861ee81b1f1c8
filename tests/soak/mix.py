"""The faults of the soak and how often each strikes: about one request in eight, and every other watch."""

from tests.cluster.fault_proxy.effects import Break, Cut, Effect, Hang, Refuse, Reset, Silence, Slow, Truncate
from tests.cluster.fault_proxy.rules import Rule

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WRITES: tuple[tuple[float, Effect], ...] = (
    (0.02, Refuse(409, "Conflict")),
    (0.01, Refuse(409, "Conflict", done=True)),
    (0.02, Refuse(429, "TooManyRequests", retry_after=1)),
    (0.02, Refuse(500, "InternalError")),
    (0.01, Refuse(500, "InternalError", done=True)),
    (0.01, Refuse(504, "Timeout", done=True)),
    (0.005, Refuse(403, "Forbidden", "is forbidden: injected")),
    (0.01, Reset()),
    (0.01, Reset(done=True)),
    (0.003, Hang(8)),
    (0.01, Slow(1)),
    (0.005, Truncate()),
    (0.005, Truncate(framed=True)),
)
_READS: tuple[tuple[float, Effect], ...] = (
    (0.02, Refuse(429, "TooManyRequests", retry_after=1)),
    (0.02, Refuse(500, "InternalError")),
    (0.01, Refuse(404, "NotFound", "the server could not find the requested resource")),
    (0.005, Refuse(410, "Expired")),
    (0.005, Refuse(403, "Forbidden", "is forbidden: injected")),
    (0.01, Reset()),
    (0.003, Hang(8)),
    (0.02, Slow(1)),
    (0.01, Truncate()),
    (0.01, Truncate(framed=True)),
)
_WATCHES: tuple[tuple[float, Effect], ...] = (
    (0.10, Silence(after=5)),
    (0.10, Break(410, "Expired", after=10)),
    (0.05, Break(500, "InternalError", after=10)),
    (0.10, Cut(after=8)),
    (0.05, Truncate()),
    (0.05, Truncate(framed=True)),
    (0.05, Refuse(500, "InternalError")),
    (0.05, Refuse(410, "Expired")),
    (0.02, Hang(20)),
)


def rules() -> list[Rule]:
    """A lease is spared a missing kind, which cannot be meant for it."""
    writes = [Rule(effect, WRITES, share=share) for share, effect in _WRITES]
    watches = [Rule(effect, watch=True, share=share) for share, effect in _WATCHES]
    reads = [Rule(effect, frozenset({"GET"}), "^/apis?/(?!coordination)", watch=False, share=s) for s, effect in _READS]
    return [*writes, *watches, *reads]
