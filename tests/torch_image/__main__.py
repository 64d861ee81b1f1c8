"""Builds the image serving-torch where it is not there yet, and runs the tests of this folder in it.

Outside of it there is no torch: the wheel of PyPI is the one for several GPUs, of more than five gigabytes.
"""

import sys

from images.builder.build import build
from images.builder.catalog import ROOT
from images.builder.engine import engine
from tests import environment

PYTHON = "3.13"  # the image's


def main() -> int:
    (image,) = build(["serving-torch"], archives=False)
    mounts = {ROOT / "tests": "/src/tests", environment.folder("in-image", PYTHON): "/in-image"}
    command = ["python", "-m", "pytest", "-c", "/src/tests/torch_image/pytest.ini", "--rootdir", "/src", *sys.argv[1:]]
    return engine().run(image.ref, [*command, "/src/tests/torch_image"], mounts, {"PYTHONPATH": "/app:/in-image:/src"})


if __name__ == "__main__":
    sys.exit(main())
