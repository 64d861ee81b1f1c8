"""An API server in memory, as far as the operator uses it: versions, watches as logs, ownership, the garbage collector.

Server-side apply knows one manager; defaults of schemas are not set.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from modelyard.plan.plan import Key, Object, key_of
from modelyard.runtime.errors import ConflictError, InvalidError, NotFoundError

Change = tuple[str, Object]  # ADDED, MODIFIED or DELETED, and the object


class Server:
    def __init__(self, now: Callable[[], str]) -> None:
        self.objects: dict[Key, Object] = {}
        self.version = 0
        self.log: defaultdict[str, list[Change]] = defaultdict(list)  # by kind
        self._now = now

    def of(self, kind: str) -> list[Object]:
        return [obj for key, obj in self.objects.items() if key.kind == kind]

    def get(self, key: Key) -> Object:
        if key not in self.objects:
            raise NotFoundError(404, "NotFound", f"{key.name} is not there")
        return self.objects[key]

    def apply(self, desired: Mapping[str, Any]) -> Object:
        """What the manager applied before and does not any more goes; what others set, the status, stays."""
        key, metadata = key_of(desired), dict(desired["metadata"])
        old = self.objects.get(key)
        if old is None:
            made = {"uid": f"uid-{self.version + 1}", "creationTimestamp": self._now(), "generation": 1}
            return self._put("ADDED", {**desired, "metadata": {**metadata, **made}})
        if key.kind == "Job" and old["spec"] != desired["spec"]:
            raise InvalidError(422, "Invalid", "spec.template: field is immutable")
        kept = {name: old["metadata"][name] for name in ("uid", "creationTimestamp", "generation", "resourceVersion")}
        kept["generation"] += old.get("spec") != desired.get("spec")
        status = {"status": old["status"]} if "status" in old else {}
        new = {**desired, "metadata": {**metadata, **kept}, **status}
        return old if new == old else self._put("MODIFIED", new)

    def patch_status(self, key: Key, patch: Mapping[str, Any], version: str | None = None) -> Object:
        """A merge patch, refused where the object is another by now."""
        old = self.get(key)
        if version not in (None, old["metadata"]["resourceVersion"]):
            raise ConflictError(409, "Conflict", "the object has been modified")
        new = {**old, "status": merged(old.get("status", {}), patch)}
        return old if new == old else self._put("MODIFIED", new)

    def delete(self, key: Key, uid: str | None = None) -> None:
        found = self.get(key)
        if uid not in (None, found["metadata"]["uid"]):
            raise ConflictError(409, "Conflict", "the UID in the precondition does not match")
        del self.objects[key]
        self.version += 1
        self.log[key.kind].append(("DELETED", _versioned(found, self.version)))

    def garbage(self) -> list[Key]:
        """What belongs to an object that is there no more. A Deployment's pods have its uid."""
        uids = {obj["metadata"]["uid"] for obj in self.objects.values()}
        return [
            key
            for key, obj in self.objects.items()
            if any(owner["uid"] not in uids for owner in obj["metadata"].get("ownerReferences", ()))
        ]

    def _put(self, change: str, obj: Object) -> Object:
        self.version += 1
        new = _versioned(obj, self.version)
        self.objects[key_of(new)] = new
        self.log[new["kind"]].append((change, new))
        return new


def _versioned(obj: Object, version: int) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(version)}}


def merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7386."""
    new = {name: value for name, value in old.items() if name not in patch}
    for name, value in patch.items():
        if value is not None:
            new[name] = merged(old.get(name) or {}, value) if isinstance(value, Mapping) else value
    return new
