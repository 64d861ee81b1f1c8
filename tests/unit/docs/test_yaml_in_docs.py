"""Every YAML block in the documents is one of our resources, or values of the chart, and every field in it exists."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from modelyard.api.crd import schema_of
from modelyard.api.fields import API_VERSION
from modelyard.api.kinds import BY_NAME
from tests.unit.docs.documents import DOCUMENTS, ROOT, blocks, name

Json = dict[str, Any]
VALUES_SCHEMA: Json = json.loads((ROOT / "charts" / "modelyard" / "values.schema.json").read_text())
DEFAULTS: Json = yaml.safe_load((ROOT / "charts" / "modelyard" / "values.yaml").read_text())

FOUND = [
    pytest.param(text, id=f"{name(document)}:{number}")
    for document in DOCUMENTS
    for number, text in enumerate(blocks(document, "yaml"), 1)
]
EXAMPLES = sorted((ROOT / "examples").rglob("model.yaml"))


def closed(schema: Json) -> Json:
    """A structural schema that refuses unknown fields, as the API server does under strict validation."""
    made = {key: value for key, value in schema.items() if not key.startswith("x-")}
    if "properties" in made:
        made["properties"] = {key: closed(child) for key, child in made["properties"].items()}
        made["additionalProperties"] = False
    if isinstance(made.get("items"), dict):
        made["items"] = closed(made["items"])
    return made


def merged(base: Json, more: Json) -> Json:
    """As Helm merges values."""
    both = {key: merged(base[key], more[key]) for key in base.keys() & more.keys() if isinstance(more[key], dict)}
    return {**base, **more, **both}


def check_resource(resource: Json) -> None:
    """Raises where the API server would refuse it. CEL rules need the API server: tests/integration/api."""
    assert resource["apiVersion"] == API_VERSION
    assert resource.keys() == {"apiVersion", "kind", "metadata", "spec"}
    kind = BY_NAME[resource["kind"]]
    jsonschema.Draft7Validator(closed(schema_of(kind.spec))).validate(resource["spec"])
    kind.spec.model_validate(resource["spec"])


@pytest.mark.parametrize("text", FOUND)
def test_block_is_a_resource_or_values_of_the_chart(text: str) -> None:
    if text.startswith("# values.yaml\n"):
        jsonschema.Draft7Validator(VALUES_SCHEMA).validate(merged(DEFAULTS, yaml.safe_load(text)))
        return
    for resource in yaml.safe_load_all(text):
        check_resource(resource)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.parent.name)
def test_examples_have_no_unknown_fields(path: Path) -> None:
    for resource in yaml.safe_load_all(path.read_text()):
        check_resource(resource)


def test_a_field_that_does_not_exist_is_found() -> None:
    spec = {"modelDeploymentRef": {"name": "a"}, "retrain": {"gate": {"rows": 5}}}
    resource = {"apiVersion": API_VERSION, "kind": "DriftMonitor", "metadata": {"name": "a"}, "spec": spec}
    with pytest.raises(jsonschema.ValidationError, match="'rows' was unexpected"):
        check_resource(resource)
