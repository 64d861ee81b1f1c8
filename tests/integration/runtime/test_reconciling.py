"""What one replica does with a resource and its children, seen from outside."""

import pytest

from modelyard.plan.labels import APPLIED_HASH
from tests.integration.runtime.cluster import User, operating, quiet, writes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


async def test_children_are_applied_once_and_owned(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        found = await user.ready("one")
        config = await user.get("ConfigMap", "one-task")
        assert config
        assert config["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
        assert [entry["manager"] for entry in config["metadata"]["managedFields"]] == ["modelyard"]
        before = await quiet()
        await user.merge("Dataset", "one", {"metadata": {"annotations": {"looked": "at"}}})
        assert await quiet() == before
