"""The faults of the soak are of all kinds, and leave most requests alone."""

import typing

from tests.cluster.fault_proxy.effects import Effect
from tests.cluster.fault_proxy.rules import Call, Rules
from tests.soak import mix


def share(call: Call) -> float:
    rules = Rules(mix.rules(), seed=1)
    return sum(rules.choose(call) is not None for _ in range(2000)) / 2000


def test_every_kind_of_fault_is_in_it() -> None:
    assert {type(rule.effect) for rule in mix.rules()} == set(typing.get_args(Effect))


def test_about_one_request_in_eight_fails_and_every_other_watch() -> None:
    pods = "/api/v1/namespaces/soak/pods"
    assert 0.08 < share(Call("PATCH", pods)) < 0.18
    assert 0.08 < share(Call("GET", pods)) < 0.18
    assert 0.3 < share(Call("GET", pods, "watch=true", watch=True)) < 0.6


def test_a_lease_is_never_told_that_its_kind_is_missing() -> None:
    assert share(Call("GET", "/apis/coordination.k8s.io/v1/namespaces/default/leases/modelyard")) == 0
