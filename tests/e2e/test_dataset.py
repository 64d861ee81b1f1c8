"""Datasets: versions, and what a person reads when something is wrong."""

from tests.e2e.squares import dataset, points
from tests.e2e.user import User, condition


def test_csv_becomes_a_version_with_splits(user: User) -> None:
    uri = user.put("dataset/csv/points.csv", points(1000, 1))
    ready = user.wait(user.apply("Dataset", "csv", dataset(uri)), "Ready")
    current = ready["status"]["current"]
    assert current["rows"] == 1000
    assert sum(current["splits"].values()) == 1000
    assert 700 < current["splits"]["train"] < 900
    assert current["version"] == "v-" + current["digest"].removeprefix("sha256:")[:12]


def test_failed_expectation_keeps_the_last_good_version(user: User) -> None:
    uri = user.put("dataset/quarantine/points.parquet", points(500, 2))
    reference = user.apply("Dataset", "quarantine", dataset(uri))
    good = user.wait(reference, "Ready")["status"]["current"]["digest"]

    broken = points(500, 3)
    broken.loc[:9, "x"] = 7.0
    user.put("dataset/quarantine/points.parquet", broken)
    user.kubectl("annotate", reference, "modelyard.dev/run=now")
    bad = user.wait(reference, "Validated", "False", "ExpectationFailed")

    assert bad["status"]["current"]["digest"] == good
    (failed,) = bad["status"]["candidate"]["failedExpectations"]
    assert failed["failed"] == 10
    described = user.describe(reference)
    assert "ExpectationFailed" in described
    assert "10 of 500" in described.replace(",", "")


def test_bad_sql_names_the_field(user: User) -> None:
    uri = user.put("dataset/sql/points.parquet", points(50, 4))
    spec = dataset(uri, transform={"sql": "selec * from points"})
    reference = user.apply("Dataset", "sql", spec)
    stalled = user.wait(reference, "Stalled", "True", "InvalidSql")
    assert "transform.sql" in condition(stalled, "Ready")["message"]
    assert "InvalidSql" in user.describe(reference)


def test_missing_column_is_named_and_a_mended_spec_builds(user: User) -> None:
    uri = user.put("dataset/column/points.parquet", points(50, 5))
    reference = user.apply("Dataset", "column", dataset(uri, columns={"key": ["id"], "label": "lable"}))
    stalled = user.wait(reference, "Stalled", "True", "MissingColumn")
    assert "lable" in condition(stalled, "Ready")["message"]
    assert "MissingColumn" in user.describe(reference)
    user.apply("Dataset", "column", dataset(uri))
    user.wait(reference, "Ready")


def test_source_that_does_not_exist_is_named(user: User) -> None:
    reference = user.apply("Dataset", "nothing", dataset("s3://examples/no/such/file.parquet"))
    stalled = user.wait(reference, "Stalled", "True", "SourceNotFound")
    assert "no/such/file.parquet" in condition(stalled, "Ready")["message"]
