"""The table `this`: types of the contract, roles, and messages for what is missing."""

import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.tasks import SourceTask
from modelyard_kit.failure import UserFailure
from tests.unit.dataset_image.conftest import Table

CSV = "id,price,up,ts,day,name\n1,0.5,true,2024-01-01 00:00:00,2024-01-01,x\n2,,false,2024-01-02 00:00:00,2024-01-02,\n"


def test_columns_get_contract_types_roles_and_nullability(this: Table) -> None:
    columns = this(CSV, roles={"key": ["id"], "time": "ts", "label": "up"})
    found = [(column.name, column.type, column.role, column.nullable) for column in columns]
    assert found == [
        ("id", "int64", "key", False),
        ("price", "float64", "feature", True),
        ("up", "bool", "label", False),
        ("ts", "timestamp", "time", False),
        ("day", "date", "feature", False),
        ("name", "string", "feature", True),
    ]


def test_sums_and_decimals_become_plain_numbers(this: Table) -> None:
    columns = this(CSV, sql="select sum(id) as total, 1.50::decimal(5,2) as share from a -- all of it")
    assert [column.type for column in columns] == ["int64", "float64"]


def test_a_type_no_model_takes_is_refused_by_name(this: Table) -> None:
    with pytest.raises(UserFailure, match=r"column ids has type INTEGER\[\].*cast it or leave it out"):
        this(CSV, sql="select [1::int] as ids from a")


def test_a_role_that_is_no_column_suggests_the_nearest(this: Table) -> None:
    with pytest.raises(UserFailure, match=r"spec\.columns names prise.*did you mean price\?") as caught:
        this(CSV, roles={"label": "prise"})
    assert caught.value.reason == Reason.MISSING_COLUMN


def test_a_missing_column_in_the_sql_lists_the_candidates(this: Table) -> None:
    with pytest.raises(UserFailure, match=r'spec\.transform\.sql: .*"prise".*"price"') as caught:
        this(CSV, sql="select prise from a")
    assert caught.value.reason == Reason.MISSING_COLUMN


def test_a_file_that_is_not_what_its_format_says_names_its_source(this: Table) -> None:
    with pytest.raises(UserFailure, match=r"spec\.sources\[a\]") as caught:
        this(CSV, sources=[SourceTask(name="a", uri="s3://b/a.csv", format="parquet")])
    assert caught.value.reason == Reason.BAD_DATA


def test_a_format_that_cannot_be_told_is_asked_for(this: Table) -> None:
    with pytest.raises(UserFailure, match=r"spec\.sources\[a\]\.format.*set it to csv or parquet"):
        this(CSV, sources=[SourceTask(name="a", uri="s3://b/data.bin")])


def test_personal_columns_keep_their_role_and_are_marked(this: Table) -> None:
    columns = this(CSV, roles={"key": ["id"], "label": "up", "pii": ["name", "id"]})
    assert [column.name for column in columns if column.pii] == ["id", "name"]
    assert [column.role for column in columns if column.pii] == ["key", "feature"]


def test_a_personal_column_that_is_not_there_is_not_passed_over(this: Table) -> None:
    with pytest.raises(UserFailure, match=r"spec\.columns names nam.*did you mean name\?"):
        this(CSV, roles={"pii": ["nam"]})
