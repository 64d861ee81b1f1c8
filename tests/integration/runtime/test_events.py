"""Events on a real API server: ours are told once whoever tells them, others' are found by the object's uid."""

from typing import Any

import pytest

from modelyard.contract.reasons import Reason
from modelyard.plan.plan import Event
from modelyard.runtime.client import Client
from modelyard.runtime.events import Recorder
from modelyard.runtime.resources import EVENT
from tests.integration.runtime.cluster import User

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]
CORE = "/api/v1/namespaces/{}/events"


async def listed(user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await user.call("get", EVENT.path(user.namespace)))["items"]
    return found


async def test_two_replicas_and_a_restart_tell_the_same_event_once(user: User) -> None:
    resource = {**await user.dataset("one", "a"), "apiVersion": "modelyard.dev/v1alpha1", "kind": "Dataset"}
    said = Event("Warning", Reason.STORE_UNAVAILABLE, "the store of https://me:hunter2@s3.example does not answer")
    for identity in ("replica-a", "replica-b", "replica-a"):
        await Recorder(user.client, identity, lambda: 1000.0).tell(resource, said)
    (event,) = await listed(user)
    assert (event["reason"], event["regarding"]["name"]) == ("StoreUnavailable", "one")
    assert event["note"].endswith("(see docs/reasons/StoreUnavailable.md)")
    assert "hunter2" not in str(event)


async def test_events_are_found_by_the_uid_of_what_they_are_about(user: User) -> None:
    for name, uid in (("a", "uid-1"), ("b", "uid-2")):
        about = {"kind": "Pod", "namespace": user.namespace, "name": "p", "uid": uid}
        body = {"metadata": {"name": name}, "involvedObject": about, "reason": "FailedMount", "message": f"of {uid}"}
        await user.call("post", CORE.format(user.namespace), body=body)
    client = await Client.connect()
    try:
        found = await client.events_about(user.namespace, "uid-2")
    finally:
        await client.close()
    assert [e["message"] for e in found] == ["of uid-2"]
