"""The operator may do exactly what its runtime does, and nothing with Secrets."""

from collections.abc import Iterable

import pytest

from modelyard.api.fields import GROUP
from modelyard.api.kinds import KINDS
from modelyard.runtime.resources import CHILDREN, CORE_EVENT, EVENT, LEASE, OWN
from tests.unit.chart.rendering import NAMESPACE, Helm, Object, Rendered

Right = tuple[str, str, str]  # group, resource, verb

WATCH = ("list", "watch")
WRITE = ("create", "patch", "delete")
READ_ONLY = "pods"


def rights(rules: Iterable[Object]) -> set[Right]:
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def needed() -> set[Right]:
    """From the runtime's own list of resources."""
    own = {(each.group, each.plural, verb) for each in OWN for verb in WATCH}
    own |= {(each.group, f"{each.plural}/status", "patch") for each in OWN}
    own |= {(each.group, f"{each.plural}/finalizers", "update") for each in OWN}
    own |= {(GROUP, "trainingjobs", verb) for verb in ("create", "patch")}
    children = {(each.group, each.plural, verb) for each in CHILDREN for verb in WATCH}
    children |= {(each.group, each.plural, verb) for each in CHILDREN if each.plural != READ_ONLY for verb in WRITE}
    events = {(EVENT.group, EVENT.plural, "create"), (CORE_EVENT.group, CORE_EVENT.plural, "list")}
    return own | children | events


def roles(rendered: Rendered) -> list[Object]:
    return rendered.of("ClusterRole") + rendered.of("Role")


def test_the_operator_has_exactly_the_rights_it_needs(helm: Helm) -> None:
    role = helm.template({}).one("ClusterRole", "modelyard-operator")
    assert rights(role["rules"]) == needed()


def test_leases_are_limited_to_the_one_the_operator_is_told(helm: Helm) -> None:
    rendered = helm.template({})
    role = rendered.one("Role", "modelyard-election")
    config = rendered.operator_config()
    assert role["metadata"]["namespace"] == config["lease"]["namespace"] == NAMESPACE
    assert rights(role["rules"]) == {(LEASE.group, LEASE.plural, verb) for verb in ("create", "get", "update")}
    for rule in role["rules"]:
        assert rule["verbs"] == ["create"] or rule["resourceNames"] == [config["lease"]["name"]]


def test_no_rule_has_a_wildcard_or_reaches_secrets(rendered: Rendered) -> None:
    for role in roles(rendered):
        for group, resource, verb in rights(role["rules"]):
            assert "*" not in (group + resource + verb), role["metadata"]["name"]
            assert resource.split("/")[0] != "secrets", role["metadata"]["name"]
            assert verb not in ("escalate", "bind", "impersonate"), role["metadata"]["name"]


def test_namespace_scope_has_the_same_rights_in_each_namespace_and_none_in_the_cluster(helm: Helm) -> None:
    rendered = helm.template({"scope": "Namespace", "workloadNamespaces": ["team-a", "team-b"]})
    assert rendered.of("ClusterRole") == rendered.of("ClusterRoleBinding") == []
    for namespace in ("team-a", "team-b"):
        assert rights(rendered.one("Role", "modelyard-operator", namespace)["rules"]) == needed()
        binding = rendered.one("RoleBinding", "modelyard-operator", namespace)
        assert binding["roleRef"]["kind"] == "Role"
        assert [each["namespace"] for each in binding["subjects"]] == [NAMESPACE]
    assert rendered.operator_config()["namespaces"] == ["team-a", "team-b"]


def test_each_binding_names_a_role_and_the_operators_account(rendered: Rendered) -> None:
    (account,) = {each["spec"]["template"]["spec"]["serviceAccountName"] for each in rendered.of("Deployment")}
    for binding in rendered.of("ClusterRoleBinding") + rendered.of("RoleBinding"):
        reference = binding["roleRef"]
        assert rendered.one(reference["kind"], reference["name"], binding["metadata"].get("namespace"))
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_users_get_the_four_kinds_by_their_usual_roles(helm: Helm, role: str) -> None:
    label = f"rbac.authorization.k8s.io/aggregate-to-{role}"
    added = [each for each in helm.template({}).of("ClusterRole") if each["metadata"]["labels"].get(label) == "true"]
    given = set().union(*(rights(each["rules"]) for each in added))
    verbs = {"get", "list", "watch"}
    if role != "view":
        verbs |= {"create", "update", "patch", "delete", "deletecollection"}
    assert given == {(GROUP, kind.plural, verb) for kind in KINDS for verb in verbs}


def test_the_chart_registers_no_webhook(rendered: Rendered) -> None:
    """Rules are CEL in the definitions: nothing of ours stands in the way of others' requests."""
    kinds = {each["kind"] for each in rendered.objects}
    assert not any(kind.endswith(("WebhookConfiguration", "APIService")) for kind in kinds), kinds
