"""Memory of the operator, with everything of its resources in its cache."""

from tests.bench.figures import Row
from tests.bench.operator.ours import Ours

LIMITS_MB = {1_000: 120, 10_000: 300}


def memory(operator: Ours, resources: int) -> Row:
    """Resident, shared libraries included. `resources` are of our kinds; what they own comes on top of them."""
    target = next(limit for most, limit in LIMITS_MB.items() if resources <= most)
    return Row(f"memory at {resources:,} resources", "MB", operator.usage().rss_mb, target)
