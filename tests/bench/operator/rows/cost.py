"""What the whole life of a TrainingJob costs: writes of the operator itself, and its CPU."""

from collections.abc import Mapping

from tests.bench.figures import Row
from tests.bench.operator.measure import Measured


def cost(ours: Measured, writes: Mapping[str, float], peer: Measured | None) -> list[Row]:
    """`writes` of the operator by verb, per TrainingJob, once it came to rest."""
    cpu = peer.controller_cpu_ms_each if peer else None
    return [
        Row("API writes of the operator per TrainingJob", "writes", sum(writes.values()), 5),
        Row(
            "CPU of the operator per TrainingJob",
            "ms",
            ours.controller_cpu_ms_each,
            14,
            peer=cpu,
            peer_name=peer.name if peer else None,
        ),
    ]
