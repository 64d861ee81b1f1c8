"""The scenarios: the lives of all four kinds, well and ill. Durations are short, everything else is as in a cluster."""

from typing import Any

from modelyard.contract.progress import Routing, ServingStats
from modelyard.contract.results import FailedExpectation, FailureResult
from modelyard.contract.tasks import CheckTask, DatasetTask, GateTask, ServeTask, TrainTask
from tests.cluster.mock_kubelet import answers
from tests.cluster.mock_kubelet.answers import well
from tests.cluster.mock_kubelet.life import Life, Seen, evicted, fails, succeeds
from tests.cluster.mock_kubelet.management import counted
from tests.integration.crash.person import Person, Resource
from tests.integration.crash.scenario import Scenario

STORE_DOWN = FailureResult(blame="world", reason="StoreUnavailable", message="the store does not answer")
NO_COLUMN = FailureResult(blame="user", reason="MissingColumn", message="no column named price", exit_code=1)

OTHERWISE = f"sha256:{'0' * 64}"
SAID = "model.onnx answers low to example row 1, and answered high when it was trained (2 of 3 rows differ)"
MISMATCH = FailureResult(blame="world", reason="ServingParity", message=SAID)


def data(sql: str = "select 1 as x") -> dict[str, Any]:
    return {"transform": {"sql": sql}}


def training(depth: int = 3) -> dict[str, Any]:
    return {
        "datasetRef": {"name": "orders"},
        "recipe": {"name": "tabular", "task": "classification"},
        "parameters": {"depth": str(depth)},
        "failurePolicy": {"backoff": "1s"},
    }


def serving(replicas: int = 1) -> dict[str, Any]:
    rollout = {"steps": [{"weight": 50, "hold": "1s"}, {"weight": 100}], "minRequests": 10}
    return {"model": {"trainingJobRef": {"name": "churn"}}, "replicas": {"min": replicas}, "rollout": rollout}


def monitoring(action: str) -> dict[str, Any]:
    retrain = {"when": ["DataDrift"], "action": action, "cooldown": "1s"}
    # The annotation runs the checks; by the clock the next one is years away.
    return {"modelDeploymentRef": {"name": "churn"}, "schedule": {"cron": "0 0 29 2 *"}, "retrain": retrain}


async def built(person: Person) -> None:
    await person.apply("Dataset", "orders", data())
    await person.phase("Dataset", "orders", "Ready")


async def trained(person: Person) -> None:
    await person.apply("Dataset", "orders", data())
    await person.apply("TrainingJob", "churn", training())
    await person.phase("TrainingJob", "churn", "Succeeded")


async def served(person: Person) -> None:
    await person.apply("ModelDeployment", "churn", serving())
    await trained(person)
    await person.phase("ModelDeployment", "churn", "Ready")
    await person.condition("ModelDeployment", "churn", "ServingParity")


# Dataset


async def dataset_built(person: Person) -> None:
    await built(person)


async def dataset_rejected_then_mended(person: Person) -> None:
    await person.apply("Dataset", "orders", data("select -1 as bad"))
    await person.phase("Dataset", "orders", "Failed")
    await built(person)


def rejecting(seen: Seen) -> Life:
    if not isinstance(seen.task, DatasetTask) or "bad" not in (seen.task.sql or ""):
        return well(seen)
    broken = FailedExpectation(name="positive", failed=3, total=1000, message="3 of 1,000 rows are negative")
    return Life(succeeds(answers.dataset(seen.task, outcome="Quarantined", failed_expectations=[broken])))


async def dataset_built_again_after_an_eviction(person: Person) -> None:
    await built(person)


def evicting_first(seen: Seen) -> Life:
    return Life(evicted()) if seen.number == 1 else well(seen)


async def dataset_asked_for_new_data(person: Person) -> None:
    await built(person)
    await person.apply("Dataset", "orders", data(), run="1")
    await person.sees("Dataset", "orders", lambda s: s["current"]["rows"] == 1002)


def new_data(seen: Seen) -> Life:
    """The sources have changed with each build."""
    if isinstance(seen.task, DatasetTask):
        return Life(succeeds(answers.dataset(seen.task, data=seen.number)))
    return well(seen)


