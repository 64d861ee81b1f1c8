"""Takes what watches, lists and our own writes tell into the cache, and wakes the resources it concerns."""

from collections.abc import Iterable

from modelyard.plan.labels import owner_of
from modelyard.plan.observe import neighbours, news, signal
from modelyard.plan.plan import Key, Object, key_of
from modelyard.runtime.cache import Cache, Change
from modelyard.runtime.queue import Queue
from modelyard.runtime.resources import OWN_KINDS


class Intake:
    def __init__(self, cache: Cache, queue: Queue[Key]) -> None:
        self.cache = cache
        self.queue = queue
        self.failing: set[Key] = set()  # not woken by what they say of themselves, so that they wait for their turn

    def present(self, obj: Object) -> None:
        self._wake(self.cache.put(obj))

    def deleted(self, obj: Object) -> None:
        self._wake(self.cache.pop(obj))

    def missing(self, key: Key, version: int) -> None:
        """The API server says that there was no such object at this version."""
        self._wake(self.cache.drop(key, version))

    def absent(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._wake(change)

    def wake_all(self) -> None:
        for kind in OWN_KINDS:
            for key in self.cache.keys(kind):
                self.queue.add(key)

    def _wake(self, change: Change | None) -> None:
        if change:
            for key in concerned(change, self.cache):
                if not (key in self.failing and told_itself(key, change)):
                    self.queue.add(key)


def concerned(change: Change, cache: Cache) -> set[Key]:
    """Whose planner reads what has changed: the resource (one that is gone, to be forgotten), its neighbours, the owner
    of a child."""
    old, new = change.old, change.new
    told = new or old
    itself, keys = set[Key](), set[Key]()
    if told and told["kind"] in OWN_KINDS:
        itself = {key_of(told)}
        if not (old and new and signal(old) == signal(new)):
            keys.update(*(neighbours(obj, cache) for obj in (old, new) if obj))
    elif old and new and news(old) == news(new):
        return set()
    keys |= {owner for obj in (old, new) if obj and (owner := owner_of(obj))}
    return itself | {key for key in keys if cache.get(key)}


def told_itself(key: Key, change: Change) -> bool:
    """Whether only the status of this resource has changed: of its own, nobody else writes it."""
    old, new = change.old, change.new
    return bool(old and new and key_of(new) == key and _asked(old) == _asked(new))


def _asked(resource: Object) -> tuple[object, ...]:
    """What users say of a resource."""
    metadata = resource["metadata"]
    told = ("uid", "generation", "annotations", "labels", "deletionTimestamp")
    return (resource.get("spec"), *(metadata.get(name) for name in told))
