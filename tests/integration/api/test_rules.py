"""Every CEL rule of the CRDs refuses what it is for, says where, why and what to do, and lets its opposite pass."""

import re
from typing import Any

import pytest

from modelyard.api.kinds import BY_NAME, KINDS
from tests.integration.api.objects import nodes, schema
from tests.integration.api.rules import CASES, Case
from tests.integration.api.server import SchemaServer

pytestmark = pytest.mark.integration
each_case = pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.kind}-{c.at}-{c.words}")


def rules(kind: str) -> list[tuple[str, str]]:
    """(path, message) of all rules."""
    found = nodes(schema(BY_NAME[kind]), "")
    return [(path, rule["message"]) for path, node in found for rule in node.get("x-kubernetes-validations", [])]


def of(case: Case) -> list[tuple[str, str]]:
    """The rules that a case is about."""
    path = re.sub(r"\[\d+\]", "[]", case.at)
    return [(p, message) for p, message in rules(case.kind) if p == path and case.words in message]


@each_case
def test_an_object_that_keeps_the_rule_is_accepted(server: SchemaServer, case: Case) -> None:
    code, answer = server.create(case.kept())
    assert code == 201, answer


@each_case
def test_an_object_that_breaks_only_this_rule_is_refused_with_its_message(server: SchemaServer, case: Case) -> None:
    ((_, message),) = of(case)
    code, answer = server.create(case.broken())
    assert code == 422
    said = [(c["field"], c["message"]) for c in answer["details"]["causes"]]
    assert len(said) == 1
    place, words = said[0]
    assert place == (case.at or "<nil>")
    assert message in words


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)
def test_every_rule_has_its_own_case(kind: Any) -> None:
    covered = [rule for case in CASES if case.kind == kind.kind for rule in of(case)]
    assert sorted(covered) == sorted(rules(kind.kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)
def test_every_message_says_what_to_do(kind: Any) -> None:
    assert [message for _, message in rules(kind.kind) if ": " not in message] == []
