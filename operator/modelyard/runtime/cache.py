"""What the cluster looks like, as far as watches and lists have told: the Lookup that planners ask.

Order of arrival does not matter: of two states of an object the one with the higher resourceVersion stays, and a
deleted one does not come back by an older message.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.plan.labels import owner_of
from modelyard.plan.observe import Told, relations
from modelyard.plan.plan import Key, Object, key_of
from modelyard.runtime.ownership import Ownership
from modelyard.runtime.resources import APPLIED_KINDS
from modelyard.runtime.trim import trimmed

_TOMBSTONES = 10_000


def version_of(obj: Object) -> int:
    """resourceVersion as a number; comparing them is allowed within a resource (KEP-5504)."""
    return int(obj["metadata"]["resourceVersion"])


@dataclass(frozen=True)
class Change:
    old: Object | None
    new: Object | None


class Cache:
    def __init__(self) -> None:
        self._objects: defaultdict[tuple[str, str], dict[str, Object]] = defaultdict(dict)
        self._owned: defaultdict[Key, dict[Key, Object]] = defaultdict(dict)
        self._naming: defaultdict[tuple[str, str, str, str], dict[str, Object]] = defaultdict(dict)
        self._deleted: OrderedDict[Key, int] = OrderedDict()
        self._readings: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.ownership = Ownership()
        self._told: dict[str, tuple[Told, ...]] = {}
        self._pods_read: set[str] = set()

    def get(self, key: Key) -> Object | None:
        return self._objects.get((key.kind, key.namespace), {}).get(key.name)

    def naming(self, kind: str, namespace: str, relation: str, name: str) -> Sequence[Object]:
        """The resources that name another in one of their relations, in the order in which they did."""
        return list(self._naming.get((kind, namespace, relation, name), {}).values())

    def children(self, key: Key) -> Sequence[Object]:
        return list(self._owned.get(key, {}).values())

    def reading(self, namespace: str, pod: str) -> Mapping[str, Any] | None:
        return self._readings.get((namespace, pod))

    def told(self, uid: str) -> tuple[Told, ...]:
        return self._told.get(uid, ())

    def pods_read(self, uid: str) -> bool:
        return uid in self._pods_read

    def keys(self, kind: str, namespace: str | None = None) -> Iterator[Key]:
        """All objects of a kind, of one namespace or of every one."""
        for (known, place), objects in list(self._objects.items()):
            if known == kind and namespace in (None, place):
                yield from (Key(kind, place, name) for name in list(objects))

    def put(self, obj: Object) -> Change | None:
        """Remember this state; None if it is not newer than what is known."""
        key, version = key_of(obj), version_of(obj)
        old = self.get(key)
        known = max(version_of(old) if old else 0, self._deleted.get(key, 0))
        if version <= known:
            return None
        new = trimmed(obj)
        self._take_out(key)
        self._objects[key.kind, key.namespace][key.name] = new
        if key.kind in APPLIED_KINDS:
            self.ownership.note(obj)
        owner = owner_of(new)
        if owner:
            self._owned[owner][key] = new
        for relation, name in relations(new).items():
            self._naming[key.kind, key.namespace, relation, name][key.name] = new
        return Change(old, new)

    def pop(self, obj: Object) -> Change | None:
        """Forget an object that was deleted at this state; None if a newer one has its name already."""
        return self.drop(key_of(obj), version_of(obj))

    def drop(self, key: Key, version: int) -> Change | None:
        """Forget an object of which the API server says that there was none at this version; None if a newer one has
        its name. Older messages that are still to come do not bring it back."""
        old = self.get(key)
        if old and version_of(old) > version:
            return None
        self._deleted[key] = max(version, self._deleted.pop(key, 0))
        if len(self._deleted) > _TOMBSTONES:
            self._deleted.popitem(last=False)
        return self._remove(key)

    def drop_ghosts(self, kind: str, namespace: str | None, listed: Collection[Key], version: int) -> list[Change]:
        """Forget what a complete list, taken at `version`, does not hold: deletions that no watch has told."""
        dropped = [self.drop(key, version) for key in list(self.keys(kind, namespace)) if key not in listed]
        return [change for change in dropped if change]

    def set_reading(self, namespace: str, pod: str, reading: Mapping[str, Any] | None) -> bool:
        """What a pod last told; None forgets it. True if that is news."""
        changed = self._readings.get((namespace, pod)) != reading
        if reading is None:
            self._readings.pop((namespace, pod), None)
        else:
            self._readings[namespace, pod] = reading
        return changed

    def set_told(self, uid: str, told: tuple[Told, ...]) -> bool:
        """The events about a child, by its uid; none forgets them. True if that is news."""
        changed = self.told(uid) != told
        if told:
            self._told[uid] = told
        else:
            self._told.pop(uid, None)
        return changed

    def set_pods_read(self, uid: str) -> bool:
        """The pods of this ended Job are known as the API server has them. True if that is news."""
        news = uid not in self._pods_read
        self._pods_read.add(uid)
        return news

    def sizes(self) -> Mapping[str, int]:
        """Objects by kind."""
        result: defaultdict[str, int] = defaultdict(int)
        for (kind, _), objects in self._objects.items():
            result[kind] += len(objects)
        return result

    def _remove(self, key: Key) -> Change | None:
        old = self._take_out(key)
        if old and key.kind == "Pod":
            self._readings.pop((key.namespace, key.name), None)
        if old and key.kind == "Job":
            self._pods_read.discard(old["metadata"]["uid"])
        self.ownership.forget(key)
        return Change(old, None) if old else None

    def _take_out(self, key: Key) -> Object | None:
        place = (key.kind, key.namespace)
        old = self._objects.get(place, {}).pop(key.name, None)
        if old is None:
            return None
        if not self._objects[place]:
            del self._objects[place]
        owner = owner_of(old)
        if owner and owner in self._owned:
            self._owned[owner].pop(key, None)
            if not self._owned[owner]:
                del self._owned[owner]
        for relation, name in relations(old).items():
            named = (key.kind, key.namespace, relation, name)
            self._naming[named].pop(key.name)
            if not self._naming[named]:
                del self._naming[named]
        return old
