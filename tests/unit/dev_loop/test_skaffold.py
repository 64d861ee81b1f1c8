"""`skaffold dev` builds the images of images/ and sets all of them into the chart."""

import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from images.builder.catalog import FINAL, IMAGES, chain
from tests.unit.dev_loop.skaffold_schema import SKAFFOLD

ROOT = Path(__file__).parents[3]
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
ARTIFACTS: list[dict[str, Any]] = CONFIG["build"]["artifacts"]
BUILT = {artifact["image"]: artifact for artifact in ARTIFACTS}
(RELEASE,) = CONFIG["deploy"]["helm"]["releases"]
VALUES: dict[str, Any] = yaml.safe_load((ROOT / RELEASE["chartPath"] / "values.yaml").read_text())

each_artifact = pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda a: a["image"])


def dockerfile(artifact: dict[str, Any]) -> Path:
    return ROOT.joinpath(artifact["context"], artifact["docker"]["dockerfile"])


def parents(name: str) -> list[str]:
    """Images it starts from; a stage of the same Dockerfile is found by the build itself."""
    image = IMAGES[name]
    elsewhere = image.parent and IMAGES[image.parent].dockerfile != image.dockerfile
    return [f"modelyard/{image.parent}"] if elsewhere else []


def test_file_follows_the_published_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SKAFFOLD)
    jsonschema.Draft7Validator(SKAFFOLD).validate(CONFIG)


@pytest.mark.parametrize(
    "wrong",
    [
        {"apiVersion": "skaffold/v4beta13"},
        {"build": {"artifacts": [{"image": "a", "docker": {"file": "Dockerfile"}}]}},
        {"deploy": {"helm": {"releases": [{"chartPath": "charts/modelyard"}]}}},
        {"profiles": [{"name": "kind", "activation": {"kubeContext": "kind"}}]},
    ],
    ids=["version", "dockerfile", "release without a name", "activation"],
)
def test_schema_refuses_what_skaffold_refuses(wrong: dict[str, Any]) -> None:
    assert not jsonschema.Draft7Validator(SKAFFOLD).is_valid({**CONFIG, **wrong})


@each_artifact
def test_artifact_is_an_image_of_the_catalog_built_alike(artifact: dict[str, Any]) -> None:
    name = artifact["image"].removeprefix("modelyard/")
    assert dockerfile(artifact) == ROOT / IMAGES[name].dockerfile
    assert artifact["docker"].get("target") == IMAGES[name].stage
    assert [need["image"] for need in artifact.get("requires", [])] == parents(name)


@each_artifact
def test_dockerfile_has_the_stage_and_the_arguments_it_is_given(artifact: dict[str, Any]) -> None:
    text = dockerfile(artifact).read_text()
    if "target" in artifact["docker"]:
        assert re.search(rf"^FROM .* AS {artifact['docker']['target']}$", text, re.MULTILINE)
    for need in artifact.get("requires", []):
        assert re.search(rf"^ARG {need['alias']}\b", text, re.MULTILINE)
        assert need["image"] in BUILT


def test_every_image_of_the_catalog_is_built_but_those_with_torch() -> None:
    assert sorted(BUILT) == sorted(f"modelyard/{image.name}" for image in chain(list(FINAL)))


def test_every_image_that_runs_is_set_into_the_chart() -> None:
    """Skaffold names its variable after the image, with _ for / and -."""
    wanted = {f"images.{name}": f"{{{{.IMAGE_FULLY_QUALIFIED_modelyard_{name}}}}}" for name in FINAL}
    assert RELEASE["setValueTemplates"] == wanted
    assert set(FINAL) <= VALUES["images"].keys()


def test_chart_exists() -> None:
    assert (ROOT / RELEASE["chartPath"] / "Chart.yaml").is_file()


def test_profiles_keep_buildkit() -> None:
    """A profile's `local` replaces the whole of it, it is not merged."""
    locals_ = [profile["build"]["local"] for profile in CONFIG["profiles"] if "local" in profile.get("build", {})]
    assert [local["useBuildkit"] for local in locals_] == [True] * len(locals_)
