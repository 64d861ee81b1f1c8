"""How long is waited before a watch begins again."""

from modelyard.runtime.kopf_app import Pauses


def test_what_ends_soon_again_and_again_waits_longer_and_what_lasted_does_not() -> None:
    now = 100.0
    pauses = Pauses(clock=lambda: now)
    waits = [pauses.ended(now - 1) for _ in range(8)]
    assert waits == [0, 1, 2, 5, 10, 30, 30, 30]
    assert pauses.ended(now - 31) == 0
    assert pauses.ended(now) == 1
