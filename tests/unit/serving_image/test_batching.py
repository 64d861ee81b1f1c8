"""Requests that wait together are asked together, and everybody gets the answer to their own rows."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

from modelyard.contract.manifest import Column, ModelFormat
from modelyard_kit.model import Prediction
from modelyard_serving.batching import MAX_ROWS, Batcher, split
from modelyard_serving.learning import INLINE_SECONDS, LEAST, MOST, SHARE, Learned
from modelyard_serving.rows import Rows, joined, rows_of_columns
from tests.unit.serving_image.models import FEATURES, FORMATS, NUMERIC, ROWS, Kind, Place, load, publish

X = [Column(name="x", type="int64", nullable=False)]
BAD = -1


def rows(*values: int) -> Rows:
    return rows_of_columns(X, {"x": list(values)})


def numbers(given: Rows) -> list[int]:
    (values,) = given.columns
    return [value for value in values if isinstance(value, int)]


class Model:
    """Answers each x with -x as class, score and probability; refuses BAD. Remembers how many rows each call had."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.before: Callable[[], Any] = lambda: None

    def ask(self, asked: Rows) -> Prediction:
        self.before()
        values = numbers(asked)
        self.calls.append(asked.count)
        if BAD in values:
            raise ValueError("no")
        negative = [-float(value) for value in values]
        return Prediction([str(value) for value in negative], negative, np.array([[value, 0.0] for value in negative]))


def answered(given: Rows, prediction: Prediction) -> bool:
    negative = [-float(value) for value in numbers(given)]
    matrix = prediction.probabilities
    assert matrix is not None
    return (
        prediction.values == [str(value) for value in negative]
        and prediction.scores == negative
        and matrix[:, 0].tolist() == negative
    )


def slow() -> Learned:
    return Learned(seconds=1e6)


async def test_requests_of_one_moment_are_asked_together() -> None:
    model = Model()
    batcher = Batcher(model.ask, Learned())
    given = [rows(1), rows(2, 3), rows(4)]
    predictions = await asyncio.gather(*(batcher.predict(one) for one in given))
    assert model.calls == [4]
    assert all(answered(one, prediction) for one, prediction in zip(given, predictions, strict=True))


@pytest.mark.parametrize("learned", [Learned(), slow()], ids=["inline", "thread"])
async def test_a_bad_request_harms_nobody_else(learned: Learned) -> None:
    batcher = Batcher(Model().ask, learned)
    given = [rows(1), rows(BAD), rows(3)]
    first, second, third = await asyncio.gather(*(batcher.predict(one) for one in given), return_exceptions=True)
    assert isinstance(second, ValueError)
    assert isinstance(first, Prediction)
    assert isinstance(third, Prediction)
    assert answered(given[0], first)
    assert answered(given[2], third)


@pytest.mark.parametrize("seconds", [0.0, 1e300], ids=["inline", "thread"])
async def test_ten_thousand_interleaved_requests_each_get_their_own_answer(seconds: float) -> None:
    random = Random(7)  # noqa: S311 - repeatable
    model = Model()
    learned = Learned(seconds=seconds, requests=4)
    batcher = Batcher(model.ask, learned)
    number = iter(range(10**9))
    wrong = []

    async def caller(requests: int) -> None:
        for _ in range(requests):
            bad = random.random() < 0.01
            given = rows(BAD) if bad else rows(*(next(number) for _ in range(random.randint(1, 4))))
            try:
                right = answered(given, await batcher.predict(given)) and not bad
            except ValueError:
                right = bad
            if not right:
                wrong.append(given)
            if random.random() < 0.3:
                await asyncio.sleep(0)

    await asyncio.gather(*(caller(200) for _ in range(50)))
    assert wrong == []
    assert len(model.calls) < 10_000  # many were asked together


async def test_probes_are_answered_and_requests_gather_while_the_model_is_slow() -> None:
    model, go, begun = Model(), threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        assert go.wait(10)

    model.before = block
    batcher = Batcher(model.ask, slow())
    first = asyncio.ensure_future(batcher.predict(rows(1)))
    await asyncio.to_thread(begun.wait, 10)
    others = [asyncio.ensure_future(batcher.predict(rows(number))) for number in range(2, 6)]
    for _ in range(10):
        await asyncio.sleep(0)  # the loop is free
    assert not first.done()
    go.set()
    await asyncio.gather(first, *others)
    assert model.calls == [1, 4]


