"""What of a cluster with live objects must be the same afterwards."""

from typing import Any

from tests.released.live import CHILDREN, Live, Object, condition, identity

# Not what conditions say in detail, and not fields that only a later release knows.
_FLUX = ("conditions", "observedGeneration")


def children(cluster: Live) -> dict[str, tuple[str, int]]:
    """uid and generation by kind and name. A pod template that changes is a new ReplicaSet and new pods, too."""
    found = cluster.items(*CHILDREN)
    return {identity(c): (c["metadata"]["uid"], c["metadata"].get("generation", 0)) for c in found}


def statuses(cluster: Live) -> dict[str, dict[str, Any]]:
    return {identity(r): {**_without_flux(r), "Ready": condition(r, "Ready")} for r in cluster.resources()}


def _without_flux(resource: Object) -> dict[str, Any]:
    return {k: v for k, v in resource.get("status", {}).items() if k not in _FLUX}


def kept(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """`after` as far as `before` said something."""
    return {name: {k: after[name].get(k) for k in said} for name, said in before.items()}
