"""A name that a child needs and somebody else has: what is there is left as it is, and people are told."""

from typing import Any

import pytest

from modelyard.plan.labels import MANAGED_BY
from modelyard.runtime.resources import resource_of
from tests.integration.runtime.cluster import User, operating, owners_of, quiet

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


async def database(user: User) -> dict[str, Any]:
    """A Service named as the one that the Dataset `one` becomes."""
    spec = {"clusterIP": "None", "selector": {"app": "database"}, "ports": [{"name": "sql", "port": 5432}]}
    body = {"metadata": {"name": "one"}, "spec": spec}
    return await user.call("post", resource_of("Service").path(user.namespace), body=body)


def ready(dataset: Any) -> dict[str, Any]:
    conditions = (dataset or {}).get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == "Ready"), {})


async def test_an_object_of_somebody_else_is_not_taken_over(user: User) -> None:
    before = await database(user)
    async with operating(user):
        await user.dataset("one", "a")
        found = await user.until("Dataset", "one", lambda d: ready(d).get("reason") == "ConfigError", within=20)
        assert "a Service named one is there already" in ready(found)["message"]
        assert await user.get("Service", "one") == before
        await user.delete("Service", "one")
        await user.ready("one")


async def test_a_child_that_lost_its_label_and_was_changed_is_healed(user: User) -> None:
    """Its owner tells whose it is."""
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        await quiet()
        changed = {"metadata": {"labels": {MANAGED_BY: None}}, "data": {"words": "mine"}}
        await user.merge("ConfigMap", "one-task", changed)
        await user.until("ConfigMap", "one-task", lambda c: c["data"] == {"words": "a"})


@pytest.mark.parametrize("words", ["a", "b"])
@pytest.mark.parametrize("orphaned", [True, False])
async def test_a_resource_made_again_takes_over_what_the_first_one_left(user: User, orphaned: bool, words: str) -> None:
    """Without downtime, whether the garbage collector is late (here there is none) or was told to leave them."""
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        first = await user.get("ConfigMap", "one-task")
        await user.delete("Dataset", "one")
        if orphaned:
            await user.merge("ConfigMap", "one-task", {"metadata": {"ownerReferences": None}})
        second = await user.dataset("one", words)

        def settled(found: Any) -> bool:
            assert ready(found).get("reason") != "ConfigError", ready(found)["message"]
            return ready(found).get("status") == "True"

        await user.until("Dataset", "one", settled)
        child = await user.get("ConfigMap", "one-task")
        assert first
        assert child
        assert (child["metadata"]["uid"], child["data"]) == (first["metadata"]["uid"], {"words": words})
        assert owners_of(child) == [second["metadata"]["uid"]]
