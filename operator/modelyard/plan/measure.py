"""What the servers counted during a rollout step, as measures with verdicts. No traffic is never a pass."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from modelyard.api.serving import Check, CheckStatus
from modelyard.contract.progress import LATENCY_BOUNDS_MS, ServingStats, VariantStats

_BIGGEST, _WITH_PLACES = 1e18, 1e14

Verdict = Literal["Pass", "Fail", "Inconclusive"]


def merged(readings: Iterable[Mapping[str, Any]], epoch: str) -> ServingStats:
    """The sum over pods; a pod that still counts for another epoch has nothing to say yet."""
    stats = [s for s in (ServingStats.model_validate(r) for r in readings) if s.epoch == epoch]
    return ServingStats(
        epoch=epoch,
        stable=_sum([s.stable for s in stats]),
        candidate=_sum([s.candidate for s in stats]),
        compared=sum(s.compared for s in stats),
        disagreed=sum(s.disagreed for s in stats),
    )


def _sum(parts: Sequence[VariantStats]) -> VariantStats:
    latency = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    for part in parts:
        latency = [a + b for a, b in zip(latency, part.latency, strict=True)]
    return VariantStats(requests=sum(p.requests for p in parts), errors=sum(p.errors for p in parts), latency=latency)


def quantile(counts: Sequence[int], share: float) -> float:
    """A quantile in milliseconds of a latency histogram, linear within its bin, as Prometheus' histogram_quantile.

    What lies above the last bound counts as the last bound. 0 where nothing was counted.
    """
    rank = share * sum(counts)
    below, low = 0, 0.0
    for bound, count in zip(LATENCY_BOUNDS_MS, counts, strict=False):
        if count and below + count >= rank:
            return low + (bound - low) * (rank - below) / count
        below, low = below + count, bound
    return LATENCY_BOUNDS_MS[-1] if sum(counts) else 0.0


def measure(check: Check, stats: ServingStats, min_requests: int) -> CheckStatus:
    """One measure against its limits. Servers count the stable side on all requests, also those the candidate got."""
    if check.metric == "disagreement":
        counted = stats.compared
        value, baseline = _share(stats.disagreed, stats.compared), None
    else:
        counted = stats.candidate.requests
        value, baseline = _value(check.metric, stats.candidate), _value(check.metric, stats.stable)
    enough = counted >= min_requests
    verdict: Verdict = "Pass" if enough else "Inconclusive"
    if enough and check.max_ratio is not None and baseline is not None:
        if stats.stable.requests < max(1, min_requests):
            verdict = "Inconclusive"
        elif value > float(check.max_ratio) * baseline:
            verdict = "Fail"
    if enough and check.max is not None and value > float(check.max):
        verdict = "Fail"
    shown = None if check.max_ratio is None or baseline is None else decimal(baseline)
    return CheckStatus(metric=check.metric, value=decimal(value), baseline=shown, verdict=verdict)


def _value(metric: str, variant: VariantStats) -> float:
    return _share(variant.errors, variant.requests) if metric == "errorRate" else quantile(variant.latency, 0.99)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def decimal(value: float) -> str:
    """A number as the API's decimals: at most four places, no exponent, no trailing zeros, 20 characters.

    What is too big for that is shown as the biggest there is: only that it is huge matters then.
    """
    bounded = min(max(value, -_BIGGEST), _BIGGEST)
    text = f"{bounded:.4f}".rstrip("0").rstrip(".") if abs(bounded) < _WITH_PLACES else f"{bounded:.0f}"
    return "0" if text in ("-0", "") else text


def explain_check(check: Check, measured: CheckStatus) -> str:
    """`errorRate 0.2 is over 0.01`, with every limit that is set."""
    limits = []
    if check.max is not None:
        limits.append(check.max)
    if check.max_ratio is not None and measured.baseline is not None:
        limits.append(f"{check.max_ratio} times the stable revision's {measured.baseline}")
    return f"{measured.metric} is {measured.value}, allowed is {' and '.join(limits)}"
