"""One value moves every image to another registry; each image can also be given in full."""

import pytest

from tests.unit.chart.rendering import DIGEST, Helm

IMAGES = {
    **{name: name for name in ("operator", "dataset", "training", "serving", "drift", "store")},
    "servingTorch": "serving-torch",
    "driftTorch": "drift-torch",
}


def test_images_default_to_the_charts_version(helm: Helm) -> None:
    assert set(helm.template({}).images()) == {f"modelyard/{name}:0.1.0" for name in IMAGES.values()}


def test_the_registry_value_rewrites_every_image(helm: Helm) -> None:
    images = {key: f"ghcr.io/modelyard/{name}:7" for key, name in IMAGES.items()}
    rendered = helm.template({"images": {**images, "registry": "registry.example.com:5000/ml"}})
    assert set(rendered.images()) == {f"registry.example.com:5000/ml/modelyard/{name}:7" for name in IMAGES.values()}


@pytest.mark.parametrize(
    ("registry", "given", "expected"),
    [
        ("", "modelyard/store", "modelyard/store:0.1.0"),
        ("", "modelyard/store:abc", "modelyard/store:abc"),
        ("", "localhost:5001/store", "localhost:5001/store:0.1.0"),
        ("", f"modelyard/store@{DIGEST}", f"modelyard/store@{DIGEST}"),
        ("r.io", f"ghcr.io/modelyard/store:1@{DIGEST}", f"r.io/modelyard/store:1@{DIGEST}"),
        ("r.io", "localhost/store:1", "r.io/store:1"),
        ("r.io", "localhost:5001/store:1", "r.io/store:1"),
        ("r.io", "store", "r.io/store:0.1.0"),
        ("r.io/mirror", "modelyard/store:1", "r.io/mirror/modelyard/store:1"),
    ],
)
def test_references_are_completed(helm: Helm, registry: str, given: str, expected: str) -> None:
    rendered = helm.template({"images": {"registry": registry, "store": given}})
    (container,) = rendered.one("StatefulSet", "modelyard-store")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == expected


def test_one_tag_can_be_given_for_all(helm: Helm) -> None:
    assert {image.rsplit(":", 1)[1] for image in helm.template({"images": {"tag": "edge"}}).images()} == {"edge"}
