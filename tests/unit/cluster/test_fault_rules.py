"""Which request meets which fault."""

from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.fault_proxy.account import chart_rules, without
from tests.cluster.fault_proxy.effects import Break, Cut, Refuse, Reset
from tests.cluster.fault_proxy.rules import Call, Rule, Rules, once

BUSY = Refuse(429, "TooManyRequests", retry_after=3)
GET = Call("GET", "/api/v1/pods", "limit=500")
WATCH = Call("GET", "/api/v1/pods", "watch=true", watch=True)
PATCH = Call("PATCH", "/apis/batch/v1/namespaces/a/jobs/b", "force=true")


def test_without_rules_everything_passes() -> None:
    assert Rules().choose(GET) is None


def test_a_rule_strikes_what_matches_in_every_respect() -> None:
    rules = Rules([Rule(BUSY, frozenset({"PATCH", "PUT"}), "/jobs/", "force", watch=False)])
    assert rules.choose(PATCH) == BUSY
    assert rules.choose(GET) is None
    assert rules.choose(Call("PATCH", PATCH.path)) is None
    assert rules.choose(Call("DELETE", PATCH.path, PATCH.query)) is None
    assert Rules([Rule(Cut(), watch=True)]).choose(GET) is None
    assert Rules([Rule(Cut(), watch=True)]).choose(WATCH) == Cut()


def test_the_nth_request_is_struck_and_no_other() -> None:
    rules = Rules([Rule(BUSY, skip=2, times=1)])
    assert [rules.choose(GET) for _ in range(5)] == [None, None, BUSY, None, None]


def test_the_first_rule_that_strikes_decides() -> None:
    rules = Rules([once(BUSY, "pods"), Rule(Reset())])
    assert [rules.choose(GET), rules.choose(GET)] == [BUSY, Reset()]


@given(st.integers(), st.floats(0.05, 0.95))
def test_the_same_seed_gives_the_same_faults(seed: int, share: float) -> None:
    first, second = (Rules([Rule(BUSY, share=share), Rule(Reset(), share=share)], seed) for _ in range(2))
    assert [first.choose(GET) for _ in range(50)] == [second.choose(GET) for _ in range(50)]


def test_a_share_is_about_that_share() -> None:
    rules = Rules([Rule(BUSY, share=0.2)], seed=1)
    assert 150 < sum(rules.choose(GET) is not None for _ in range(1000)) < 250


def test_what_the_client_is_told_is_what_the_api_server_would_tell() -> None:
    body = BUSY.body()
    assert (body["kind"], body["code"], body["reason"]) == ("Status", 429, "TooManyRequests")
    assert Break().line().endswith(b'"reason": "Expired", "code": 410}}\n')


def test_the_account_has_the_rights_of_the_chart_less_what_is_taken() -> None:
    def may(rules: object, resource: str, verb: str) -> bool:
        return any(resource in r["resources"] and verb in r["verbs"] for r in rules)  # type: ignore[attr-defined]

    rules = chart_rules()
    assert may(rules, "configmaps", "patch")
    fewer = without(rules, "configmaps", "patch")
    assert not may(fewer, "configmaps", "patch")
    assert may(fewer, "configmaps", "delete")
    assert may(fewer, "services", "patch")
