"""Downloads over connections that break: they go on where they were, and what comes is what was put."""

import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.store import StoreConfig, blob
from modelyard_kit import download
from modelyard_kit.store import Store, StoreError
from tests.integration.store.cutting import Cutting, cut

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
CONTENT = Random(1).randbytes(20_000_000)  # noqa: S311 - repeatable
BREAK = 1_500_000  # bytes: more breaks than obstore bears


def through(proxy: Cutting, store: Store) -> Store:
    return Store(StoreConfig(uri=store.config.uri, endpoint=f"http://127.0.0.1:{proxy.port}"))


def test_a_download_goes_on_where_connections_break(store: Store, store_endpoint: str, tmp_path: Path) -> None:
    digest = store.put_blob(CONTENT)
    with cut(store_endpoint, BREAK) as proxy:
        through(proxy, store).get_blob(digest, tmp_path / "model", len(CONTENT))
        begins = [int(found.removeprefix("bytes=").partition("-")[0]) for found in proxy.ranges]
        passed = sum(proxy.passed)
    assert (tmp_path / "model").read_bytes() == CONTENT
    assert begins[0] == 0
    assert begins == sorted(begins)
    assert begins[-1] > 10_000_000
    assert passed < len(CONTENT) + len(begins) * 2 * download.CHUNK  # nothing came twice but what a break lost
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


def test_what_broke_for_good_is_continued_by_the_next_call(
    store: Store, store_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = store.put_blob(CONTENT)
    monkeypatch.setattr(download, "PAUSES", ())
    with cut(store_endpoint, BREAK) as proxy:
        broken = through(proxy, store)
        with pytest.raises(StoreError) as caught:
            broken.get_blob(digest, tmp_path / "model")
        assert caught.value.reason == Reason.STORE_UNAVAILABLE
        there = (tmp_path / "model.part").stat().st_size
        assert BREAK < there < len(CONTENT)
        assert not (tmp_path / "model").exists()
        proxy.limit = None
        broken.get_blob(digest, tmp_path / "model")
        assert proxy.ranges[-1] == f"bytes={there}-{len(CONTENT) - 1}"
    assert (tmp_path / "model").read_bytes() == CONTENT


@pytest.mark.parametrize("rest", [b"x" * 1_000_000, b"x" * 30_000_000], ids=["beginning", "longer"])
def test_the_rest_of_another_file_is_thrown_away(store: Store, tmp_path: Path, rest: bytes) -> None:
    digest = store.put_blob(CONTENT)
    (tmp_path / "model.part").write_bytes(rest)
    store.get_blob(digest, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_an_object_of_another_size_than_its_manifest_says_is_not_begun(store: Store, tmp_path: Path, size: int) -> None:
    digest = store.put_blob(CONTENT)
    with pytest.raises(StoreError, match=f"has {len(CONTENT)} bytes, not {size}") as caught:
        store.get_blob(digest, tmp_path / "model", size)
    assert caught.value.reason == Reason.CORRUPT
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_disk_cannot_take_is_not_begun(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = store.put_blob(CONTENT)
    usage: Any = shutil.disk_usage(tmp_path)._replace(free=len(CONTENT) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match=r"raise spec\.resources\.limits\.ephemeral-storage"):
        store.get_blob(digest, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_object_leaves_nothing_to_go_on_with(store: Store, tmp_path: Path) -> None:
    digest = store.put_blob(CONTENT)
    store.put(blob(digest), b"y" + CONTENT[1:])
    with pytest.raises(StoreError, match="damaged"):
        store.get_blob(digest, tmp_path / "model", len(CONTENT))
    assert list(tmp_path.iterdir()) == []
