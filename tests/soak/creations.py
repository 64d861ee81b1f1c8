"""All creations of children, as a watch has told them, and which of them should not have been. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.plan.labels import ROLE, RUN

_BUILD = re.compile(r"-build-(\d+)-([0-9a-f]+)$")
_ATTEMPT = re.compile(r"-([0-9a-f]{8})-(\d+)$")


@dataclass(frozen=True)
class Creation:
    kind: str
    namespace: str
    name: str
    uid: str
    owner: str  # the owner's uid
    role: str

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> "Creation":
        metadata = obj["metadata"]
        owner = next((o["uid"] for o in metadata.get("ownerReferences", []) if o.get("controller")), "")
        role = metadata.get("labels", {}).get(ROLE, "")
        return cls(obj["kind"], metadata["namespace"], metadata["name"], metadata["uid"], owner, role)

    @property
    def purpose(self) -> str:
        """What may be made once for an owner: a build, a run's attempt, a gate's, a check on demand.

        A spec that is changed before its build could be told of leaves its number to the next one's.
        """
        if self.kind != "Job":
            return ""
        if self.role == "build" and (found := _BUILD.search(self.name)):
            return f"build {found[1]} of spec {found[2]}"
        if self.role == "attempt" and (found := _ATTEMPT.search(self.name)):
            return f"attempt {found[2]} of run {found[1]}"
        return f"{self.role} {self.name}"


class Creations:
    """Fed by a watch that may tell an object more than once."""

    def __init__(self) -> None:
        self._seen: dict[str, Creation] = {}
        self.asked: defaultdict[str, set[str]] = defaultdict(set)  # by uid of a Dataset: why it may be built

    def tell(self, obj: Mapping[str, Any]) -> None:
        metadata = obj["metadata"]
        if obj["kind"] == "Dataset":
            run = metadata.get("annotations", {}).get(RUN, "")
            self.asked[metadata["uid"]] |= {f"generation {metadata['generation']}"} | ({f"run {run}"} if run else set())
            return
        self._seen.setdefault(metadata["uid"], Creation.of(obj))

    def counts(self) -> dict[str, int]:
        return dict(Counter(creation.kind for creation in self._seen.values()))

    def duplicates(self) -> list[str]:
        """In words, one line each."""
        return [*self.repeated(), *self._builds()]

    def repeated(self) -> list[str]:
        """The same, where builds are asked for by jobs, too."""
        return [*twice(self._seen.values()), *attempts(self._seen.values())]

    def _builds(self) -> list[str]:
        """A build answers a spec or somebody's word; when everything goes well, none is made again."""
        made = Counter(c.owner for c in self._seen.values() if c.kind == "Job" and c.role == "build")
        return [
            f"Dataset {uid} was built {count} times for {sorted(self.asked[uid])}"
            for uid, count in made.items()
            if count > len(self.asked[uid])
        ]


def twice(creations: Iterable[Creation]) -> list[str]:
    """Jobs made twice for one purpose."""
    made: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for creation in creations:
        if creation.purpose:
            made[creation.owner, creation.purpose].append(f"{creation.namespace}/{creation.name} ({creation.uid})")
    return [f"{purpose} of {owner}: {names}" for (owner, purpose), names in made.items() if len(names) > 1]


def attempts(creations: Iterable[Creation]) -> list[str]:
    """Training Jobs after the first of a run: every pod succeeds, so there is no reason for one."""
    found = ((c, _ATTEMPT.search(c.name)) for c in creations if c.kind == "Job" and c.role == "attempt")
    return [f"{c.namespace}/{c.name} is an attempt too many" for c, match in found if match and match[2] != "1"]
