"""The Kubernetes resources the operator watches and writes, and their paths. Known here, so nothing is discovered."""

from dataclasses import dataclass

from modelyard.api.fields import GROUP, VERSION
from modelyard.api.kinds import KINDS


@dataclass(frozen=True)
class Resource:
    kind: str
    group: str  # "" is the core group
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of the collection, one object or its subresource; all namespaces where None."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        parts += ["namespaces", namespace] if namespace else []
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/" + "/".join(parts)


OWN = tuple(Resource(kind.kind, GROUP, VERSION, kind.plural) for kind in KINDS)
CHILDREN = (
    Resource("Job", "batch", "v1", "jobs"),
    Resource("CronJob", "batch", "v1", "cronjobs"),
    Resource("Pod", "", "v1", "pods"),
    Resource("ConfigMap", "", "v1", "configmaps"),
    Resource("Service", "", "v1", "services"),
    Resource("Deployment", "apps", "v1", "deployments"),
    Resource("PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets"),
)
WATCHED = OWN + CHILDREN
POD = next(resource for resource in CHILDREN if resource.kind == "Pod")
EVENT = Resource("Event", "events.k8s.io", "v1", "events")
CORE_EVENT = Resource("Event", "", "v1", "events")  # read under its old name: only there uids can be selected
LEASE = Resource("Lease", "coordination.k8s.io", "v1", "leases")

OWN_KINDS = frozenset(resource.kind for resource in OWN)
# Children that follow their plan. A Job or a pod is never changed once it is there.
APPLIED_KINDS = frozenset(resource.kind for resource in CHILDREN) - {"Job", "Pod"}
_BY_KIND = {resource.kind: resource for resource in (*WATCHED, EVENT, LEASE)}


def resource_of(kind: str) -> Resource:
    """Raises KeyError for a kind the operator does not handle."""
    return _BY_KIND[kind]
