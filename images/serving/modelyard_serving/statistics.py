"""What this server has seen since the rollout step began, for the operator's checks."""

from modelyard.contract.progress import LATENCY_BOUNDS_MS, ServingStats, VariantStats
from modelyard_serving.tally import Distribution


class Variant:
    """Counts of one revision's answers; times in milliseconds."""

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.latency = Distribution(LATENCY_BOUNDS_MS)

    def answered(self, milliseconds: float, failed: bool) -> None:
        self.requests += 1
        self.errors += failed
        self.latency.observe(milliseconds)

    def snapshot(self) -> VariantStats:
        return VariantStats(requests=self.requests, errors=self.errors, latency=list(self.latency.counts))


class Statistics:
    """Of one epoch. `stable` counts every request this server's model was asked, also where the candidate answered:
    so both are measured on the same traffic, at any weight."""

    def __init__(self, epoch: str = "", captured: int = 0, dropped: int = 0) -> None:
        """`captured` and `dropped` are the running totals of captured rows when the epoch begins."""
        self.epoch = epoch
        self.stable = Variant()
        self.candidate = Variant()
        self.compared = 0
        self.disagreed = 0
        self._captured = captured
        self._dropped = dropped

    def snapshot(self, captured: int, dropped: int) -> ServingStats:
        """`captured` and `dropped` are the running totals now."""
        return ServingStats(
            epoch=self.epoch,
            stable=self.stable.snapshot(),
            candidate=self.candidate.snapshot(),
            compared=self.compared,
            disagreed=self.disagreed,
            captured=captured - self._captured,
            capture_dropped=dropped - self._dropped,
        )
