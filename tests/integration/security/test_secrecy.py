"""A string that stands wherever a user may put a secret is repeated nowhere by the operator."""

import json
from typing import Any

import pytest

from modelyard.api.kinds import KINDS
from modelyard.plan.labels import TASK
from tests.integration.security.conftest import Lived
from tests.integration.security.life import CANARY, LEAK

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
OWN = [kind.kind for kind in KINDS]


def lines_with(word: str, text: str) -> list[str]:
    return [line[:500] for line in text.splitlines() if word in line]


def test_logs_at_their_most_talkative_hold_no_secret(lived: Lived) -> None:
    assert '"level": "debug"' in lived.log
    assert lines_with(CANARY, lived.log) == []


def test_logs_hold_no_token(lived: Lived) -> None:
    assert lines_with(lived.bearer, lived.log) == []
    assert lines_with(lived.bearer.split(".")[2], lived.log) == []


def test_metrics_hold_no_secret(lived: Lived) -> None:
    assert "modelyard_api_writes_total" in lived.metrics
    assert lines_with(CANARY, lived.metrics) == []
    assert lines_with(LEAK, lived.metrics) == []


def test_no_status_ever_held_a_secret(lived: Lived) -> None:
    statuses = [json.dumps(state["status"]) for state in lived.of(*OWN) if "status" in state]
    assert statuses
    assert [status for status in statuses if CANARY in status] == []


def test_no_event_ever_held_a_secret(lived: Lived) -> None:
    events = [
        json.dumps(event) for event in lived.of("Event") if event.get("reportingController", "").startswith("modelyard")
    ]
    assert events
    assert [event for event in events if CANARY in event] == []


def carries_task(pod: dict[str, Any]) -> bool:
    return TASK in pod["metadata"].get("annotations", {})


def without_task(state: Any) -> Any:
    """Its pod template, or itself, without the annotation that is mounted as the file of the task."""
    if isinstance(state, dict):
        return {name: without_task(value) for name, value in state.items() if name != TASK}
    return [without_task(value) for value in state] if isinstance(state, list) else state


def test_no_pod_is_started_with_a_secret_in_its_arguments_or_environment(lived: Lived) -> None:
    """Nor is one in any other part of what the operator makes, but in the task that is read as a file."""
    made = lived.of("Job", "CronJob", "Deployment", "Pod", "Service", "PodDisruptionBudget")
    assert [state["metadata"]["name"] for state in made if CANARY in json.dumps(without_task(state))] == []
    for pod in lived.of("Pod"):
        (container,) = pod["spec"]["containers"]
        assert not {"args", "command", "envFrom"} & set(container)
        assert {variable["name"] for variable in container["env"] if "value" in variable} == {"HOME"}


def test_what_kubernetes_keeps_in_secrets_stays_there(lived: Lived) -> None:
    """Tasks hold what a user wrote into a spec, and of Secrets only that there is one."""
    tasks = [json.loads(pod["metadata"]["annotations"][TASK]) for pod in lived.of("Pod") if carries_task(pod)]
    sources = [source for task in tasks for source in task.get("sources", [])]
    assert sources
    assert {source["hasCredentials"] for source in sources} == {True}
    assert not any(key.startswith("AWS") for source in sources for key in source)


@pytest.mark.parametrize("where", ["status", "events", "logs"])
def test_secrets_in_the_last_words_of_a_pod_are_not_repeated(lived: Lived, where: str) -> None:
    places = {
        "status": [json.dumps(state.get("status")) for state in lived.of(*OWN)],
        "events": [json.dumps(event) for event in lived.of("Event")],
        "logs": lived.log.splitlines(),
    }
    failed = [s for s in lived.of("TrainingJob") if s["metadata"]["name"] in ("traceback", "structured")]
    assert any(state.get("status", {}).get("phase") == "Failed" for state in failed)
    assert [words[:500] for words in places[where] if LEAK in words] == []
