"""Network policies: closed both ways for every pod, open only for what the parts need."""

from typing import Any

import pytest

from modelyard.contract.tasks import FRONT_PORT, GRPC_PORT, MANAGEMENT_PORT, SERVING_PORT
from modelyard.plan.labels import MANAGED_BY, MANAGER, ROLE
from tests.unit.chart.rendering import CASES, NAMESPACE, Helm, Object, Rendered
from tests.unit.plan.generated import all_templates

WORKLOADS = {MANAGED_BY: MANAGER}
SERVERS = {MANAGED_BY: MANAGER, ROLE: "server"}
METADATA = {False: "169.254.0.0/16", True: "fd00:ec2::254/128"}  # by whether it is IPv6
PLAIN_HTTP = {"store": {"uri": "s3://lake", "endpoint": "http://minio.example.com", "embedded": {"enabled": False}}}


def policy(rendered: Rendered, name: str, namespace: str) -> Object:
    found: Object = rendered.one("NetworkPolicy", name, namespace)["spec"]
    return found


def ports(rules: list[Any]) -> set[int]:
    return {port["port"] for rule in rules for port in rule["ports"]}


def pod_labels(rendered: Rendered) -> dict[str, Object]:
    return {each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"] for each in rendered.workloads()}


def test_every_policy_closes_both_directions(rendered: Rendered) -> None:
    for each in rendered.of("NetworkPolicy"):
        assert each["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert each["spec"]["podSelector"]["matchLabels"], "an empty selector would close the users' own pods"


def test_every_pod_of_the_chart_has_a_policy(helm: Helm) -> None:
    rendered = helm.template({})
    for name, labels in pod_labels(rendered).items():
        spec = policy(rendered, name, NAMESPACE)
        assert spec["podSelector"]["matchLabels"].items() <= labels.items()


def test_the_charts_own_pods_are_not_taken_for_workloads(rendered: Rendered) -> None:
    for labels in pod_labels(rendered).values():
        assert not WORKLOADS.items() <= labels.items()


def test_each_workload_namespace_is_closed(helm: Helm) -> None:
    rendered = helm.template(CASES["two namespaces"])
    for namespace in ("team-a", "team-b"):
        assert policy(rendered, "modelyard-workloads", namespace)["podSelector"] == {"matchLabels": WORKLOADS}
        assert policy(rendered, "modelyard-serving", namespace)["podSelector"] == {"matchLabels": SERVERS}


def test_the_management_port_is_the_operators_alone(helm: Helm) -> None:
    rendered = helm.template({})
    (rule,) = policy(rendered, "modelyard-workloads", "default")["ingress"]
    assert ports([rule]) == {MANAGEMENT_PORT}
    (peer,) = rule["from"]
    assert peer["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}
    labels = pod_labels(rendered)
    assert peer["podSelector"]["matchLabels"].items() <= labels["modelyard-operator"].items()
    assert not peer["podSelector"]["matchLabels"].items() <= labels["modelyard-store"].items()


def test_anyone_may_ask_a_model_but_only_on_its_data_ports(helm: Helm) -> None:
    (rule,) = policy(helm.template({}), "modelyard-serving", "default")["ingress"]
    assert rule == {"ports": [{"port": port, "protocol": "TCP"} for port in (SERVING_PORT, FRONT_PORT, GRPC_PORT)]}


def test_workloads_reach_dns_the_store_and_https_but_not_the_nodes_credentials(helm: Helm) -> None:
    rules = policy(helm.template({}), "modelyard-workloads", "default")["egress"]
    assert ports(rules) == {53, 443, 8333}
    (https,) = (rule for rule in rules if ports([rule]) == {443})
    assert {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]} in [peer["ipBlock"] for peer in https["to"]]


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        ("http://minio.example.com:9000", {9000}),
        ("http://minio.example.com", {80}),
        ("https://s3.example.com", set()),
        ("https://s3.example.com:443", set()),
    ],
)
def test_an_external_stores_port_is_opened(helm: Helm, endpoint: str, port: set[int]) -> None:
    store = {"uri": "s3://lake", "endpoint": endpoint, "embedded": {"enabled": False}}
    rules = policy(helm.template({"store": store}), "modelyard-workloads", "default")["egress"]
    assert ports(rules) == {53, 443} | port