async def dataset_changed_while_it_is_built(person: Person) -> None:
    await person.apply("Dataset", "orders", data("select 1 as slow"))
    await person.sees("Dataset", "orders", lambda s: s.get("progress"))
    await built(person)


def slow_at_first(seen: Seen) -> Life:
    slow = isinstance(seen.task, DatasetTask) and "slow" in (seen.task.sql or "")
    return Life() if slow else well(seen)


async def dataset_paused_while_it_is_built(person: Person) -> None:
    await person.apply("Dataset", "orders", data())
    await person.job_made()
    await person.apply("Dataset", "orders", data(), paused="true")
    await person.paused("Dataset", "orders")
    await person.jobs_ended()
    await built(person)


def three_seconds(seen: Seen) -> Life:
    return Life(well(seen).ending, runs=3)


# TrainingJob


async def training_succeeds(person: Person) -> None:
    await trained(person)


async def training_tried_again_after_a_failure_of_the_world(person: Person) -> None:
    await trained(person)


def store_down_first(seen: Seen) -> Life:
    down = seen.role == "attempt" and seen.number < 3
    return Life(fails(STORE_DOWN)) if down else well(seen)


async def training_fails_for_the_user(person: Person) -> None:
    await person.apply("Dataset", "orders", data())
    await person.apply("TrainingJob", "churn", training())
    await person.phase("TrainingJob", "churn", "Failed")


def no_column(seen: Seen) -> Life:
    return Life(fails(NO_COLUMN)) if seen.role == "attempt" else well(seen)


async def training_with_another_spec_runs_anew(person: Person) -> None:
    await trained(person)
    await person.apply("TrainingJob", "churn", training(depth=5))
    await person.phase("TrainingJob", "churn", "Succeeded")


async def training_deleted_while_it_runs(person: Person) -> None:
    await person.apply("Dataset", "orders", data())
    await person.apply("TrainingJob", "churn", training())
    await person.phase("TrainingJob", "churn", "Running")
    await person.delete("TrainingJob", "churn")
    await person.gone("TrainingJob", "churn")


def endless_training(seen: Seen) -> Life:
    return Life() if seen.role == "attempt" else well(seen)


# ModelDeployment


async def deployment_serves_its_first_model(person: Person) -> None:
    await served(person)


async def deployment_changes_its_replicas(person: Person) -> None:
    await served(person)
    await person.apply("ModelDeployment", "churn", serving(replicas=2))
    await person.sees("ModelDeployment", "churn", lambda s: s["readyReplicas"] == 2 and s["phase"] == "Ready")


async def second_model(person: Person) -> None:
    """The first one serves; another is trained, of which a canary is made."""
    await served(person)
    await person.apply("TrainingJob", "churn", training(depth=5))
    await person.phase("TrainingJob", "churn", "Succeeded")


async def deployment_promotes_a_canary(person: Person) -> None:
    await second_model(person)
    await person.sees("ModelDeployment", "churn", lambda s: s.get("previous") and s["phase"] == "Ready")
    await person.one_revision_left()


async def deployment_takes_a_canary_back(person: Person) -> None:
    await second_model(person)
    await person.sees("ModelDeployment", "churn", lambda s: s.get("rolledBack") and s["phase"] == "Ready")
    await person.one_revision_left()


def failing_canary(seen: Seen, routing: Routing) -> ServingStats:
    return counted(routing, errors=20)


async def deployment_waits_for_a_model_that_answers_as_in_training(person: Person) -> None:
    await person.apply("ModelDeployment", "churn", serving())
    await trained(person)
    failed = await person.phase("ModelDeployment", "churn", "Failed")
    told = {c["type"]: (c["status"], c["reason"], c["message"]) for c in failed["status"]["conditions"]}
    assert told["ServingParity"][:2] == ("False", "ServingParity")
    assert "2 of 3 rows differ" in told["Ready"][2]
    await person.apply("TrainingJob", "churn", training(depth=5))
    await person.phase("ModelDeployment", "churn", "Ready")
    await person.sees(
        "ModelDeployment", "churn", lambda s: s["stable"].get("parity") == {"rows": 3, "maxDifference": "0"}
    )
    await person.condition("ModelDeployment", "churn", "ServingParity")
    await person.one_revision_left()


