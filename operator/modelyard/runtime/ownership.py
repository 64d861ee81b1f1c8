"""Whether somebody else has changed what we applied, told by the field owners that the API server keeps.

A field that another client changes is no longer ours; one that it removes is nobody's. Status is not looked at.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from modelyard.plan.labels import MANAGER
from modelyard.plan.plan import Key, Object, key_of

_CONTENT = ("f:spec", "f:data")
# What an object without managedFields held when it was first applied: its owner is nobody.
# https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/util/managedfields
_NOBODY = "before-first-apply"


class Owners(NamedTuple):
    """`fingerprint` differs when owners of fields differ; it means nothing in another process."""

    fingerprint: int
    shared: bool  # others own fields of the content


class Ownership:
    """Of the children that are applied: the owners of their fields now, and as our last apply left them."""

    def __init__(self) -> None:
        self._now: dict[Key, Owners] = {}
        self._applied: dict[Key, Owners] = {}

    def note(self, obj: Object) -> None:
        """An object as the API server sends it, with managedFields."""
        self._now[key_of(obj)] = owners(obj)

    def applied(self, obj: Object) -> None:
        """The same, as the answer to an apply."""
        self._applied[key_of(obj)] = owners(obj)

    def forget(self, key: Key) -> None:
        self._now.pop(key, None)
        self._applied.pop(key, None)

    def touched(self, key: Key) -> bool:
        """Whether somebody has changed it since our last apply; after a start, whether others own a part of it.

        What others own besides, an apply does not take from them: once is enough.
        """
        now, then = self._now.get(key), self._applied.get(key)
        if now is None:
            return False
        if then is None and not now.shared:
            self._applied[key] = now
            return False
        return now != then


def owners(obj: Object) -> Owners:
    ours: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for entry in obj["metadata"].get("managedFields", ()):
        content = _content(entry) if entry.get("subresource") != "status" else {}
        if content and entry["manager"] != _NOBODY:
            (ours if entry["manager"] == MANAGER else others).append(content)
    return Owners(hash(repr((ours, others))), bool(others))


def _content(entry: Mapping[str, Any]) -> dict[str, Any]:
    fields = entry.get("fieldsV1", {})
    return {name: fields[name] for name in _CONTENT if name in fields}
