"""What a user's container is sent, and which of its answers are taken."""

import csv
import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.tasks import ContainerTask
from modelyard_serving.container_bodies import prediction, request_body

FEATURES = [
    Column(name="price", type="float64"),
    Column(name="plan", type="string"),
    Column(name="new", type="bool"),
    Column(name="day", type="date"),
    Column(name="at", type="timestamp"),
]
COLUMNS: list[list[Any]] = [
    [1.5, None],
    ['a "b", c', None],
    [True, None],
    [date(2024, 5, 1), None],
    [datetime(2024, 5, 1, 12, tzinfo=UTC), None],
]


def manifest(*classes: str) -> ModelManifest:
    return ModelManifest(
        format="onnx",
        task="classification" if classes else "regression",
        files=[],
        features=FEATURES,
        label=Column(name="y", type="string", role="label"),
        classes=list(classes),
        metrics={},
        profile_digest="sha256:0",
        dataset_name="d",
        dataset_digest="sha256:1",
        created_at="2024-05-01T00:00:00Z",
    )


def sent(**task: Any) -> tuple[str, bytes]:
    return request_body(ContainerTask(**task), manifest(), COLUMNS)


ROW = [1.5, 'a "b", c', True, "2024-05-01", "2024-05-01T12:00:00+00:00"]


def test_rows_are_lists_in_the_order_of_the_features() -> None:
    kind, body = sent()
    assert (kind, json.loads(body)) == ("application/json", [ROW, [None] * 5])


@pytest.mark.parametrize("task", [{"body": "Instances"}, {"python_class": "m:M"}], ids=["asked for", "class"])
def test_instances_are_objects_by_feature(task: dict[str, Any]) -> None:
    kind, body = sent(**task)
    names = [feature.name for feature in FEATURES]
    assert kind == "application/json"
    assert json.loads(body) == {"instances": [dict(zip(names, ROW, strict=True)), dict.fromkeys(names)]}


def test_csv_has_no_header_and_nothing_where_nothing_is_known() -> None:
    kind, body = sent(body="CSV")
    assert kind == "text/csv"
    assert body.decode() == '1.5,"a ""b"", c",1,2024-05-01,2024-05-01T12:00:00+00:00\n,,,,\n'


@given(st.lists(st.tuples(st.text(alphabet=st.characters(codec="utf-8")), st.floats(allow_nan=False)), min_size=1))
def test_csv_is_read_back_as_it_was(rows: list[tuple[str, float]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    _, body = request_body(ContainerTask(body="CSV"), manifest(), columns)
    read = list(csv.reader(io.StringIO(body.decode(), newline="")))
    assert [(text, float(number)) for text, number in read] == rows


def test_a_row_of_one_missing_value_is_a_row() -> None:
    _, body = request_body(ContainerTask(body="CSV"), manifest(), [[None, "x", None]])
    assert list(csv.reader(io.StringIO(body.decode()))) == [[""], ["x"], [""]]


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"predictions": v}], ids=["bare", "predictions"])
def test_values_are_taken_bare_in_lists_of_one_and_as_predictions(wrap: Any) -> None:
    assert prediction(wrap(["b", "a"]), manifest("a", "b"), 2).values == ["b", "a"]
    assert prediction(wrap([["b"], ["a"]]), manifest("a", "b"), 2).values == ["b", "a"]
    assert prediction(wrap([1, 2.5]), manifest(), 2).values == [1.0, 2.5]
    assert prediction(wrap([[1], [2.5]]), manifest(), 2).values == [1.0, 2.5]


@pytest.mark.parametrize(
    ("classes", "answer", "expected"),
    [
        (("0", "1"), [1, 0], ["1", "0"]),
        (("0", "1"), [1.0, 0.0], ["1", "0"]),
        (("0.0", "1.0"), [1.0, 0.0], ["1.0", "0.0"]),
        (("False", "True"), [True], ["True"]),
        (("false", "true"), [False], ["false"]),
    ],
)
def test_a_class_may_be_answered_as_the_value_that_it_is(classes: Any, answer: Any, expected: list[str]) -> None:
    assert prediction(answer, manifest(*classes), len(answer)).values == expected


def test_probabilities_choose_the_likeliest_class() -> None:
    found = prediction([[0.9, 0.1], [0.2, 0.8]], manifest("a", "b"), 2)
    assert found.values == ["a", "b"]
    assert found.scores == [0.9, 0.8]
    assert found.probabilities is not None
    assert found.probabilities.tolist() == [[0.9, 0.1], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("classes", "answer", "said"),
    [
        (("a", "b"), {"result": ["a"]}, "no list of predictions"),
        (("a", "b"), "a", "no list of predictions"),
        (("a", "b"), ["a", "b"], "answers 2 rows for 1"),
        (("a", "b"), ["c"], "'c', which is no class of the model: answer one of a, b"),
        (("a", "b"), [0.7], "0.7, which is no class"),
        (("a", "b"), [None], "None, which is no class"),
        (("a", "b"), [[0.1, 0.2, 0.7]], "3 probabilities for a row, and the model has 2 classes"),
        (("a", "b"), [[0.9, 0.9]], "do not add up to 1"),
        (("a", "b"), [[1.5, -0.5]], "do not add up to 1"),
        (("a", "b"), [["x", "y"]], "'x' for a number"),
        ((), ["x"], "'x' for a number"),
        ((), [True], "True for a number"),
        ((), [float("nan")], "nan for a number"),
        ((), [[1, 2]], "for a number"),
    ],
)
def test_what_is_no_answer_of_this_model_is_refused_with_the_fix(classes: Any, answer: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        prediction(answer, manifest(*classes), 1)
    assert said in str(refused.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["predictions", "x"]), inner),
    max_leaves=12,
)


@given(ANYTHING, st.sampled_from([(), ("0", "1"), ("a", "b", "c")]), st.integers(1, 4))
def test_whatever_a_container_answers_is_refused_or_fits_the_model(
    answer: Any, classes: tuple[str, ...], rows: int
) -> None:
    try:
        found = prediction(answer, manifest(*classes), rows)
    except ValueError:
        return
    assert len(found.values) == rows
    assert all(value in classes for value in found.values) or not classes
    assert found.probabilities is None or found.probabilities.shape == (rows, len(classes))
