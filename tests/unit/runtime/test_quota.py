"""A quota that is used up by what the same plan deletes."""

from typing import Any

import pytest

from modelyard.plan.labels import labels_for
from modelyard.plan.plan import Key, Plan
from modelyard.runtime.errors import ForbiddenError
from tests.unit.runtime.objects import dataset
from tests.unit.runtime.test_reconcile import Bench

KEY = Key("Dataset", "ns", "d")
USED_UP = "is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: count/jobs.batch=1"


def child(kind: str, name: str, **more: Any) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": name, "labels": labels_for(KEY, "build"), **more}
    return {"apiVersion": "apps/v1" if kind == "Deployment" else "batch/v1", "kind": kind, "metadata": metadata}


async def deleted(kind: str, said: str) -> list[str]:
    """Paths of what a plan deletes whose new child is refused with these words."""
    old = child(kind, "old", uid="uid-old", resourceVersion="5")
    plan = Plan({"phase": "Building"}, apply=(child(kind, "new"),), delete=(old,))
    bench = Bench(dataset("d"), planner=lambda *_: plan)
    bench.intake.present(old)
    bench.store.refusals["new"] = ForbiddenError(403, "Forbidden", said)
    with pytest.raises(ForbiddenError, match=said):
        await bench.reconciler.reconcile(KEY)
    return [path for method, path, _ in bench.store.sent if method == "delete"]


async def test_an_old_job_makes_room_for_the_new_one() -> None:
    assert await deleted("Job", USED_UP) == ["/apis/batch/v1/namespaces/ns/jobs/old"]


async def test_a_job_that_is_refused_for_another_reason_takes_nothing_away() -> None:
    assert await deleted("Job", "a policy forbids it") == []


async def test_what_serves_stays_until_what_follows_it_is_made() -> None:
    assert await deleted("Deployment", USED_UP) == []
