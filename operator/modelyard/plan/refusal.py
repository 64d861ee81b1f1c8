"""Why Kubernetes refuses to create a pod: quotas, Pod Security, LimitRanges, what is missing, admission policies.

A Job tells it by an event, a Deployment by its condition ReplicaFailure; the words are the API server's in both.
"""

import re
from collections.abc import Callable, Iterable

from modelyard.contract.reasons import Reason
from modelyard.contract.wording import quoted
from modelyard.plan.failure import Failure, user, world
from modelyard.plan.observe import Told
from modelyard.plan.plan import Object

_QUOTA = re.compile(r"exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)")
_WANTS = re.compile(r"failed quota: (\S+): must specify (.+)")
_SECURITY = re.compile(r'violates PodSecurity "([^":]+)[^"]*": (.+)', re.DOTALL)
_LIMIT_RANGE = re.compile(r"(?:maximum|minimum|max limit to request ratio)\b.* per (?:Container|Pod)", re.DOTALL)
_ABSENT = re.compile(r'serviceaccount "([^"]+)" not found')
_PRIORITY = re.compile(r"no PriorityClass with name (\S+) was found")
_SILENT_HOOK = re.compile(r'failed calling webhook "([^"]+)"')
_POLICY = re.compile(r"(admission webhook \"[^\"]+\"|ValidatingAdmissionPolicy '[^']+')")
_THEN = "the pod is then created by itself"


def of_events(told: Iterable[Told]) -> Failure | None:
    """The last refusal among the events of a Job."""
    return next((refused(t.message) for t in told if t.reason == "FailedCreate"), None)


def of_deployment(deployment: Object) -> Failure | None:
    """What a Deployment says of its pods that are refused."""
    for condition in deployment.get("status", {}).get("conditions", []):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return refused(str(condition.get("message", "")))
    return None


def refused(said: str) -> Failure:
    """From the API server's words; they begin with `pods "..." is forbidden:` or the like."""
    for known, explain in _KNOWN:
        found = known.search(said)
        if found:
            return explain(found)
    said = re.sub(r'^(?:Error creating: )?(?:pods "[^"]*" is forbidden: )?', "", said)
    text = f"Kubernetes refuses to create the pod: {quoted(said)}; change what it names"
    return user(Reason.CONFIG_ERROR, text, ended=False)


def _quota(found: re.Match[str]) -> Failure:
    name, asked, used, limited = found[1], _amounts(found[2]), _amounts(found[3]), _amounts(found[4])
    lacks = ", ".join(
        f"{what} (asked for {asked[what]}, used {used.get(what, '?')} of {limited.get(what, '?')})" for what in asked
    )
    text = f"ResourceQuota {name} allows no more {lacks}: raise it, or delete what uses it up; {_THEN}"
    return world(Reason.QUOTA_EXCEEDED, text, ended=False)


def _amounts(listed: str) -> dict[str, str]:
    """Of `pods=1,requests.cpu=2`."""
    return dict(pair.split("=", 1) for pair in listed.strip(", ").split(",") if "=" in pair)


def _wants(found: re.Match[str]) -> Failure:
    names = ", ".join(part.split(" for:")[0].strip() for part in found[2].split(";"))
    text = f"ResourceQuota {found[1]} wants every pod to say {names}: set it in spec.resources"
    return user(Reason.QUOTA_EXCEEDED, text, ended=False)


def _insecure(found: re.Match[str]) -> Failure:
    text = f"Pod Security {found[1]} of this namespace refuses the pod: {quoted(found[2])}"
    fix = "change that, or the namespace's label pod-security.kubernetes.io/enforce"
    return user(Reason.CONFIG_ERROR, f"{text}; {fix}", ended=False)


def _out_of_range(found: re.Match[str]) -> Failure:
    said = found.string[found.start() :].strip("[] ")
    text = f"a LimitRange of this namespace refuses the pod: {quoted(said)}; change spec.resources, or the LimitRange"
    return user(Reason.CONFIG_ERROR, text, ended=False)


def _no_account(found: re.Match[str]) -> Failure:
    text = f"ServiceAccount {found[1]} is missing in this namespace: create it, or name another in the chart's values"
    return user(Reason.CONFIG_ERROR, text, ended=False)


def _no_priority(found: re.Match[str]) -> Failure:
    return user(Reason.CONFIG_ERROR, f"PriorityClass {found[1]} does not exist: create it; {_THEN}", ended=False)


def _hook_is_silent(found: re.Match[str]) -> Failure:
    said = found.string[found.end() :].strip(": ")
    text = f"the cluster's admission webhook {found[1]} does not answer: {quoted(said)}"
    return world(Reason.INTERNAL_ERROR, f"{text}; who runs it must mend it, {_THEN}", ended=False)


def _against_policy(found: re.Match[str]) -> Failure:
    said = found.string[found.end() :]
    text = f"the cluster's {found[1]} refuses the pod: {quoted(said.split('request:', 1)[-1])}; change what it names"
    return user(Reason.CONFIG_ERROR, text, ended=False)


_KNOWN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Failure]], ...] = (
    (_QUOTA, _quota),
    (_WANTS, _wants),
    (_SECURITY, _insecure),
    (_ABSENT, _no_account),
    (_PRIORITY, _no_priority),
    (_SILENT_HOOK, _hook_is_silent),
    (_POLICY, _against_policy),
    (_LIMIT_RANGE, _out_of_range),
)
