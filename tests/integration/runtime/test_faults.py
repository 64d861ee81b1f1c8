"""An API server that fails, and an operator that dies between any two writes: the end is the same."""

from itertools import count, cycle
from typing import Any

import pytest

from modelyard.runtime.client import Client
from modelyard.runtime.errors import from_answer
from modelyard.runtime.fence import FencedError
from tests.integration.runtime.cluster import User, operating, quiet, run_to_its_end

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


def dying_after(writes: int) -> type[Client]:
    """A client whose replica may write so often and then never again."""

    class Dying(Client):
        left = writes

        async def _write(self, verb: str, method: str, path: str, **params: Any) -> dict[str, Any]:
            if Dying.left == 0:
                raise FencedError("died")
            Dying.left -= 1
            return await super()._write(verb, method, path, **params)

    return Dying


def failing(*statuses: int, after_the_write: bool) -> type[Client]:
    """A client of which every second write fails with these answers in turn, before or after they are done."""
    number, answers = count(), cycle(statuses)

    class Failing(Client):
        async def _write(self, verb: str, method: str, path: str, **params: Any) -> dict[str, Any]:
            fails = next(number) % 2 == 0
            if fails and not after_the_write:
                raise from_answer(next(answers), "injected")
            result = await super()._write(verb, method, path, **params)
            if fails:
                raise from_answer(next(answers), "injected")
            return result

    return Failing


async def state(user: User) -> list[Any]:
    """What matters of the Dataset and its children, without versions and times."""
    found = [
        await user.get("Dataset", "one"),
        await user.get("ConfigMap", "one-task"),
        await user.get("Service", "one"),
    ]
    dataset, config, service = [each or {} for each in found]
    conditions = [(c["type"], c["status"], c["reason"]) for c in dataset.get("status", {}).get("conditions", [])]
    return [conditions, config.get("data"), service.get("spec", {}).get("ports")]


async def test_an_operator_that_dies_between_any_two_writes_is_carried_on(user: User) -> None:
    await user.dataset("one", "version tell")
    for _ in range(3):  # after the first child, after the second, after the status
        with pytest.raises(BaseExceptionGroup) as ended:
            await run_to_its_end(user, dying_after(1))
        assert ended.group_contains(FencedError)
    async with operating(user):
        await user.ready("one")
        await quiet()
        assert await state(user) == [
            [("Ready", "True", "Ready"), ("Reconciling", "False", "Ready"), ("Stalled", "False", "Ready")],
            {"words": "version tell"},
            [{"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080}],
        ]


@pytest.mark.parametrize("after_the_write", [False, True])
async def test_answers_that_pass_are_tried_again(user: User, after_the_write: bool) -> None:
    await user.dataset("one", "version")
    async with operating(user, failing(409, 429, 500, 504, after_the_write=after_the_write)):
        await user.ready("one")
        assert (await state(user))[1] == {"words": "version"}


async def test_an_outage_that_lasts_is_shown(user: User) -> None:
    """Only writes of children fail, so that the status can be written."""

    class Half(Client):
        async def apply(self, desired: Any, *, force: bool = True) -> dict[str, Any]:
            raise from_answer(503, "injected")

    await user.dataset("one", "a")
    async with operating(user, Half):
        found = await user.until("Dataset", "one", lambda d: d.get("status"), within=20)
    ready = {c["type"]: c for c in found["status"]["conditions"]}["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "InternalError")
    assert "503" in ready["message"]
