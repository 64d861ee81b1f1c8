"""One SELECT over the declared names, and nothing else."""

import pytest

from modelyard.contract.reasons import Reason
from modelyard_dataset.statement import check_select
from modelyard_kit.failure import UserFailure

FIELD = "spec.transform.sql"


@pytest.mark.parametrize(
    "sql",
    [
        "select * from market",
        "from market",
        "with day as (select * from market) select * from day, weather",
        "select * from market where id in (select id from weather)",
        "(select a from market) union all (select a from weather)",
        "select * from market, range(3)",
        "select * from Market m left join WEATHER w using (id)",
    ],
)
def test_a_select_over_declared_names_is_left_as_it_is(sql: str) -> None:
    assert check_select(sql, ["market", "weather"], FIELD) == sql


def test_a_semicolon_at_the_end_and_what_follows_it_are_dropped() -> None:
    assert check_select("select 1 from market; -- done", ["market"], FIELD) == "select 1 from market"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("selec * from market", 'syntax error at or near "selec"'),
        ("select * from (market", "syntax error"),
        ("", "0 statements"),
        ("select 1; select 2", "2 statements"),
        ("copy market to '/tmp/x'", "must be a SELECT, but is COPY"),
        ("attach '/etc/passwd'", "must be a SELECT"),
        ("install httpfs", "must be a SELECT"),
        ("pragma database_list", "not declared"),
        ("set threads = 9", "must be a SELECT"),
        ("drop table market", "must be a SELECT"),
        ("create table x as select 1", "must be a SELECT"),
        ("select * from '/etc/passwd'", "not declared; it may read market"),
        ("select * from 's3://other/x.parquet'", "not declared"),
        ('select * from "/etc/passwd"', "not declared"),
        ("select * from information_schema.tables", "not declared"),
        ("select * from other.market", "not declared"),
        ("select * from read_text('/etc/passwd')", "table functions are not allowed"),
        ("select * from read_parquet('x.parquet')", "table functions are not allowed"),
        ("select * from duckdb_secrets()", "table functions are not allowed"),
        ("select * from query('drop table market')", "table functions are not allowed"),
        ("select (select count(*) from glob('*')) from market", "table functions are not allowed"),
        ("with x as (select * from y) select * from x", "reads y, which is not declared"),
    ],
)
def test_anything_else_is_refused_and_names_the_field(sql: str, words: str) -> None:
    with pytest.raises(UserFailure) as caught:
        check_select(sql, ["market"], FIELD)
    assert caught.value.reason == Reason.INVALID_SQL
    assert caught.value.message.startswith(FIELD)
    assert words in caught.value.message
