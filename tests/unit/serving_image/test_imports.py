"""A server imports the libraries of the one format it serves: they cost seconds and tens of megabytes each."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.contract.manifest import ModelFormat
from tests.unit.serving_image import models
from tests.unit.serving_image.models import NUMERIC, Place

LIBRARIES = ("sklearn", "pandas", "xgboost", "lightgbm", "onnxruntime", "skops")
CODE = f"""
import sys
from pathlib import Path
from modelyard.contract.manifest import ModelManifest
import modelyard_serving.loading
from modelyard_kit.model import open_model
model = open_model(Path(sys.argv[1]), ModelManifest.model_validate_json(sys.stdin.read()))
model.predict_columns([[1.0], [2]])
print(*(name for name in {LIBRARIES} if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("form", "never"),
    [
        ("skops", {"xgboost", "lightgbm", "onnxruntime"}),
        ("onnx", {"xgboost", "lightgbm", "sklearn", "pandas", "skops"}),
        ("xgboost", {"lightgbm", "onnxruntime", "skops"}),
        ("lightgbm", {"xgboost", "onnxruntime", "skops"}),
        ("safetensors", {"xgboost", "lightgbm", "onnxruntime", "sklearn", "pandas", "skops"}),
    ],
)
def test_a_server_imports_the_libraries_of_its_format_only(where: Place, form: ModelFormat, never: set[str]) -> None:
    manifest, path = models.fetched(where, models.publish(where, "classification", NUMERIC, form=form))
    assert set(imported(path, manifest.canonical())) & never == set()


def test_nothing_that_explains_is_imported_before_it_is_asked_for() -> None:
    code = "import sys, modelyard_serving.__main__; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    found = {name for name in told.stdout.split() if name.startswith("modelyard_serving.explanation.")}
    assert {name.rpartition(".")[2] for name in found} == {"budget", "options", "worker"}


def imported(path: Path, manifest: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CODE, str(path)]
    return subprocess.run(
        command, input=manifest, capture_output=True, text=True, env=environment, check=True
    ).stdout.split()
