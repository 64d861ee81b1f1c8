"""A burst of one-node TrainingJobs, beside as many plain Jobs and as many TrainJobs of Kubeflow Trainer."""

from tests.bench.figures import Row
from tests.bench.operator.measure import Measured


def compared(plain: Measured, ours: Measured, peer: Measured | None) -> list[Row]:
    """Ratios, for they hold on any machine; all three bursts have the same size."""

    def ratio(what: str, floor: float, our_s: float, peer_s: float | None, target: float) -> Row:
        other = None if peer_s is None else peer_s / floor
        return Row(what, "x plain Jobs", our_s / floor, target, peer=other, peer_name=peer.name if peer else None)

    count = f"{ours.burst.count:,}"
    rows = [
        ratio(
            f"time until {count} TrainingJobs created at once are complete",
            plain.burst.complete_s,
            ours.burst.complete_s,
            peer.burst.complete_s if peer else None,
            2.0,
        ),
        ratio(
            f"median time to complete of {count} TrainingJobs",
            plain.burst.p50_s,
            ours.burst.p50_s,
            peer.burst.p50_s if peer else None,
            2.0,
        ),
    ]
    if peer:
        sooner = peer.burst.complete_s / ours.burst.complete_s
        name = f"{count} TrainingJobs complete sooner than TrainJobs"
        rows.append(Row(name, "x", sooner, 2.0, "higher", peer=1.0, peer_name=peer.name))
    return rows
