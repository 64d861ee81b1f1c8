"""What keeps a pod from starting: it stays and starts by itself once the cause is mended."""

import re
from collections.abc import Sequence
from datetime import datetime

from modelyard.contract.reasons import Reason
from modelyard.contract.wording import quoted
from modelyard.plan import mounting
from modelyard.plan.failure import Failure, condition_of, container_statuses, ended, user, world
from modelyard.plan.moments import later
from modelyard.plan.observe import Told
from modelyard.plan.plan import Object

_PULL = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
_PULL |= {"RegistryUnavailable", "SignatureValidationFailed"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
_REGISTRY_DOWN = re.compile(
    r"timeout|timed out|connection refused|no such host|toomanyrequests|too many requests|50[0234] |EOF|unavailable",
    re.IGNORECASE,
)
NO_CAUSE = re.compile(r'(?:Back-off pulling image "[^"]*")?')  # what kubelets say of a back-off before Kubernetes 1.32
_NO_ACCESS = re.compile(r"unauthorized|denied|forbidden|authentication required|401|403", re.IGNORECASE)


def classify(pod: Object, told: Sequence[Told] = ()) -> Failure | None:
    """What is wrong with a pod, whether it has ended or cannot start; None while nothing is."""
    return ended(pod, told) or hindered(pod, told)


def hindered(pod: Object, told: Sequence[Told] = ()) -> Failure | None:
    """What keeps a pod from starting, as far as it or the events about it tell, newest first."""
    for container in container_statuses(pod):
        waiting = container.get("state", {}).get("waiting", {})
        reason, said = waiting.get("reason", ""), waiting.get("message") or ""
        if reason in _PULL:
            return _pull(str(container.get("image", "")), reason, _cause(said, told))
        if reason in _CONFIG:
            return user(Reason.CONFIG_ERROR, _configuration(said or reason), ended=False)
    return _unscheduled(pod) or mounting.of_events(pod, told)


def _cause(said: str, told: Sequence[Told]) -> str:
    """Why an image was not pulled, where the back-off itself does not say."""
    failed = (t.message for t in told if t.reason == "Failed" and "pull image" in t.message)
    return next(failed, said) if NO_CAUSE.fullmatch(said) else said


def slow(pod: Object, now: datetime, patience: int) -> Failure | None:
    """A pod that has a node but no container for `patience` seconds: a volume is missing, and only events say so."""
    scheduled = condition_of(pod, "PodScheduled", "True")
    if any("running" in c.get("state", {}) for c in container_statuses(pod)):
        return None
    if not scheduled or pod["status"].get("phase") != "Pending" or "lastTransitionTime" not in scheduled:
        return None
    if now < later(scheduled["lastTransitionTime"], patience):
        return None
    mounted = [n for volume in pod["spec"].get("volumes", []) if (n := mounting.source(volume))]
    name = pod["metadata"]["name"]
    text = f"the pod does not start: is one of {', '.join(mounted)} missing? kubectl describe pod {name} says more"
    return user(Reason.CONFIG_ERROR, text, ended=False)


def _pull(image: str, reason: str, said: str) -> Failure:
    if reason == "InvalidImageName":
        return user(Reason.IMAGE_PULL, f"{image} is no name of an image: correct it", ended=False)
    if reason == "ErrImageNeverPull":
        return user(Reason.IMAGE_PULL, f"image {image} is not on the node and may not be pulled: load it", ended=False)
    if _NO_ACCESS.search(said):
        text = f"the registry refuses access to image {image}: check its name, or add imagePullSecrets"
        return user(Reason.IMAGE_PULL, f"{text} to the namespace's service account", ended=False)
    if _REGISTRY_DOWN.search(said):
        text = f"the registry of image {image} does not answer: {quoted(said)}; it is tried again"
        return world(Reason.IMAGE_PULL, text, ended=False)
    because = f" ({quoted(said)})" if said else ""
    return user(Reason.IMAGE_PULL, f"image {image} cannot be pulled{because}: check its name", ended=False)


def _configuration(said: str) -> str:
    secret = re.search(r'secrets? "([^"]+)" not found', said)
    if secret:
        return (
            f"Secret {secret[1]} is missing in this namespace: "
            "add the namespace to workloadNamespaces in the chart's values"
        )
    key = re.search(r"couldn't find key (\S+) in Secret \S+/(\S+)", said)
    if key:
        return f"Secret {key[2]} has no key {key[1]}, which the pod needs; add it"
    if "runAsNonRoot" in said or "will run as root" in said:
        return f"the image runs as root, which no pod may: give it a numeric USER ({quoted(said)})"
    return f"the container cannot be set up: {quoted(said)}; correct what it names"


def _unscheduled(pod: Object) -> Failure | None:
    condition = condition_of(pod, "PodScheduled", "False")
    if condition is None:
        return None
    if condition.get("reason") == "SchedulingGated":
        return world(Reason.PENDING, "a scheduling gate holds the pod back; who set it must remove it", ended=False)
    if condition.get("reason") != "Unschedulable":
        return None
    said = str(condition.get("message", ""))
    missing = sorted({m.rstrip(".") for m in re.findall(r"Insufficient ([A-Za-z0-9./_-]+)", said)})
    if missing:
        wanted = ", ".join(_amount(pod, name) for name in missing)
        return world(
            Reason.UNSCHEDULABLE, f"no node has {wanted} free; it starts by itself when one appears", ended=False
        )
    said = said.split(" preemption:")[0]
    return world(Reason.UNSCHEDULABLE, f"no node fits: {quoted(said)}; it starts by itself when one does", ended=False)


def _amount(pod: Object, resource: str) -> str:
    requests = pod["spec"]["containers"][0].get("resources", {}).get("requests", {})
    return f"{resource}: {requests[resource]}" if resource in requests else resource
