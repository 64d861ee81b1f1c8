"""Builds the images that changed and makes them available to the cluster's pods."""

from images.builder.build import build
from images.builder.catalog import FINAL
from tests.cluster.provider import Provider


def build_and_load(provider: Provider) -> dict[str, str]:
    """Image name -> reference, as the chart's values take them."""
    built = build(list(FINAL))
    for archive in dict.fromkeys(archive for image in built for archive in image.archives):  # parents are shared
        provider.load_image(str(archive))
    return {image.name: image.ref for image in built}
