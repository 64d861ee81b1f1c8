"""What events say of a pod that has a node and does not start: volumes, keys, the node's sandbox and network."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.contract.reasons import Reason
from modelyard.contract.wording import quoted
from modelyard.plan.failure import Failure, node_of, user, world
from modelyard.plan.observe import Told
from modelyard.plan.plan import Object

_ON_ITS_WAY = frozenset({"Pulling", "Pulled", "Created", "Started"})  # later than what hindered
_VOLUMES = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_SANDBOX = frozenset({"FailedCreatePodSandBox", "NetworkNotReady", "FailedKillPod"})
# Kubelet's caches lag behind a new pod; it tries again at once.
_PASSING = re.compile(r"failed to sync (?:configmap|secret) cache|not registered|timed out waiting for the condition")
_ABSENT = re.compile(r'(configmap|secret) "([^"]+)" not found')
_NO_KEY = re.compile(r'volume "([^"]+)".*references non-existent (?:config|secret) key: (\S+)', re.DOTALL)
_KINDS = {"configmap": "ConfigMap", "secret": "Secret"}


def of_events(pod: Object, told: Sequence[Told]) -> Failure | None:
    """The last hindrance among the events of a pod, newest first; None once it is on its way again."""
    for event in told:
        if event.reason in _ON_ITS_WAY:
            return None
        if event.reason in _SANDBOX:
            text = f"{node_of(pod)} cannot set up the pod: {quoted(event.message)}; who runs the node must mend it"
            return world(Reason.NODE_LOST, text, ended=False)
        if event.reason in _VOLUMES and not _PASSING.search(event.message):
            return user(Reason.CONFIG_ERROR, _volume(pod, event.message), ended=False)
    return None


def _volume(pod: Object, said: str) -> str:
    absent = _ABSENT.search(said)
    if absent:
        return f"{_KINDS[absent[1]]} {absent[2]} is missing in this namespace: create it; the pod then starts by itself"
    no_key = _NO_KEY.search(said)
    if no_key:
        source = source_of(pod, no_key[1]) or f"volume {no_key[1]}"
        return f"{source} has no key {no_key[2].rstrip('.')}, which the pod needs; add it, and the pod starts by itself"
    return f"a volume of the pod cannot be mounted: {quoted(said)}; mend what it names"


def source_of(pod: Object, volume: str) -> str | None:
    """The Secret or ConfigMap that a volume shows, by kind and name."""
    found: Mapping[str, Any] = next((v for v in pod["spec"].get("volumes", []) if v.get("name") == volume), {})
    return source(found)


def source(volume: Mapping[str, Any]) -> str | None:
    if "secret" in volume:
        return f"Secret {volume['secret'].get('secretName')}"
    return f"ConfigMap {volume['configMap'].get('name')}" if "configMap" in volume else None
