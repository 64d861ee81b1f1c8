"""Files that are not what they are named: each is refused for what it holds, before anything reads it as a model."""

import gzip
import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from modelyard.contract.reasons import Reason
from modelyard_kit.content import check_archive, refuse_pickle
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import open_model
from tests.unit.serving_image import models
from tests.unit.serving_image.models import NUMERIC, Place


class Payload:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return exec, ("raise SystemExit('the pickle ran')",)


def zipped(entries: dict[str, bytes], mode: int = 0o100644) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return held.getvalue()


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "model.skops"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_any_protocol_is_refused_and_does_not_run(protocol: int, tmp_path: Path) -> None:
    path = saved(tmp_path, pickle.dumps(Payload(), protocol))
    with pytest.raises(TaskFailure, match=r"model\.skops is a pickle: it could run any code") as told:
        refuse_pickle(path)
    assert told.value.reason == Reason.UNSAFE_MODEL


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(pickle.dumps(1)), "is compressed, as joblib"),
        (zipped({"archive/data.pkl": pickle.dumps(1)}), "holds the pickle archive/data.pkl"),
    ],
    ids=["joblib", "torch"],
)
def test_a_wrapped_pickle_is_refused(data: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(TaskFailure, match=words):
        refuse_pickle(saved(tmp_path, data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zipped({"schema.json": b"0" * (128 * 2**20)}), Reason.UNSAFE_MODEL),
        (zipped({"schema.json": b"/etc/passwd"}, mode=0o120777), Reason.UNSAFE_MODEL),
        (zipped({"../schema.json": b"{}"}), Reason.UNSAFE_MODEL),
        (b"", Reason.CORRUPT),
        (b"no archive", Reason.CORRUPT),
    ],
    ids=["bomb", "link", "outside", "empty", "text"],
)
def test_an_archive_that_is_more_than_it_seems_is_refused(data: bytes, reason: Reason, tmp_path: Path) -> None:
    with pytest.raises(TaskFailure) as told:
        check_archive(saved(tmp_path, data))
    assert told.value.reason == reason


@pytest.mark.parametrize("form", models.FORMATS)
def test_models_of_ours_are_none_of_these_and_shortened_ones_are_refused(form: Any, tmp_path: Path) -> None:
    where: Place = models.place(tmp_path)
    manifest, path = models.fetched(where, models.publish(where, "classification", NUMERIC, form=form))
    refuse_pickle(path)
    open_model(path, manifest)
    whole, random = path.read_bytes(), Random(5)  # noqa: S311 - repeatable
    for _ in range(20):
        path.write_bytes(whole[: random.randrange(len(whole) - 1)])
        with pytest.raises(TaskFailure) as told:
            open_model(path, manifest)
        assert told.value.reason in (Reason.CORRUPT, Reason.UNSAFE_MODEL)
