"""What `kubectl get` shows of each kind: state, why, the number that matters, age; suspended and paused, too."""

import re
import subprocess
from typing import Any

import pytest

from modelyard.api.conditions import ConditionSet
from modelyard.api.kinds import KINDS
from modelyard.plan.suspension import suspended
from modelyard.runtime.status import paused
from tests.integration.api.objects import complete, resource
from tests.integration.api.server import SchemaServer
from tests.unit.plan.builders import NOW

pytestmark = pytest.mark.integration

Json = dict[str, Any]
SHOWN = """\
NAME  PHASE  VERSION  ROWS  READY  REASON  CHECKED  PAUSED  AGE
dataset.modelyard.dev/at-work  Degraded  v-aaaaaaaaaaaa  100  True  ExpectationFailed  AGE  AGE
dataset.modelyard.dev/new  AGE
dataset.modelyard.dev/paused  Degraded  v-aaaaaaaaaaaa  100  True  ExpectationFailed  AGE  True  AGE
dataset.modelyard.dev/suspended  Suspended  v-aaaaaaaaaaaa  100  True  Suspended  AGE  AGE

NAME  PHASE  VERDICT  ROWS  DRIFTED  PERFORMANCE  RETRAIN  REASON  CHECKED  PAUSED  AGE
driftmonitor.modelyard.dev/at-work  Gating  Degraded  1000  1  0.7  Gating  Gating  AGE  AGE
driftmonitor.modelyard.dev/new  AGE
driftmonitor.modelyard.dev/paused  Gating  Degraded  1000  1  0.7  Gating  Gating  AGE  True  AGE
driftmonitor.modelyard.dev/suspended  Suspended  Degraded  1000  1  0.7  Gating  Suspended  AGE  AGE

NAME  PHASE  MODEL  REVISION  WEIGHT  READY  REASON  URL  PAUSED  AGE
modeldeployment.modelyard.dev/at-work  RollingOut  root  cccccccc  5  3  RollingOut  http://full.ns.svc  AGE
modeldeployment.modelyard.dev/new  AGE
modeldeployment.modelyard.dev/paused  RollingOut  root  cccccccc  5  3  RollingOut  http://full.ns.svc  True  AGE
modeldeployment.modelyard.dev/suspended  Suspended  root  cccccccc  5  3  Suspended  http://full.ns.svc  AGE

NAME  PHASE  SCORE  ATTEMPT  REASON  APPROVED  PAUSED  AGE
trainingjob.modelyard.dev/at-work  Succeeded  rmse=0.4  2  Succeeded  True  AGE
trainingjob.modelyard.dev/new  AGE
trainingjob.modelyard.dev/paused  Succeeded  rmse=0.4  2  Succeeded  True  True  AGE
trainingjob.modelyard.dev/suspended  Suspended  rmse=0.4  2  Suspended  True  AGE
"""


@pytest.fixture(scope="module")
def shown(plane: Any, server: SchemaServer) -> str:
    """Of each kind an object as it is at work, one that is suspended, one that is paused and one just created."""
    space = SchemaServer(plane, "columns")
    for kind in KINDS:
        (full,) = [o for o in complete(kind) if "status" in o]
        conditions = ConditionSet(full["status"]["conditions"], 1, NOW)
        halted = {**full["status"], "phase": suspended(conditions, "nothing runs"), "conditions": conditions.dump()}
        asleep: Json = paused({"metadata": {"generation": 1}, "status": full["status"]}, NOW)
        states: dict[str, Json] = {"at-work": full["status"], "paused": asleep, "suspended": halted, "new": {}}
        for name, status in states.items():
            code, answer = space.create(resource(kind.kind, name), keep=True)
            assert code == 201, answer
            if status:
                code, answer = space.merge(kind.kind, name, {"status": status}, "status")
                assert code == 200, answer
    command = [str(plane.kubectl), "--kubeconfig", str(plane.kubeconfig), "--namespace", "columns", "get", "modelyard"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    ages = re.sub(r"(?<=\s)\d+[dhms]\w*", lambda age: "AGE".ljust(len(age[0])), done.stdout)
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in ages.splitlines()) + "\n"


def test_kubectl_get_shows_state_reason_number_and_age(shown: str) -> None:
    assert shown == SHOWN


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)
def test_suspended_and_paused_can_be_seen_of_every_kind(shown: str, kind: Any) -> None:
    lines = [line for line in shown.splitlines() if line.startswith(kind.kind.lower())]
    halted, asleep = ([ln for ln in lines if f"/{name} " in ln] for name in ("suspended", "paused"))
    assert " Suspended  " in halted[0]
    assert " True  " in asleep[0]
