"""What a user's container finds of the model, and what is said where it cannot be had."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import BlobFile
from modelyard.contract.results import FailureResult, parse_result
from modelyard.contract.store import model_manifest
from modelyard.contract.tasks import ContainerTask, ServeTask
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import load_manifest
from modelyard_serving.fetch import fetch
from tests.unit.serving_image import models
from tests.unit.serving_image.models import Place
from tests.unit.serving_image.test_process import PACKAGES, REPOSITORY

OWN = ContainerTask()
CLASS = ContainerTask(python_class="m:Model")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    model, program = tmp_path / "model", tmp_path / "program"
    model.mkdir()
    program.mkdir()
    return model, program


def with_files(where: Place, digest: str, *files: BlobFile) -> str:
    """The digest of a manifest that lists these files instead."""
    changed = load_manifest(where.store, "shop", "demo-job", digest).model_copy(update={"files": list(files)})
    made = digest_of(changed.wire())
    where.store.put_manifest(model_manifest("shop", "demo-job", made), changed)
    return made


def test_every_file_of_the_model_is_there_to_read(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    own = models.place(tmp_path)
    digest = models.publish(own, "classification", form="onnx")
    fetch(own.task(digest, container=OWN), *folders)
    assert sorted(path.name for path in folders[0].iterdir()) == ["model.onnx", "model.skops"]
    assert (folders[0] / "model.onnx").read_bytes() == (tmp_path / "trained" / "model.onnx").read_bytes()
    assert {path.stat().st_mode & 0o777 for path in folders[0].iterdir()} == {0o444}
    assert list(folders[1].iterdir()) == []


def test_a_pickle_is_there_where_it_is_allowed_only(where: Place, folders: tuple[Path, Path]) -> None:
    digest = models.publish(where, "classification", form="pickle")
    with pytest.raises(TaskFailure, match="is a pickle"):
        fetch(where.task(digest, container=OWN), *folders)
    fetch(where.task(digest, container=OWN, allow_unsafe=True), *folders)
    assert [path.name for path in folders[0].iterdir()] == ["model.joblib"]


def test_a_class_gets_the_program_that_serves_it(where: Place, digest: str, folders: tuple[Path, Path]) -> None:
    fetch(where.task(digest, container=CLASS), *folders)
    assert [path.name for path in folders[1].iterdir()] == ["class_server.py"]


def test_a_name_never_leads_out_of_the_folder(where: Place, digest: str, folders: tuple[Path, Path]) -> None:
    (file,) = load_manifest(where.store, "shop", "demo-job", digest).files
    tricky = with_files(where, digest, file.model_copy(update={"path": "../../escaped.skops"}))
    assert fetch(where.task(tricky, container=OWN), *folders) == [folders[0] / "escaped.skops"]


@pytest.mark.parametrize("names", [("a/model.skops", "b/model.skops"), ("..",), ("/",)])
def test_names_that_are_none_are_refused(
    where: Place, digest: str, folders: tuple[Path, Path], names: tuple[str, ...]
) -> None:
    (file,) = load_manifest(where.store, "shop", "demo-job", digest).files
    tricky = with_files(where, digest, *(file.model_copy(update={"path": name}) for name in names))
    with pytest.raises(TaskFailure):
        fetch(where.task(tricky, container=OWN), *folders)


def run(folder: Path, task: ServeTask) -> tuple[int, str]:
    (folder / "task.json").write_text(task.canonical())
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(REPOSITORY / package) for package in PACKAGES),
        "MODELYARD_TASK": str(folder / "task.json"),
        "MODELYARD_RESULT": str(folder / "result"),
        "MODELYARD_MODEL": str(folder / "model"),
        "MODELYARD_PROGRAM": str(folder / "program"),
    }
    done = subprocess.run([sys.executable, "-m", "modelyard_serving.fetch"], env=environment, check=False, timeout=120)
    result = folder / "result"
    return done.returncode, result.read_text() if result.exists() else ""


def test_the_process_ends_with_a_result_where_the_model_is_gone(
    tmp_path: Path, where: Place, digest: str, folders: tuple[Path, Path]
) -> None:
    assert run(tmp_path, where.task(digest, container=CLASS)) == (0, "")
    assert sorted(path.name for folder in folders for path in folder.iterdir()) == ["class_server.py", "model.skops"]
    code, said = run(tmp_path, where.task("sha256:" + "0" * 64, container=CLASS))
    result = parse_result(said)
    assert isinstance(result, FailureResult)
    assert (code, result.blame) == (1, "world")
