"""Who changed a child: told by the owners of its fields, not by its content."""

from typing import Any

from modelyard.plan.plan import Key
from modelyard.runtime.ownership import Ownership

CONFIG = Key("ConfigMap", "ns", "c")
OURS: dict[str, Any] = {"f:data": {"f:a": {}, "f:b": {}}}


def entry(manager: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"operation": "Apply", **more, "manager": manager, "fieldsV1": fields}


def config(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"namespace": "ns", "name": "c", "managedFields": list(entries)}}


def settled(*entries: dict[str, Any]) -> Ownership:
    """As after our apply, and its watch event."""
    made = Ownership()
    made.note(config(*entries))
    made.applied(config(*entries))
    return made


def test_what_only_we_have_applied_is_untouched_also_after_a_start() -> None:
    assert not settled(entry("modelyard", OURS)).touched(CONFIG)
    started = Ownership()
    started.note(config(entry("modelyard", OURS)))
    assert not started.touched(CONFIG)


def test_a_field_that_another_client_takes_is_a_touch() -> None:
    made = settled(entry("modelyard", OURS))
    made.note(config(entry("modelyard", {"f:data": {"f:a": {}}}), entry("kubectl", {"f:data": {"f:b": {}}})))
    assert made.touched(CONFIG)


def test_a_field_that_another_client_removes_is_a_touch() -> None:
    made = settled(entry("modelyard", OURS))
    made.note(config(entry("modelyard", {"f:data": {"f:a": {}}})))
    assert made.touched(CONFIG)


def test_a_touch_while_nobody_watched_is_noticed_after_a_start() -> None:
    started = Ownership()
    started.note(config(entry("modelyard", OURS), entry("kubectl", {"f:data": {"f:c": {}}})))
    assert started.touched(CONFIG)


def test_what_was_there_before_any_apply_has_no_owner_to_heal_from() -> None:
    started = Ownership()
    started.note(config(entry("modelyard", OURS), entry("before-first-apply", OURS, operation="Update")))
    assert not started.touched(CONFIG)


def test_what_others_keep_after_our_apply_is_no_reason_to_apply_again() -> None:
    shared = (entry("modelyard", OURS), entry("kubectl", {"f:data": {"f:c": {}}}))
    made = settled(*shared)
    assert not made.touched(CONFIG)


def test_status_and_metadata_are_not_ours_to_heal() -> None:
    made = settled(entry("modelyard", OURS))
    status = entry("kube-controller-manager", {"f:spec": {}}, subresource="status")
    labels = entry("kubectl", {"f:metadata": {"f:annotations": {"f:x": {}}}})
    made.note(config(entry("modelyard", OURS), status, labels))
    assert not made.touched(CONFIG)


def test_a_child_that_is_gone_is_forgotten() -> None:
    made = settled(entry("modelyard", OURS))
    made.forget(CONFIG)
    assert not made.touched(CONFIG)