@pytest.mark.parametrize("case", CASES)
def test_no_rule_lets_a_workload_reach_the_nodes_credentials(helm: Helm, case: str) -> None:
    """An external store on port 80 did: cloud metadata services answer there."""
    for each in (*helm.template(CASES[case]).of("NetworkPolicy"), *helm.template(PLAIN_HTTP).of("NetworkPolicy")):
        for rule in each["spec"]["egress"]:
            if not rule.get("to"):
                api_server = {53, 443, 6443} if each["metadata"]["name"].endswith("-operator") else {53}
                assert ports([rule]) <= api_server, each["metadata"]["name"]
            for block in (peer["ipBlock"] for peer in rule.get("to", []) if "ipBlock" in peer):
                closed = METADATA[":" in block["cidr"]]
                assert closed in block.get("except", []) or block["cidr"] == "10.0.0.0/8", each["metadata"]["name"]


def test_policies_are_on_unless_they_are_switched_off(helm: Helm) -> None:
    names = {each["metadata"]["name"] for each in helm.template({}).of("NetworkPolicy")}
    assert names == {f"modelyard-{part}" for part in ("operator", "store", "workloads", "serving")}
    assert helm.template({"networkPolicy": {"enabled": False}}).of("NetworkPolicy") == []


def test_every_pod_the_operator_makes_is_closed_and_only_servers_are_open_to_users(helm: Helm) -> None:
    """Training, builds, checks and gates are reached by the operator alone."""
    rendered = helm.template({})
    closed = policy(rendered, "modelyard-workloads", "default")["podSelector"]["matchLabels"]
    opened = policy(rendered, "modelyard-serving", "default")["podSelector"]["matchLabels"]
    for template in all_templates():
        labels = template.pod["metadata"]["labels"]
        assert closed.items() <= labels.items(), template.role
        assert (opened.items() <= labels.items()) is (template.role == "server"), template.role
    assert {template.role for template in all_templates()} == {"attempt", "build", "check", "gate", "server"}


def test_a_servers_own_policy_opens_the_canary_and_nothing_else(helm: Helm) -> None:
    (rule,) = policy(helm.template({}), "modelyard-serving", "default")["egress"]
    assert rule == {
        "to": [{"podSelector": {"matchLabels": SERVERS}}],
        "ports": [{"port": port, "protocol": "TCP"} for port in (SERVING_PORT, FRONT_PORT)],
    }


def test_the_operator_asks_only_pods_it_made(helm: Helm) -> None:
    rules = policy(helm.template({}), "modelyard-operator", NAMESPACE)["egress"]
    (asks,) = (rule for rule in rules if ports([rule]) == {MANAGEMENT_PORT})
    assert asks["to"] == [{"namespaceSelector": {}, "podSelector": {"matchLabels": WORKLOADS}}]


def test_every_rule_names_its_ports(rendered: Rendered) -> None:
    """One without would open all."""
    for each in rendered.of("NetworkPolicy"):
        assert all(rule.get("ports") for rule in (*each["spec"]["ingress"], *each["spec"]["egress"]))


def test_the_operator_reaches_the_api_server_and_management_ports_only(helm: Helm) -> None:
    spec = policy(helm.template({}), "modelyard-operator", NAMESPACE)
    assert ports(spec["egress"]) == {53, 443, 6443, MANAGEMENT_PORT}
    assert spec["ingress"] == []


def test_the_store_takes_requests_of_workloads_and_makes_none(helm: Helm) -> None:
    spec = policy(helm.template({}), "modelyard-store", NAMESPACE)
    (rule,) = spec["ingress"]
    (peer,) = rule["from"]
    assert ports([rule]) == {8333}
    assert peer["podSelector"] == {"matchLabels": WORKLOADS}
    assert peer["namespaceSelector"]["matchExpressions"][0]["values"] == ["default"]
    assert spec["egress"] == []


def test_more_can_be_opened_by_values(helm: Helm) -> None:
    rendered = helm.template(CASES["everything optional"])
    prometheus = CASES["everything optional"]["networkPolicy"]["metricsFrom"][0]
    assert policy(rendered, "yard-operator", NAMESPACE)["ingress"][0]["from"] == [prometheus]
    workloads = policy(rendered, "yard-workloads", "default")
    assert prometheus in workloads["ingress"][0]["from"]
    assert 5432 in ports(workloads["egress"])
    assert prometheus in policy(rendered, "yard-store", NAMESPACE)["ingress"][0]["from"]
