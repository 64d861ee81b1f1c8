"""Rights and requests are the same set: nothing is refused, nothing is granted that no request needs."""

from typing import Any

import pytest

from modelyard.api.kinds import KINDS
from tests.integration.security.conftest import ELSEWHERE, SERVED, Lived
from tests.integration.security.release import ACCOUNT
from tests.integration.security.rights import Right, covered, granted
from tests.unit.chart.rendering import NAMESPACE, Rendered

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

OPERATORS = ("modelyard-operator", "modelyard-election")
# Asked of no request's own verb: an admission plugin checks them when a child names its owner. Shown below.
SEEN_BY_REFUSAL = {f"{kind.plural}/finalizers" for kind in KINDS}


def roles(rendered: Rendered) -> list[dict[str, Any]]:
    found = rendered.of("ClusterRole") + rendered.of("Role")
    return [role for role in found if role["metadata"]["name"] in OPERATORS]


def needed(lived: Lived) -> set[Right]:
    return {right for request in lived.requests if request.about_objects for right in request.needed()}


def test_no_request_is_refused(lived: Lived) -> None:
    refused = [request.line["requestURI"] for request in lived.requests if request.code in (401, 403)]
    assert refused == []
    assert {request.line["user"]["username"] for request in lived.requests} == {ACCOUNT}


def test_every_request_is_granted_by_the_operators_own_roles(lived: Lived) -> None:
    grants = granted(roles(lived.rendered))
    assert [str(right) for right in sorted(needed(lived)) if not covered(right, grants)] == []


def test_every_right_is_used_in_every_namespace_it_is_granted_in(lived: Lived) -> None:
    """But the rights to block the deletion of an owner: those are shown by taking them away."""
    grants = granted(roles(lived.rendered))
    used = set().union(*(covered(right, grants) for right in needed(lived)))
    unused = {grant for grant in grants - used if grant.resource not in SEEN_BY_REFUSAL}
    assert [str(grant) for grant in sorted(unused)] == []


def test_a_role_of_a_namespace_is_used_there_and_nowhere_else(lived: Lived) -> None:
    namespaces = {right.namespace for right in needed(lived)}
    if lived.scope == "Namespace":
        assert namespaces == {NAMESPACE, *SERVED["Namespace"]}
        assert lived.rendered.of("ClusterRole") == lived.rendered.of("ClusterRoleBinding") == []
    else:
        assert namespaces == {"", NAMESPACE, *SERVED["Cluster"]}


def test_in_the_release_namespace_only_the_lease_is_touched(lived: Lived) -> None:
    there = {right for right in needed(lived) if right.namespace == NAMESPACE}
    assert {(right.group, right.resource) for right in there} == {("coordination.k8s.io", "leases")}
    assert {right.name for right in there if right.verb != "create"} == {"modelyard"}


def test_what_lies_in_a_namespace_that_is_not_served_stays_as_it_is(lived: Lived) -> None:
    outside = [state for state in lived.states if state["metadata"]["namespace"] == ELSEWHERE]
    ours = [state for state in outside if state["kind"] not in ("ConfigMap",)]  # Kubernetes' own kube-root-ca.crt
    if lived.scope == "Namespace":
        assert {(state["kind"], state["metadata"]["name"]) for state in ours} == {("Dataset", "untouched")}
        assert not any("status" in state for state in ours)
    else:
        assert ours == []


def test_nothing_but_objects_is_asked_for(lived: Lived) -> None:
    """Not even which kinds there are."""
    assert [request.path for request in lived.requests if not request.about_objects] == []
