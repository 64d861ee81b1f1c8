"""A build that dies at any write leaves the last good version current, and the next build finishes the work."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.manifest import CurrentRef, DatasetManifest
from modelyard.contract.results import DatasetResult
from modelyard.contract.store import dataset_current
from modelyard.contract.tasks import DatasetTask
from modelyard_dataset.build import build
from modelyard_dataset.versions import Versions
from modelyard_kit.progress import Reporter
from modelyard_kit.store import ConflictError, Store
from modelyard_kit.tabular import load_manifest, read_split

pytestmark = pytest.mark.integration

WRITES = ("put_blob", "put_manifest", "swap_ref")


class Killed(BaseException):
    """Like SIGKILL: nothing in the build may catch it."""


def _build(store: Store, rows: int) -> DatasetResult:
    store.put("lake/a.csv", "\n".join(["id", *map(str, range(rows)), ""]).encode())
    source = {"name": "a", "uri": f"{store.config.uri}/lake/a.csv"}
    task = {"namespace": "ns", "name": "d", "store": store.config, "sources": [source]}
    return build(DatasetTask.model_validate(task), Reporter(CollectorRegistry()))


def _current(store: Store, folder: Path) -> int:
    """Rows of the current version, every file read and verified."""
    ref = store.get_document(dataset_current("ns", "d"), CurrentRef)
    manifest = load_manifest(store, "ns", "d", ref.digest)
    return int(read_split(store, manifest, "train", folder).num_rows)


@pytest.mark.parametrize("survived", range(5))
def test_death_before_any_write_loses_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    """A build writes the split, the sample, the profile, the manifest and the reference: five in all."""
    _build(store, 100)
    left = survived

    def dying(name: str) -> Any:
        write = getattr(Store, name)

        def wrapper(self: Store, *arguments: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return write(self, *arguments)

        return wrapper

    with monkeypatch.context() as patch:
        for name in WRITES:
            patch.setattr(Store, name, dying(name))
        with pytest.raises(Killed):
            _build(store, 200)
    assert _current(store, tmp_path) == 100
    assert _build(store, 200).outcome == "Promoted"
    assert _current(store, tmp_path) == 200


def test_of_two_builds_at_once_the_first_wins_and_the_other_says_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _build(store, 100)
    publish = Versions.publish

    def publish_late(self: Versions, manifest: DatasetManifest) -> str:
        if manifest.rows == 200:
            _build(store, 300)
        return publish(self, manifest)

    monkeypatch.setattr(Versions, "publish", publish_late)
    with pytest.raises(ConflictError, match="changed by someone else"):
        _build(store, 200)
    assert _current(store, tmp_path) == 300
