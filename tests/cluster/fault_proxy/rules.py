"""Which request meets which fault. Pure, and the same for the same seed and order of requests."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.cluster.fault_proxy.effects import Effect


@dataclass(frozen=True)
class Call:
    """A request; `path` is without the query, `watch` whether the answer is a stream of events."""

    method: str
    path: str
    query: str = ""
    watch: bool = False


@dataclass(frozen=True)
class Rule:
    """`effect` strikes matching requests: all but the first `skip`, a `share` of those, `times` of them at most.

    Without `methods` all match, without `path` (a regular expression, found anywhere) every one; `query` likewise.
    `watch` tells watches from the rest; None takes both.
    """

    effect: Effect
    methods: frozenset[str] = frozenset()
    path: str = ""
    query: str = ""
    watch: bool | None = None
    share: float = 1.0
    skip: int = 0
    times: int | None = None

    def matches(self, call: Call) -> bool:
        return (
            (not self.methods or call.method in self.methods)
            and self.watch in (None, call.watch)
            and re.search(self.path, call.path) is not None
            and re.search(self.query, call.query) is not None
        )


class Rules:
    """A list of rules with their counts; the first one that strikes decides."""

    def __init__(self, rules: Iterable[Rule] = (), seed: int = 0) -> None:
        self.rules = tuple(rules)
        self._seen = [0] * len(self.rules)
        self._struck = [0] * len(self.rules)
        self._random = random.Random(seed)  # noqa: S311 - repeatable faults, no secret

    def choose(self, call: Call) -> Effect | None:
        for number, rule in enumerate(self.rules):
            if rule.matches(call) and self._strikes(number, rule):
                self._struck[number] += 1
                return rule.effect
        return None

    def _strikes(self, number: int, rule: Rule) -> bool:
        self._seen[number] += 1
        if self._seen[number] <= rule.skip or (rule.times is not None and self._struck[number] >= rule.times):
            return False
        return rule.share >= 1 or self._random.random() < rule.share


def once(effect: Effect, path: str = "", *methods: str, watch: bool | None = False) -> Rule:
    """The first request of this kind that is no watch."""
    return Rule(effect, frozenset(methods), path, watch=watch, times=1)
