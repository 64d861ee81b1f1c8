"""Kinds are watched apart: that a child has gone may be known before it is that its owner has."""

import asyncio
from typing import Any

import pytest

from modelyard.plan.plan import Key, Object
from tests.integration.runtime.cluster import User, operating

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


async def test_no_child_is_made_anew_for_a_resource_that_is_gone(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Key("Dataset", user.namespace, "one")
    async with operating(user) as operator:
        await user.dataset("one", "a")
        await user.ready("one")
        told = operator.intake.deleted

        def late(obj: Object) -> Any:
            return None if obj["kind"] == "Dataset" else told(obj)

        monkeypatch.setattr(operator.intake, "deleted", late)
        await user.delete("Dataset", "one")
        await user.delete("ConfigMap", "one-task")  # as the garbage collector does
        async with asyncio.timeout(30):
            while operator.intake.cache.get(key):  # noqa: ASYNC110 - it offers no event
                await asyncio.sleep(0.05)
        assert await user.get("ConfigMap", "one-task") is None
