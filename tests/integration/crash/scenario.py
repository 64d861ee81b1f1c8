"""A scenario: what a user does, how pods fare, and so, without saying it, what the end has to be."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.cluster.mock_kubelet.answers import well
from tests.cluster.mock_kubelet.life import Script
from tests.cluster.mock_kubelet.management import Traffic, healthy
from tests.integration.crash.person import Person


@dataclass(frozen=True)
class Scenario:
    """`story` waits, between two acts, only for what lasts: an operator may be stopped at any moment of it."""

    story: Callable[[Person], Awaitable[None]]
    script: Script = well
    traffic: Traffic = healthy

    @property
    def name(self) -> str:
        return self.story.__name__.replace("_", "-")
