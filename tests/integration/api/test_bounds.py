"""The API server enforces every bound of every field, and refuses fields that do not exist, at every level."""

import re

import pytest

from modelyard.api.kind import Kind
from modelyard.api.kinds import KINDS
from tests.integration.api.mistakes import misspelt, mistakes
from tests.integration.api.objects import complete, nodes, places, resource, schema, schema_path
from tests.integration.api.server import SchemaServer

pytestmark = pytest.mark.integration
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)


@each_kind
def test_the_objects_of_these_tests_have_every_field(kind: Kind) -> None:
    whole = schema(kind)
    known = {path for part in ("spec", "status") for path, _ in nodes(whole["properties"][part], part)}
    found = {
        re.sub(
            r"\.(parameters|environment|limits|requests|current\.splits|metrics)\.[\w./-]+$",
            r".\1[]",
            schema_path(path),
        )
        for made in complete(kind)
        for part in ("spec", "status")
        if part in made
        for path, _, _ in places(made[part], whole["properties"][part], (part,))
    }
    assert known - found == set()


@each_kind
def test_every_bound_of_a_spec_is_enforced_where_it_is_broken(server: SchemaServer, kind: Kind) -> None:
    taken = []
    for made in complete(kind):
        code, answer = server.create(made)
        assert code == 201, answer
        for place, what, spec in mistakes(made, schema(kind), "spec"):
            code, answer = server.create({**made, "spec": spec})
            causes = answer.get("details", {}).get("causes", []) if code == 422 else []
            if not any(cause["field"] == place for cause in causes):
                taken.append((place, what, code, answer.get("message")))
    assert taken == []


@each_kind
def test_every_bound_of_a_status_is_enforced_where_it_is_broken(server: SchemaServer, kind: Kind) -> None:
    """The operator itself could not write what another version of it cannot read."""
    (made,) = [o for o in complete(kind) if "status" in o]
    name = f"bounds-{kind.short}"
    code, answer = server.create({**made, "metadata": {"name": name}}, keep=True)
    assert code == 201, answer
    taken = []
    for place, what, status in mistakes(made, schema(kind), "status"):
        code, answer = server.merge(kind.kind, name, {"status": status}, "status", dry_run=True)
        causes = answer.get("details", {}).get("causes", []) if code == 422 else []
        if not any(cause["field"] == place for cause in causes):
            taken.append((place, what, code, answer.get("message")))
    assert taken == []
    code, answer = server.merge(kind.kind, name, {"status": made["status"]}, "status")
    assert code == 200, answer
    assert answer["status"] == made["status"]


@each_kind
def test_a_misspelt_field_is_refused_at_every_level(server: SchemaServer, kind: Kind) -> None:
    taken = []
    for made in complete(kind):
        for place, wrong in misspelt(made, schema(kind)):
            code, answer = server.create(wrong)
            if code != 400 or f'unknown field "{place}"' not in answer["message"]:
                taken.append((place, code, answer.get("message")))
    assert taken == []


@each_kind
def test_without_validation_a_misspelt_field_is_never_stored(server: SchemaServer, kind: Kind) -> None:
    """What clients get that ask for no validation."""
    at = f"{server.path(kind.kind)}?fieldValidation=Ignore&dryRun=All"
    code, answer = server.api.call("POST", at, resource(kind.kind, speling=1))
    assert code == 201
    assert "speling" not in answer["spec"]
