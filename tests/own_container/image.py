"""The image as the builder sees it. It is none of the product's: it is built where a test asks for it."""

from images.builder.build import build
from images.builder.catalog import IMAGES, Image
from tests.cluster.provider import Provider

OWN_CONTAINER = Image(
    "own-container",
    "tests/own_container/Dockerfile",
    (
        "requirements/sagemaker.txt",
        "docs/how-to/bring-your-container.md",
        "tests/own_container/programs.py",
    ),
    "base-python",
)


def build_and_load(provider: Provider) -> str:
    """Its reference, once pods of the cluster can start it."""
    (built,) = build([OWN_CONTAINER.name], known={**IMAGES, OWN_CONTAINER.name: OWN_CONTAINER})
    for archive in built.archives:
        provider.load_image(str(archive))
    return built.ref
