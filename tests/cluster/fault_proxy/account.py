"""The operator's service account with exactly the rights that the chart gives it, for clients of the proxy. Pure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

_RULES = Path(__file__).parents[3] / "charts/modelyard/templates/_rules.tpl"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
LEASE = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "get", "update"]}

Rule = Mapping[str, Any]


def chart_rules() -> list[Rule]:
    """What the chart lets the operator do. Raises ValueError if the template is more than a list of rules."""
    text = "\n".join(line for line in _RULES.read_text().splitlines() if not line.startswith("{{"))
    if "{{" in text:
        raise ValueError(f"{_RULES.name} is a template now: render it")
    rules: list[Rule] = yaml.safe_load(text)
    return rules


def without(rules: Sequence[Rule], resource: str, verb: str) -> list[Rule]:
    """The rules less one verb on one resource."""
    kept: list[Rule] = []
    for rule in rules:
        others = [name for name in rule["resources"] if name != resource]
        verbs = [name for name in rule["verbs"] if name != verb]
        if resource not in rule["resources"]:
            kept.append(rule)
            continue
        kept += [{**rule, "resources": others}] if others else []
        kept += [{**rule, "resources": [resource], "verbs": verbs}] if verbs else []
    return kept


def documents(name: str, namespace: str, rules: Sequence[Rule]) -> list[tuple[str, dict[str, Any]]]:
    """Path and body, for server-side apply, of the account and its role in the whole cluster."""
    role = f"{namespace}-{name}"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    version = "rbac.authorization.k8s.io/v1"
    return [
        (
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}",
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}},
        ),
        (
            f"{RBAC}/clusterroles/{role}",
            {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": role}, "rules": [*rules, LEASE]},
        ),
        (
            f"{RBAC}/clusterrolebindings/{role}",
            {
                "apiVersion": version,
                "kind": "ClusterRoleBinding",
                "metadata": {"name": role},
                "roleRef": reference,
                "subjects": [subject],
            },
        ),
    ]


def token_path(name: str, namespace: str) -> str:
    """Where a token of the account is asked for by POST."""
    return f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"


def token_request(seconds: int = 4 * 3600) -> dict[str, Any]:
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds},
    }
