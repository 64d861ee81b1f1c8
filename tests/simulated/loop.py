"""The same world, in which models decay: monitors retrain, gates judge, and what passes is rolled out."""

from typing import Any

from modelyard.contract.document import Document
from modelyard.contract.results import PerformanceFinding
from modelyard.contract.tasks import CheckTask, DatasetTask, GateTask, Task
from tests.cluster.mock_kubelet import answers
from tests.simulated.world import World
from tests.soak.state import orphans
from tests.soak.wishes import Place, Wish, document

_LAST = 1_000_000  # turns of the last specs: then nothing decays any more
_DECAYED = PerformanceFinding(
    metric="accuracy", baseline=0.9, value=0.7, lower=0.66, upper=0.74, rows=500, coverage=0.5, degraded=True
)


def written(namespace: str, place: Place, wish: Wish) -> dict[str, Any]:
    body = document(namespace, place, wish)
    if place.kind == "DriftMonitor":
        retrain = {"action": "Retrain", "cooldown": "1s", "gate": {"timeout": "1h"}}
        body["spec"] |= {"retrain": retrain, "checks": {"performance": {"metric": "accuracy"}}}
    return body


class Decay:
    """Every build finds other data, two checks of three find decay, every other challenger passes the gate."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, task: Task) -> Document:
        self._asked += 1
        match task:
            case DatasetTask():
                return answers.dataset(task, data=self._asked)
            case CheckTask() if self._asked % 3 and task.window.rows < _LAST:
                end = f"2026-01-01T{self._asked // 3600 % 24:02}:{self._asked // 60 % 60:02}:{self._asked % 60:02}Z"
                found = answers.checked(task, "Degraded")
                return found.model_copy(update={"performance": _DECAYED, "window_end": end})
            case GateTask():
                return answers.judged(task, "Promote" if self._asked % 2 else "Refuse")
        return answers.answer(task)


class _Decaying(World):
    def restless(self, wanted: list[Place]) -> list[str]:
        """What serves may be a retrained model."""
        return [line for line in super().restless(wanted) if "serves another model" not in line]


async def looped(seed: int, groups: int, acts: int) -> list[str]:
    """What is wrong in the end, in words: orphans, duplicates, and verdicts that are not what their jobs say."""
    world = _Decaying(seed, groups, faulty=True, written=written, answers=Decay())
    await world.life(acts)
    return [
        *orphans(world.objects(), world.children()),
        *world.creations.repeated(),
        *unanswered(world.objects()),
    ]


def unanswered(objects: list[dict[str, Any]]) -> list[str]:
    """Retrained jobs whose Approved is not their monitor's verdict, and verdicts that were given twice."""
    lines = []
    named = {(o["kind"], o["metadata"]["name"]): o for o in objects}
    for obj in objects:
        history = obj.get("status", {}).get("history", [])
        jobs = [verdict["trainingJob"] for verdict in history]
        if len(set(jobs)) < len(jobs):
            lines.append(f"{obj['metadata']['name']} gave two verdicts on one of {jobs}")
        for verdict in history:
            job = named.get(("TrainingJob", verdict["trainingJob"]), {})
            conditions = {c["type"]: c["status"] for c in job.get("status", {}).get("conditions", [])}
            if job and conditions.get("Trained") == "True" and conditions.get("Approved") != str(verdict["promoted"]):
                lines.append(f"{verdict} of {obj['metadata']['name']}: Approved is {conditions.get('Approved')}")
    return lines
