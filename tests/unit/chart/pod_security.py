"""Pod Security Standards, level restricted, plus what we ask beyond: read-only root, no token, bounded memory.

Source: kubernetes.io/docs/concepts/security/pod-security-standards; a static reading of a pod spec.
"""

from collections.abc import Iterator
from typing import Any

Spec = dict[str, Any]

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")


def containers(pod: Spec) -> Iterator[Spec]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod.get(field, [])


def _of_pod(pod: Spec) -> Iterator[str]:
    for field in HOST_FIELDS:
        if pod.get(field):
            yield f"{field} is set"
    for volume in pod.get("volumes", []):
        for kind in set(volume) - {"name"} - VOLUMES:
            yield f"volume {volume['name']} is a {kind}"
    if pod.get("securityContext", {}).get("sysctls"):
        yield "sysctls are set"


def _of_container(container: Spec, pod: Spec) -> Iterator[str]:
    own, shared = container.get("securityContext", {}), pod.get("securityContext", {})
    both = {**shared, **own}
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if "ALL" not in capabilities.get("drop", []):
        yield "capabilities.drop lacks ALL"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "capabilities are added"
    if both.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if not both.get("runAsUser"):
        yield "runAsUser is not a non-zero number"
    if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile is not RuntimeDefault or Localhost"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "hostPort is set"


def _beyond(container: Spec) -> Iterator[str]:
    resources = container.get("resources", {})
    if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem is not true"
    if "memory" not in resources.get("limits", {}):
        yield "no memory limit"
    if not {"cpu", "memory"} <= set(resources.get("requests", {})):
        yield "no requests for cpu and memory"


def violations(pod: Spec, *, token: bool = False) -> list[str]:
    """What a pod spec does wrong, in words; empty when it is fine. `token`: it may have its service account's."""
    found = list(_of_pod(pod))
    if pod.get("automountServiceAccountToken") is not token:
        found.append(f"automountServiceAccountToken is not {str(token).lower()}")
    for container in containers(pod):
        problems = (*_of_container(container, pod), *_beyond(container))
        found += [f"container {container['name']}: {problem}" for problem in problems]
    return found
