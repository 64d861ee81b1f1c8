"""Builds the images with torch where they are not there yet, and runs in each the tests of the folder of its name.

Outside of them there is no torch: the wheel of PyPI is the one for several GPUs, of more than five gigabytes.
"""

import sys

from images.builder.build import build
from images.builder.catalog import ROOT
from images.builder.engine import engine
from tests import environment

PYTHON = "3.13"  # the images'
FIXTURES = {"training": ["-p", "tests.unit.training_image.conftest"], "serving": [], "drift": []}
HERE = "/src/tests/torch_image"


def main() -> int:
    mounts = {ROOT / "tests": "/src/tests", environment.folder("in-image", PYTHON): "/in-image"}
    paths = {"PYTHONPATH": "/app:/in-image:/src"}
    for image in build([f"{kind}-torch" for kind in FIXTURES], archives=False):
        kind = image.name.removesuffix("-torch")
        command = ["python", "-m", "pytest", "-c", f"{HERE}/pytest.ini", "--rootdir", "/src", *FIXTURES[kind]]
        ended = engine().run(image.ref, [*command, *sys.argv[1:], f"{HERE}/{kind}"], mounts, paths)
        if ended:
            return ended
    return 0


if __name__ == "__main__":
    sys.exit(main())
