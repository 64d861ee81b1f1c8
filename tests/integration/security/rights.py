"""Rights that roles grant, and rights that requests of the API server's audit log needed, in the same words."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]
CREATED = 201


@dataclass(frozen=True, order=True)
class Right:
    """In one namespace, or in all where it is empty; a resource with its subresource, as in a role."""

    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""  # only for this object

    def __str__(self) -> str:
        where = self.namespace or "all namespaces"
        return f"{self.verb} {self.resource}.{self.group or 'core'} {self.name} in {where}"


def granted(roles: Iterable[Object]) -> set[Right]:
    return {
        Right(role["metadata"].get("namespace", ""), group, resource, verb, name)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


@dataclass(frozen=True)
class Request:
    """One line of the audit log."""

    line: Object

    @property
    def code(self) -> int:
        return int(self.line.get("responseStatus", {}).get("code", 0))

    @property
    def path(self) -> str:
        """Without the query."""
        return str(self.line["requestURI"]).partition("?")[0]

    @property
    def about_objects(self) -> bool:
        """Not discovery, which every account may do."""
        return "objectRef" in self.line

    def needed(self) -> Iterator[Right]:
        """A server-side apply that makes an object is asked for as `patch` and needs `create`, too."""
        what = self.line["objectRef"]
        resource = "/".join(part for part in (what["resource"], what.get("subresource")) if part)
        verbs = [self.line["verb"]]
        if self.line["verb"] == "patch" and self.code == CREATED:
            verbs.append("create")
        for verb in verbs:
            yield Right(what.get("namespace", ""), what.get("apiGroup", ""), resource, verb, what.get("name", ""))


def requests(log: Path) -> list[Request]:
    """Of a log that may just be written to: its last line may be half."""
    lines = log.read_text().rpartition("\n")[0].splitlines()
    return [Request(json.loads(line)) for line in lines]


def covered(right: Right, grants: Iterable[Right]) -> set[Right]:
    """The grants that allow it."""
    return {
        grant
        for grant in grants
        if (grant.group, grant.resource, grant.verb) == (right.group, right.resource, right.verb)
        and grant.namespace in ("", right.namespace)
        and grant.name in ("", right.name)
    }