async def test_a_batch_that_is_as_large_as_usual_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard_serving.learning.MOST", 60.0)
    model = Model()
    batcher = Batcher(model.ask, Learned(seconds=1e6, requests=3, most=3))
    given = [rows(number) for number in range(3)]
    async with asyncio.timeout(10):
        await asyncio.gather(*(batcher.predict(one) for one in given))
    assert model.calls == [3]


async def test_what_nobody_waits_for_any_more_is_not_asked() -> None:
    model = Model()
    batcher = Batcher(model.ask, Learned())
    gone, stays = asyncio.ensure_future(batcher.predict(rows(1))), asyncio.ensure_future(batcher.predict(rows(2)))
    gone.cancel()
    assert answered(rows(2), await stays)
    assert model.calls == [1]


async def test_a_batch_is_bounded_and_a_larger_request_goes_alone() -> None:
    model = Model()
    batcher = Batcher(model.ask, Learned())
    given = [rows(*range(200)), rows(*range(100)), rows(*range(MAX_ROWS + 1)), rows(1)]
    await asyncio.gather(*(batcher.predict(one) for one in given))
    assert model.calls == [200, 100, MAX_ROWS + 1, 1]


async def test_where_rows_get_lost_nobody_gets_the_answer_of_another() -> None:
    batcher = Batcher(lambda asked: Prediction(["a"] * (asked.count - 1)), Learned())
    answers = await asyncio.gather(batcher.predict(rows(1)), batcher.predict(rows(2)), return_exceptions=True)
    assert list(answers) == [Prediction([]), Prediction([])]  # each was asked alone
    with pytest.raises(ValueError, match="1 answers for 2 rows"):
        split(Prediction(["a"]), [1, 1])


MIXED = [pytest.param(form, FEATURES, id=f"{form}-mixed") for form in ("skops", "onnx")]


@pytest.mark.parametrize("kind", ["classification", "inverted", "regression"])
@pytest.mark.parametrize(
    ("form", "features"), [*MIXED, *(pytest.param(form, NUMERIC, id=f"{form}-numeric") for form in FORMATS)]
)
def test_the_answer_in_a_batch_is_the_answer_alone(
    where: Place, kind: Kind, features: list[Column], form: ModelFormat
) -> None:
    model = load(where, publish(where, kind, features, form=form))
    exactness = 1e-6 if form in ("onnx", "safetensors") else 1e-12  # these count in float32
    random = Random(3)  # noqa: S311 - repeatable
    given = [_some(random, features) for _ in range(20)]
    together = split(model.predict_columns(joined(given).columns), [one.count for one in given])
    for one, batched in zip(given, together, strict=True):
        alone = model.predict_columns(one.columns)
        assert _close(batched.values, alone.values, exactness)
        assert _close(batched.scores or [], alone.scores or [], exactness)


def _some(random: Random, features: Sequence[Column]) -> Rows:
    picked = [random.randrange(40) for _ in range(random.randint(1, 5))]
    return rows_of_columns(features, {column.name: [ROWS[column.name][at] for at in picked] for column in features})


def _close(ours: Sequence[Any], theirs: Sequence[Any], exactness: float) -> bool:
    return list(ours) == [value if isinstance(value, str) else pytest.approx(value, rel=exactness) for value in theirs]


@pytest.mark.parametrize(
    ("learned", "wait"),
    [
        (Learned(), 0.0),
        (Learned(seconds=0.004, requests=1.2), 0.0),  # nobody else comes
        (Learned(seconds=LEAST / 2, requests=8), 0.0),  # not worth a timer
        (Learned(seconds=0.001, requests=8), SHARE * 0.001),
        (Learned(seconds=1.0, requests=8), MOST),
    ],
)
def test_waiting_is_a_share_of_what_a_batch_takes_where_it_pays(learned: Learned, wait: float) -> None:
    assert learned.wait == wait


def test_what_was_learned_follows_what_happens() -> None:
    learned = Learned()
    for _ in range(50):
        learned.took(0.02, 16)
    assert not learned.inline
    assert learned.wait == MOST
    assert learned.is_whole(16)
    assert not learned.is_whole(15)
    for _ in range(50):
        learned.took(0.0001, 1)
    assert learned.inline
    assert learned.wait == 0
    assert learned.is_whole(1)
    assert learned.seconds < INLINE_SECONDS
