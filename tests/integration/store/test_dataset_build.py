"""Whole dataset builds against a real store: promotion, no-ops, quarantine, and what users get wrong."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.manifest import CurrentRef
from modelyard.contract.reasons import Reason
from modelyard.contract.results import DatasetResult
from modelyard.contract.store import dataset_current, dataset_manifest, dataset_quarantine
from modelyard.contract.tasks import DatasetTask
from modelyard_dataset import addresses
from modelyard_dataset.build import build
from modelyard_kit.failure import TaskFailure
from modelyard_kit.profile import load_profile
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from modelyard_kit.tabular import load_manifest, read_split

pytestmark = pytest.mark.integration

SPLITS = {"strategy": "hash", "key": ["id"], "ratios": {"train": 80, "validation": 10, "test": 10}}
Build = Callable[..., DatasetResult]


def _csv(rows: int, start: int = 0) -> bytes:
    lines = [f"{i},{i / 10},{'up' if i % 3 else 'down'}" for i in range(start, start + rows)]
    return "\n".join(["id,price,move", *lines, ""]).encode()


@pytest.fixture
def lake(store: Store) -> Callable[[str, bytes], str]:
    """Puts a source file and returns its s3 uri."""

    def put(name: str, data: bytes) -> str:
        store.put(f"lake/{name}", data)
        return f"{store.config.uri}/lake/{name}"

    return put


@pytest.fixture
def run(store: Store) -> Build:
    """Builds the dataset ns/d with the given source uris or task fields."""

    def run(*uris: str, **fields: Any) -> DatasetResult:
        sources = [{"name": f"s{i}" if i else "market", "uri": uri} for i, uri in enumerate(uris)]
        task = {"namespace": "ns", "name": "d", "store": store.config, "sources": sources, "splits": SPLITS, **fields}
        return build(DatasetTask.model_validate(task), Reporter(CollectorRegistry()))

    return run


def _current(store: Store) -> str:
    return store.get_document(dataset_current("ns", "d"), CurrentRef).digest


def test_a_first_build_is_promoted_with_files_profile_and_sample(
    store: Store, run: Build, lake: Callable[[str, bytes], str], tmp_path: Path
) -> None:
    roles = {"key": ["id"], "label": "move"}
    result = run(lake("a.csv", _csv(1000)), sql="select id, price * 2 as price, move from market", roles=roles)
    assert (result.outcome, result.rows, result.content_changed) == ("Promoted", 1000, True)
    assert _current(store) == result.digest
    manifest = load_manifest(store, "ns", "d", result.digest)
    assert {file.split: file.rows for file in manifest.files} == result.splits
    tables = [read_split(store, manifest, split, tmp_path) for split in result.splits]
    assert sorted(pa.concat_tables(tables)["id"].to_pylist()) == list(range(1000))
    profile = load_profile(store, result.profile_digest)
    assert profile.rows == result.splits["train"]
    assert [(column.name, column.kind) for column in profile.columns] == [
        ("id", "numeric"),
        ("price", "numeric"),
        ("move", "categorical"),
    ]
    sample = pq.read_table(io.BytesIO(store.blob_bytes(profile.sample_digest or "")))
    assert sample.num_rows == profile.rows


def test_equal_sources_and_recipe_build_nothing(
    store: Store, run: Build, lake: Callable[[str, bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = lake("a.csv", _csv(200))
    first = run(uri)
    monkeypatch.setattr("modelyard_dataset.build.fetch_all", None)  # any download would fail
    second = run(uri)
    assert second.outcome == "Unchanged"
    assert not second.content_changed
    same = ("digest", "rows", "bytes", "files", "splits", "profile_digest", "logical_digest", "inputs_digest")
    assert {name: getattr(second, name) for name in same} == {name: getattr(first, name) for name in same}


def test_the_same_rows_in_another_file_are_a_version_without_changed_content(
    run: Build, lake: Callable[[str, bytes], str]
) -> None:
    first = run(lake("a.csv", _csv(200)))
    header, *lines = _csv(200).decode().split()
    second = run(lake("a.csv", "\n".join([header, *reversed(lines), ""]).encode()))
    assert second.outcome == "Promoted"
    assert second.logical_digest == first.logical_digest
    assert not second.content_changed


def test_more_files_behind_a_wildcard_make_a_new_version(run: Build, lake: Callable[[str, bytes], str]) -> None:
    uri = lake("part-1.csv", _csv(100)).replace("part-1", "part-*")
    lake("other.csv", b"x\n1\n")
    lake("deeper/part-9.csv", b"x\n1\n")
    first = run(uri)
    lake("part-2.csv", _csv(50, start=100))
    second = run(uri)
    assert (first.rows, second.rows, second.outcome) == (100, 150, "Promoted")


def test_parquet_and_csv_are_joined(run: Build, lake: Callable[[str, bytes], str]) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": range(100), "wind": [1.5] * 100}), buffer)
    uris = [lake("a.csv", _csv(200)), lake("b.parquet", buffer.getvalue())]
    assert run(*uris, sql="select m.*, wind from market m join s1 using (id)").rows == 100


def test_a_failed_expectation_keeps_the_last_good_version(
    store: Store, run: Build, lake: Callable[[str, bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [
        {"name": "price", "column": "price", "between": [0, 50]},
        {"name": "hint", "column": "price", "between": [0, 1], "severity": "warn"},
    ]
    good = run(lake("a.csv", _csv(200)), expectations=checks)
    assert [item.name for item in good.failed_expectations] == ["hint"]
    uri = lake("a.csv", _csv(600))
    bad = run(uri, expectations=checks)
    assert (good.outcome, bad.outcome) == ("Promoted", "Quarantined")
    assert (bad.failed_expectations[0].name, bad.failed_expectations[0].failed) == ("price", 99)
    assert _current(store) == good.digest
    assert store.get_document(dataset_quarantine("ns", "d", bad.digest), CurrentRef).failed == ["price"]
    monkeypatch.setattr("modelyard_dataset.build.fetch_all", None)
    again = run(uri, expectations=checks)
    assert (again.outcome, again.digest) == ("Quarantined", bad.digest)


def test_a_shrinking_source_is_measured_against_the_current_version(
    run: Build, lake: Callable[[str, bytes], str]
) -> None:
    checks = [{"name": "size", "rowCount": {"maxChangeRatio": 0.5}}]
    assert run(lake("a.csv", _csv(200)), expectations=checks).outcome == "Promoted"
    shrunk = run(lake("a.csv", _csv(90)), expectations=checks)
    assert shrunk.outcome == "Quarantined"
    assert "differ by 0.55 from the current 200" in shrunk.failed_expectations[0].message


def test_a_schema_that_is_not_met_is_quarantined(run: Build, lake: Callable[[str, bytes], str]) -> None:
    schema = {"mode": "exact", "fields": [{"name": "id", "type": "string"}, {"name": "price", "type": "float64"}]}
    result = run(lake("a.csv", _csv(200)), data_schema=schema)
    assert result.outcome == "Quarantined"
    assert result.schema_findings == ["column id is int64, not string", "column move is not in the schema"]


def test_a_damaged_manifest_is_replaced_by_a_new_build(
    store: Store, run: Build, lake: Callable[[str, bytes], str]
) -> None:
    uri = lake("a.csv", _csv(200))
    first = run(uri)
    store.put(dataset_manifest("ns", "d", first.digest), b"{}")
    assert run(uri, bins=10).outcome == "Promoted"


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"sql": "select * from markets"}, Reason.INVALID_SQL, "it may read market"),
        ({"sql": "select prise from market"}, Reason.MISSING_COLUMN, "price"),
        ({"sql": "select * from market where id < 0"}, Reason.BAD_DATA, "gives no rows"),
        ({"roles": {"label": "movee"}}, Reason.MISSING_COLUMN, "did you mean move?"),
        ({"sources": [{"name": "m", "uri": "s3://modelyard/no/such.csv"}]}, Reason.SOURCE_NOT_FOUND, "spec.sources[m]"),
        ({"sources": [{"name": "m", "uri": "s3://modelyard/no/*.csv"}]}, Reason.SOURCE_NOT_FOUND, "no file matches"),
        ({"sources": [{"name": "m", "uri": "s3://no-bucket/*.csv"}]}, Reason.SOURCE_NOT_FOUND, "spec.sources[m]"),
    ],
)
def test_what_a_user_can_mend_says_how(
    run: Build, lake: Callable[[str, bytes], str], fields: dict[str, Any], reason: Reason, words: str
) -> None:
    with pytest.raises(TaskFailure) as caught:
        run(lake("a.csv", _csv(200)), **fields)
    assert (caught.value.blame, caught.value.reason) == ("user", reason)
    assert words in caught.value.message


def test_a_wrong_checksum_shows_both(store: Store, run: Build, lake: Callable[[str, bytes], str]) -> None:
    uri = lake("a.csv", _csv(200))
    with pytest.raises(TaskFailure, match="write the new sum") as caught:
        run(sources=[{"name": "market", "uri": uri, "sha256": "0" * 64}])
    assert caught.value.reason == Reason.CHECKSUM_MISMATCH


def test_a_source_that_is_away_is_tried_again(run: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "REFUSED", ())  # it can only be on loopback here
    source = {"name": "m", "uri": "s3://bucket/a.csv", "endpoint": "http://127.0.0.1:9"}
    with pytest.raises(TaskFailure) as caught:
        run(sources=[source])
    assert (caught.value.blame, caught.value.reason) == ("world", Reason.SOURCE_UNAVAILABLE)
