"""Two things in turn, round by round, and the ratio of each round: what the machine does meanwhile falls on both."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

Measure = Callable[[], float]


@dataclass(frozen=True)
class Pairs:
    """`ours` and `theirs` of each round, in CPU-µs."""

    ours: list[float]
    theirs: list[float]

    @property
    def ratios(self) -> list[float]:
        return [our / their for our, their in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds'."""
        return statistics.median(self.ratios)

    @property
    def medians(self) -> tuple[float, float]:
        return statistics.median(self.ours), statistics.median(self.theirs)

    @property
    def spread(self) -> str:
        """Of all rounds: a median says nothing of how far they lie apart."""
        return f"{min(self.ratios):.2f} to {max(self.ratios):.2f} in {len(self.ratios)} rounds"

    def over(self, more: float) -> float:
        """The median ratio where theirs would be that much more."""
        return Pairs(self.ours, [their + more for their in self.theirs]).ratio


def interleaved(ours: Measure, theirs: Measure, rounds: int) -> Pairs:
    """Who begins changes from round to round, so that neither is always the one after the other."""
    pairs = Pairs([], [])
    for number in range(rounds):
        turn = [(ours, pairs.ours), (theirs, pairs.theirs)]
        for measure, found in turn if number % 2 == 0 else reversed(turn):
            found.append(measure())
    return pairs
