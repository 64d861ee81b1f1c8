"""Pod Security Standards, level restricted, plus what we ask beyond: read-only root, no token, bounded memory and disk.

Source: kubernetes.io/docs/concepts/security/pod-security-standards; a static reading of a pod spec.
"""

import re
from collections.abc import Iterator
from typing import Any

Spec = dict[str, Any]

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


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
        if "emptyDir" in volume and not _bounds(volume["emptyDir"].get("sizeLimit")):
            yield f"volume {volume['name']} has no size limit"
    if pod.get("securityContext", {}).get("sysctls"):
        yield "sysctls are set"
    yield from _of_context(pod.get("securityContext", {}))


def _of_context(context: Spec) -> Iterator[str]:
    """Of a pod or a container: what the level baseline forbids in both."""
    options = context.get("seLinuxOptions", {})
    if options.get("type", "") not in SELINUX_TYPES or options.get("user") or options.get("role"):
        yield "seLinuxOptions are set"
    if context.get("procMount", "Default") != "Default":
        yield "procMount is not Default"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess"
    if context.get("appArmorProfile", {}).get("type", "RuntimeDefault") == "Unconfined":
        yield "appArmorProfile is Unconfined"


def _bounds(quantity: Any) -> bool:
    """Whether a quantity is a limit: none and zero are not."""
    return quantity is not None and float(re.sub(r"[A-Za-z]+$", "", str(quantity))) > 0


def _of_network(container: Spec) -> Iterator[str]:
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "hostPort is set"
    handlers = [container.get(probe, {}) for probe in PROBES] + [*container.get("lifecycle", {}).values()]
    if any(asks.get("host") for handler in handlers for asks in handler.values() if isinstance(asks, dict)):
        yield "a probe or a hook names a host"  # kubelet would ask something else than the container


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
    yield from _of_context(own)
    yield from _of_network(container)


def _beyond(container: Spec) -> Iterator[str]:
    resources = container.get("resources", {})
    if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem is not true"
    if not _bounds(resources.get("limits", {}).get("memory")):
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
