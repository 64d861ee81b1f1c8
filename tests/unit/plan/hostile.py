"""Specs that the schema lets pass and that try to become more than a spec: in every string and every free key."""

import re
from typing import Any

from hypothesis import strategies as st

from modelyard.api.crd import definition
from modelyard.api.kinds import BY_NAME

Node = dict[str, Any]

WORDS = (
    "x",
    "$(AWS_SECRET_ACCESS_KEY)",
    "$(cat /var/run/secrets/kubernetes.io/serviceaccount/token)",
    "../../../../etc/shadow",
    "/var/run/docker.sock",
    "privileged: true",
    '{"securityContext": {"privileged": true}}',
    "a\n  hostNetwork: true\n  hostPID: true",
    "kube-system/admin",
    "{{ .Values.store.existingSecret }}",
    "'; drop table x; --",
    "registry.example/evil:1@sha256:0",
    "\u202e\u0000\U0001f600",
)
KEYS = (
    *("memory", "cpu", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu"),
    *("securityContext", "hostPath", "hostNetwork", "serviceAccountName", "privileged", "runAsUser", "volumes", "a/b"),
)
QUANTITIES = ("0", "0.0", "0m", "0Gi", "00", "1", "500m", "2Gi", "9999999999E")
DURATIONS = ("1s", "30s", "1h30m", "9999d")


def specs(kind: str) -> st.SearchStrategy[Node]:
    """Specs of a kind with any of its fields, in every field something that tries."""
    root = definition(BY_NAME[kind])["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return _node(root["properties"]["spec"])


def _node(node: Node) -> st.SearchStrategy[Any]:
    if "enum" in node:
        return st.sampled_from(node["enum"])
    match node["type"]:
        case "string":
            return _text(node)
        case "integer":
            return st.sampled_from([node.get("minimum", 0), node.get("maximum", 2**31)])
        case "number":
            return st.sampled_from([node.get("minimum", 0.0), node.get("maximum", 1e308)])
        case "boolean":
            return st.booleans()
        case "array":
            fewest = node.get("minItems", 0)
            return st.lists(_node(node["items"]), min_size=fewest, max_size=max(2, fewest))
    return _mapping(node)


def _mapping(node: Node) -> st.SearchStrategy[Node]:
    if "additionalProperties" in node:
        return st.dictionaries(st.sampled_from(KEYS), _node(node["additionalProperties"]), max_size=8)
    required = set(node.get("required", ()))
    fields = {name: _node(child) for name, child in node.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: field for name, field in fields.items() if name in required},
        optional={name: field for name, field in fields.items() if name not in required},
    )


def _text(node: Node) -> st.SearchStrategy[str]:
    most = node.get("maxLength", 1024)
    pattern = node.get("pattern", "")
    if node.get("format") == "date-time":
        return st.sampled_from(["2026-03-01T11:00:00Z", "1970-01-01T00:00:00Z"])
    if "[kKMGTPE]" in pattern:
        return st.sampled_from(QUANTITIES)
    if pattern.endswith("s)?$"):
        return st.sampled_from(DURATIONS)
    if pattern:
        # ASCII: Python and pydantic do not agree about what else is a space
        matching = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True, alphabet=st.characters(codec="ascii"))
        return matching.filter(lambda text: len(text) <= most)
    return st.sampled_from([word[:most] for word in WORDS if len(word) >= node.get("minLength", 0)])
