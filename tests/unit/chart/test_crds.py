"""The chart carries the CRDs of crds/, word for word in meaning, and never deletes a user's resources."""

import pytest
import yaml

from modelyard.api.kinds import KINDS
from tests.unit.chart.rendering import CHART, ROOT, Helm

SOURCE = ROOT / "crds"
COPY = CHART / "files" / "crds"


def test_the_charts_files_are_those_of_crds() -> None:
    names = {path.name for path in SOURCE.glob("*.yaml")}
    assert {path.name for path in COPY.glob("*.yaml")} == names
    assert len(names) == len(KINDS)
    for name in names:
        assert (COPY / name).read_text() == (SOURCE / name).read_text(), f"{name} differs: make crds"


def test_rendered_definitions_mean_what_the_files_say(helm: Helm) -> None:
    rendered = {each["metadata"]["name"]: each for each in helm.template({}).of("CustomResourceDefinition")}
    assert len(rendered) == len(KINDS)
    for path in SOURCE.glob("*.yaml"):
        source = yaml.safe_load(path.read_text())
        assert rendered[source["metadata"]["name"]]["spec"] == source["spec"], path.name


@pytest.mark.parametrize(("keep", "policy"), [(True, "keep"), (False, None)])
def test_uninstall_keeps_the_definitions_unless_told_otherwise(helm: Helm, keep: bool, policy: str | None) -> None:
    for each in helm.template({"crds": {"keep": keep}}).of("CustomResourceDefinition"):
        assert each["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == policy


def test_definitions_can_be_left_to_somebody_else(helm: Helm) -> None:
    assert helm.template({"crds": {"enabled": False}}).of("CustomResourceDefinition") == []


def test_definitions_fit_into_the_annotation_of_kubectl_apply() -> None:
    for path in SOURCE.glob("*.yaml"):
        assert path.stat().st_size < 64 * 1024, path.name
