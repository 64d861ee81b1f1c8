"""One reconcile as logs tell it: an id that every line logged within it carries, and how many writes it sent."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

from modelyard.plan.plan import Key


@dataclass
class Trace:
    key: Key
    id: str
    writes: int = 0


_current: ContextVar[Trace | None] = ContextVar("reconcile", default=None)


@contextmanager
def reconciling(key: Key) -> Iterator[Trace]:
    """Tasks started within belong to the same reconcile."""
    trace = Trace(key, uuid4().hex)
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def wrote() -> None:
    """Count a write for the reconcile under way, if there is one."""
    trace = _current.get()
    if trace:
        trace.writes += 1


def fields() -> Mapping[str, str]:
    """What every log line of the reconcile under way carries; {} outside of one."""
    trace = _current.get()
    if trace is None:
        return {}
    key = trace.key
    return {"reconcile_id": trace.id, "kind": key.kind, "namespace": key.namespace, "name": key.name}
