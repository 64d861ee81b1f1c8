"""The store client against a real S3 server: what is written once stays, and what is damaged is noticed."""

from pathlib import Path
from threading import Thread

import pytest

from modelyard.contract.document import digest_bytes
from modelyard.contract.manifest import CurrentRef
from modelyard.contract.reasons import Reason
from modelyard.contract.store import StoreConfig, blob
from modelyard_kit.store import ConflictError, ExistsError, MissingError, Store, StoreError

pytestmark = pytest.mark.integration


def _ref(name: str) -> CurrentRef:
    return CurrentRef(digest=name, build_key="k", promoted_at="2026-01-01T00:00:00Z")


def test_a_blob_is_kept_under_its_digest_and_may_be_put_again(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content" * 1_000_000)
    digest = store.put_blob(file)
    assert store.put_blob(file.read_bytes()) == digest == digest_bytes(file.read_bytes())
    store.get_blob(digest, tmp_path / "down" / "copy")
    assert (tmp_path / "down" / "copy").read_bytes() == file.read_bytes()
    assert [entry.path for entry in store.entries("blobs/")] == [blob(digest)]


def test_a_damaged_blob_is_refused_and_leaves_no_file(store: Store, tmp_path: Path) -> None:
    digest = store.put_blob(b"content")
    store.put(blob(digest), b"Content")
    with pytest.raises(StoreError, match="damaged") as caught:
        store.get_blob(digest, tmp_path / "copy")
    assert caught.value.reason == Reason.CORRUPT
    assert not (tmp_path / "copy").exists()
    with pytest.raises(StoreError, match="damaged"):
        store.blob_bytes(digest)


def test_what_must_be_new_is_not_overwritten(store: Store) -> None:
    store.put_new("a/b", b"1")
    with pytest.raises(ExistsError):
        store.put_new("a/b", b"2")
    assert store.get("a/b") == b"1"


def test_a_reference_changes_only_from_the_version_that_was_read(store: Store) -> None:
    assert store.get_ref("refs/current", CurrentRef) is None
    store.swap_ref("refs/current", _ref("one"), None)
    with pytest.raises(ConflictError):
        store.swap_ref("refs/current", _ref("other"), None)
    found = store.get_ref("refs/current", CurrentRef)
    assert found is not None
    store.swap_ref("refs/current", _ref("two"), found[1])
    with pytest.raises(ConflictError):
        store.swap_ref("refs/current", _ref("three"), found[1])
    assert store.get_document("refs/current", CurrentRef).digest == "two"


def test_of_many_writers_exactly_one_wins(store: Store) -> None:
    store.swap_ref("refs/current", _ref("start"), None)
    found = store.get_ref("refs/current", CurrentRef)
    assert found is not None
    won: list[str] = []

    def write(name: str, etag: str | None) -> None:
        try:
            store.swap_ref("refs/current", _ref(name), etag)
            won.append(name)
        except ConflictError:
            pass

    threads = [Thread(target=write, args=(f"w{i}", found[1])) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.get_document("refs/current", CurrentRef).digest] == won


def test_listing_and_deleting(store: Store) -> None:
    for name in ("x/2", "x/1", "y/1"):
        store.put(name, b"1")
    assert [entry.path for entry in store.entries("x/")] == ["x/1", "x/2"]
    store.delete(["x/1", "x/2"])
    assert list(store.entries("x/")) == []


def test_what_is_not_there_is_missing(store: Store) -> None:
    with pytest.raises(MissingError, match="the store has no"):
        store.get("nothing")
    assert store.etag("nothing") is None


def test_a_wrong_secret_says_what_to_look_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    refused = Store(store.config)
    with pytest.raises(StoreError, match="check the store's Secret"):
        refused.put_blob(b"1")
    with pytest.raises(StoreError, match="check the store's Secret"):
        list(refused.entries("x/"))


def test_a_store_that_is_away_is_the_worlds_fault(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Store(StoreConfig(uri="s3://modelyard", endpoint="http://127.0.0.1:9"))
    with pytest.raises(StoreError, match="does not answer") as caught:
        away.get("x")
    assert (caught.value.blame, caught.value.reason) == ("world", Reason.STORE_UNAVAILABLE)