def answering_otherwise(seen: Seen) -> Life:
    """The servers of the model of depth 3 end as the model server does."""
    if isinstance(seen.task, TrainTask) and seen.task.parameters["depth"] == "3":
        return Life(succeeds(answers.model(seen.task, model_digest=OTHERWISE)))
    if isinstance(seen.task, ServeTask) and seen.task.model_digest == OTHERWISE:
        return Life(fails(MISMATCH))
    return well(seen)


async def everything_is_deleted(person: Person) -> None:
    await served(person)
    for kind, name in (("ModelDeployment", "churn"), ("TrainingJob", "churn"), ("Dataset", "orders")):
        await person.delete(kind, name)
        await person.gone(kind, name)


# DriftMonitor


async def watched(person: Person, action: str) -> None:
    """A model serves, and a check of its traffic finds drift."""
    await served(person)
    await person.apply("DriftMonitor", "churn", monitoring(action))
    await person.condition("DriftMonitor", "churn", "Ready")
    await person.apply("DriftMonitor", "churn", monitoring(action), run="1")


async def monitor_reports_drift(person: Person) -> None:
    await watched(person, "Alert")
    await person.phase("DriftMonitor", "churn", "Drifted")


async def monitor_retrains_and_the_new_model_is_promoted(person: Person) -> None:
    await watched(person, "Retrain")
    await person.sees("DriftMonitor", "churn", lambda s: s.get("history"))
    await person.condition("DriftMonitor", "churn", "RetrainAllowed")
    await person.sees("ModelDeployment", "churn", lambda s: s.get("previous") and s["phase"] == "Ready")
    await person.one_revision_left()


async def monitor_proposes_and_the_new_model_is_refused(person: Person) -> None:
    await watched(person, "Propose")
    proposed: Resource = await person.phase("DriftMonitor", "churn", "Proposed")
    id_ = proposed["status"]["retrain"]["id"]
    await person.apply("DriftMonitor", "churn", monitoring("Propose"), run="1", approve=id_)
    await person.sees("DriftMonitor", "churn", lambda s: s.get("history"))
    await person.condition("DriftMonitor", "churn", "RetrainAllowed")


def drifting(seen: Seen) -> Life:
    if isinstance(seen.task, CheckTask):
        return Life(succeeds(answers.checked(seen.task, "Drifted", drifted_columns=2)))
    return new_data(seen)


def refusing(seen: Seen) -> Life:
    if isinstance(seen.task, GateTask):
        return Life(succeeds(answers.judged(seen.task, "Refuse", difference=-0.1, lower=-0.2)))
    return drifting(seen)


SCENARIOS = (
    Scenario(dataset_built),
    Scenario(dataset_rejected_then_mended, rejecting),
    Scenario(dataset_built_again_after_an_eviction, evicting_first),
    Scenario(dataset_asked_for_new_data, new_data),
    Scenario(dataset_changed_while_it_is_built, slow_at_first),
    Scenario(dataset_paused_while_it_is_built, three_seconds),
    Scenario(training_succeeds),
    Scenario(training_tried_again_after_a_failure_of_the_world, store_down_first),
    Scenario(training_fails_for_the_user, no_column),
    Scenario(training_with_another_spec_runs_anew),
    Scenario(training_deleted_while_it_runs, endless_training),
    Scenario(deployment_serves_its_first_model),
    Scenario(deployment_changes_its_replicas),
    Scenario(deployment_promotes_a_canary),
    Scenario(deployment_takes_a_canary_back, traffic=failing_canary),
    Scenario(deployment_waits_for_a_model_that_answers_as_in_training, answering_otherwise),
    Scenario(everything_is_deleted),
    Scenario(monitor_reports_drift, drifting),
    Scenario(monitor_retrains_and_the_new_model_is_promoted, drifting),
    Scenario(monitor_proposes_and_the_new_model_is_refused, refusing),
)
