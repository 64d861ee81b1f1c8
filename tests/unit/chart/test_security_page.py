"""The page on security lists exactly the rights that the chart gives, each with its reason."""

import re

from tests.unit.chart.rendering import ROOT, Helm
from tests.unit.chart.test_rbac import Right, rights

PAGE = ROOT / "docs" / "explanation" / "security.md"
HEADING = "## What the operator may do, and why"


def listed() -> list[tuple[str, list[str], list[str], str]]:
    """Group, resources, verbs and reason of each row."""
    section = PAGE.read_text().partition(HEADING)[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    assert rows[0] == ["API group", "Resources", "Verbs", "Why"]
    return [(group, re.split(", ", what), re.split(", ", verbs), why) for group, what, verbs, why in rows[2:]]


def test_the_page_lists_the_operators_rights_and_no_others(helm: Helm) -> None:
    rendered = helm.template({})
    roles = [rendered.one("ClusterRole", "modelyard-operator"), rendered.one("Role", "modelyard-election")]
    given: set[Right] = set().union(*(rights(role["rules"]) for role in roles))
    said = {
        ("" if group == "core" else group, resource, verb)
        for group, resources, verbs, _ in listed()
        for resource in resources
        for verb in verbs
    }
    assert said == given


def test_every_right_has_a_reason() -> None:
    assert all(why for *_, why in listed())
