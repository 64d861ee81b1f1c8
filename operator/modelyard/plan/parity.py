"""Whether servers answer the rows that training recorded as training did: asked of ready ones once, then remembered.

A server compares before it gets ready, so a mismatch is known by how it ended, and figures by asking one that is ready.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.api.conditions import ConditionSet
from modelyard.api.serving import ModelDeploymentStatus, ParityStatus, Revision
from modelyard.contract.progress import ServingStats
from modelyard.contract.reasons import Reason
from modelyard.plan.fleet import Trouble, servers
from modelyard.plan.observe import Observed
from modelyard.plan.rollout import Move
from modelyard.plan.score import significant

PARITY = "ServingParity"
LEAST = 1e-12  # a smaller difference is shown as none


def learned(status: ModelDeploymentStatus, observed: Observed) -> ModelDeploymentStatus:
    """The status with what ready servers told of revisions of which it was not known."""
    found = {
        name: revision.model_copy(update={"parity": parity})
        for name, revision in (("stable", status.stable), ("candidate", status.candidate))
        if revision and (parity := _told(revision, observed))
    }
    return status.model_copy(update=found) if found else status


def unasked(revisions: Sequence[Revision], observed: Observed) -> tuple[str, ...]:
    """Ready pods of revisions of which it is not known yet."""
    return tuple(
        pod for revision in revisions if not revision.parity for pod in servers(observed, revision.revision).ready_pods
    )


def show(
    conditions: ConditionSet, stable: Revision, ready: int, trouble: Trouble | None, move: Move | None = None
) -> None:
    """Sets the condition: of the servers that serve or are to, or of a candidate whose servers do not get ready."""
    name = f"revision {stable.revision} ({stable.training_job})"
    if trouble and trouble.reason == Reason.SERVING_PARITY:
        conditions.set(PARITY, False, Reason.SERVING_PARITY, trouble.message)
    elif move and move.reason == Reason.SERVING_PARITY:
        conditions.set(PARITY, False, Reason.SERVING_PARITY, f"of the candidate {move.message}")
    elif stable.parity and not stable.parity.rows:
        conditions.set(PARITY, None, Reason.READY, f"training recorded no answers of {name} to compare with")
    elif stable.parity:
        figures = _figures(stable.parity)
        conditions.set(PARITY, True, Reason.READY, f"servers of {name} answer {figures} as when it was trained")
    elif ready:
        said = "gave the answers that were recorded in training before they were ready"
        conditions.set(PARITY, True, Reason.READY, f"the servers of {name} {said}")


def _told(revision: Revision, observed: Observed) -> ParityStatus | None:
    if revision.parity:
        return None
    pods = servers(observed, revision.revision).ready_pods
    readings: list[Mapping[str, Any]] = [observed.readings[pod] for pod in pods if pod in observed.readings]
    told = [parity for r in readings if (parity := ServingStats.model_validate(r).parity)]
    if not told:
        return None
    differences = [parity.max_difference for parity in told if parity.max_difference is not None]
    largest = max(differences, default=None)
    shown = None if largest is None else significant(largest if largest >= LEAST else 0.0, 2)
    return ParityStatus(rows=min(parity.rows for parity in told), max_difference=shown)


def _figures(parity: ParityStatus) -> str:
    rows = f"{parity.rows} recorded row{'s' if parity.rows > 1 else ''}"
    return rows if parity.max_difference is None else f"{rows} (largest difference {parity.max_difference})"
