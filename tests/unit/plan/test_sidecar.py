"""A user's container beside a server: what it is started with, what it may see, and what is said of its failures."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.api.serving import Container
from modelyard.contract.reasons import Reason
from modelyard.plan.settings import Settings
from modelyard.plan.sidecar import sidecar
from modelyard.plan.startup import classify, slow
from modelyard.runtime.trim import trimmed
from tests.unit.plan.builders import NOW, Built, pod
from tests.unit.plan.endpoints import broken, model, rolling, serving, world
from tests.unit.plan.world import World

OWN = {"image": "team/own:1"}
CLASS = {"image": "team/own:1", "pythonClass": "pricing.model:Model"}


def template(w: World, name: str = "m-aaaaaaaa") -> dict[str, Any]:
    found: dict[str, Any] = w.child("Deployment", name)["spec"]["template"]["spec"]
    return found


def beside(w: World) -> tuple[dict[str, Any], dict[str, Any]]:
    fetch, own = template(w)["initContainers"]
    return fetch, own


def task(w: World) -> dict[str, Any]:
    config = template(w)["volumes"][0]["configMap"]["name"]
    found: dict[str, Any] = json.loads(w.child("ConfigMap", config)["data"]["task.json"])
    return found


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def test_without_a_container_pods_and_tasks_are_what_they_were() -> None:
    w = serving()
    assert "initContainers" not in template(w)
    assert "container" not in task(w)
    assert [v["name"] for v in template(w)["volumes"]] == ["task", "tmp"]
    assert template(w)["terminationGracePeriodSeconds"] == 35


def test_the_image_is_started_as_sagemaker_starts_it_and_stays_beside_the_server() -> None:
    fetch, own = beside(serving(container=OWN))
    assert fetch["command"] == ["python", "-m", "modelyard_serving.fetch"]
    assert "restartPolicy" not in fetch
    assert (own["image"], own["args"], own["restartPolicy"]) == ("team/own:1", ["serve"], "Always")
    assert "command" not in own
    assert environment(own) == {"HOME": "/tmp", "SAGEMAKER_BIND_TO_PORT": "8080"}
    assert own["ports"] == [{"name": "container", "containerPort": 8080}]


def test_it_has_the_model_to_read_and_no_more() -> None:
    w = serving(container=OWN)
    fetch, own = beside(w)
    mounts = {m["mountPath"]: (m["name"], m["readOnly"]) for m in own["volumeMounts"]}
    assert mounts == {"/opt/ml/model": ("model", True), "/tmp": ("container-tmp", False)}
    assert {"name": "model", "mountPath": "/opt/ml/model", "readOnly": False} in fetch["volumeMounts"]
    assert "AWS_SECRET_ACCESS_KEY" in environment(fetch)
    assert not any("valueFrom" in variable for variable in own["env"])
    names = [v["name"] for v in template(w)["volumes"]]
    assert sorted(names) == ["container-tmp", "model", "task", "tmp"]
    assert not {"model", "container-tmp"} & {m["name"] for m in template(w)["containers"][0]["volumeMounts"]}


def test_a_class_is_run_by_our_program_in_the_users_image() -> None:
    w = serving(container=CLASS)
    fetch, own = beside(w)
    assert own["command"] == ["python3", "/opt/modelyard/class_server.py"]
    assert own["args"] == ["pricing.model:Model"]
    assert {"name": "program", "mountPath": "/opt/modelyard", "readOnly": True} in own["volumeMounts"]
    assert {"name": "program", "mountPath": "/opt/modelyard", "readOnly": False} in fetch["volumeMounts"]
    assert task(w)["container"]["pythonClass"] == "pricing.model:Model"


def test_the_server_leaves_it_its_port_and_services_find_the_server() -> None:
    w = serving(container={**OWN, "port": 8085, "body": "CSV"})
    (server,) = template(w)["containers"]
    assert {"name": "http", "containerPort": 8090} in server["ports"]
    assert {service["spec"]["ports"][0]["targetPort"] for service in services(w)} == {"http"}
    assert task(w)["container"] == {"port": 8085, "body": "CSV"}
    assert environment(beside(w)[1])["SAGEMAKER_BIND_TO_PORT"] == "8085"


def services(w: World) -> list[Built]:
    return [w.child("Service", name) for name in w.names("Service")]


def test_probes_and_grace_are_sagemakers() -> None:
    w = serving(container={**OWN, "startupLimit": "61s"})
    own = beside(w)[1]
    ping = {"path": "/ping", "port": "container"}
    assert own["startupProbe"] == {"httpGet": ping, "timeoutSeconds": 2, "periodSeconds": 5, "failureThreshold": 13}
    assert own["livenessProbe"]["httpGet"] == ping
    assert "readinessProbe" not in own  # the server's own asks it, too
    assert template(w)["terminationGracePeriodSeconds"] == 65


def test_a_candidate_has_the_container_too() -> None:
    w = rolling(container=OWN)
    own = [template(w, name)["initContainers"][1]["image"] for name in w.names("Deployment")]
    assert own == ["team/own:1"] * 2


def test_another_image_for_the_same_model_is_a_rolling_update() -> None:
    w = serving(container=OWN)
    w.resource = w.resource.spec(container={**OWN, "image": "team/own:2"})
    w.run()
    assert beside(w)[1]["image"] == "team/own:2"
    assert "candidate" not in w.status


def test_nothing_is_said_of_parity_with_training() -> None:
    w = serving()
    assert w.condition("ServingParity")[0] == "True"
    w.resource = w.resource.spec(container=OWN)
    w.run()
    w.servers_get_ready()
    w.run()
    assert w.condition("Ready") == ("True", "Ready")
    assert "ServingParity" not in {condition["type"] for condition in w.status["conditions"]}


def test_resources_are_the_containers_own() -> None:
    limits = {"memory": "8Gi", "nvidia.com/gpu": "1"}
    w = serving(container={**OWN, "resources": {"limits": limits}})
    assert beside(w)[1]["resources"]["limits"] == limits
    assert template(w)["containers"][0]["resources"]["limits"] == {"memory": "2Gi"}


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,9}", fullmatch=True) | st.sampled_from(["HOME", "SAGEMAKER_BIND_TO_PORT"]),
        st.text(max_size=20),
    )
)
def test_every_variable_is_there_once_and_the_users_word_counts(wanted: dict[str, str]) -> None:
    _, own = sidecar(Container(image="i", environment=wanted), Settings())
    assert own.env == {"SAGEMAKER_BIND_TO_PORT": "8080", **wanted}


def statuses(**state: Any) -> Built:
    """A pod whose container is in this state, and whose server waits for it."""
    fetched = {"name": "fetch", "ready": True, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    server = {"name": "main", "ready": False, "state": {"waiting": {"reason": "PodInitializing"}}}
    resources = {"limits": {"memory": "9Gi"}}
    seen = pod().spec(
        restartPolicy="Always",
        initContainers=[{"name": "fetch"}, {"name": "model", "restartPolicy": "Always", "resources": resources}],
    )
    own = {"name": "model", "image": "team/own:1", **state}
    return seen.status(phase="Pending", initContainerStatuses=[fetched, own], containerStatuses=[server])


@pytest.mark.parametrize(
    ("state", "reason", "part"),
    [
        (
            {"state": {"terminated": {"exitCode": 3, "reason": "Error", "message": "KeyError: 'x'"}}},
            Reason.CRASH_LOOP,
            "KeyError: 'x'”; kubectl logs -p p -c model has more",
        ),
        (  # kubelet does not say CrashLoopBackOff of it
            {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}, "restartCount": 2},
            Reason.CRASH_LOOP,
            "exit code 0 (2 restarts), and a server goes on; kubectl logs -p p -c model has more",
        ),
        (
            {"state": {"running": {}}, "lastState": {"terminated": {"exitCode": 0}}, "ready": False},
            Reason.CRASH_LOOP,
            "exit code 0, and a server goes on",
        ),
        (
            {"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
            Reason.OOM_KILLED,
            "its limit of 9Gi: raise spec.container.resources.limits.memory",
        ),
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}},
            Reason.IMAGE_PULL,
            "image team/own:1 cannot be pulled",
        ),
    ],
)
def test_what_is_wrong_with_it_is_told_with_its_name(state: dict[str, Any], reason: Reason, part: str) -> None:
    failure = classify(trimmed(statuses(**state)))
    assert failure is not None
    assert (failure.reason, failure.ended) == (reason, False)
    assert part in failure.message


def test_a_container_that_loads_for_long_is_no_missing_volume() -> None:
    loading = statuses(ready=False, started=False, state={"running": {}})
    waiting = loading.condition("PodScheduled", lastTransitionTime="2020-01-01T00:00:00Z")
    assert classify(waiting) is None
    assert slow(waiting, NOW, patience=300) is None


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ({"started": False, "state": {"running": {}}}, True),
        ({"started": True, "state": {"running": {}}}, False),
        ({"started": False, "state": {"waiting": {"reason": "PodInitializing"}}}, False),
    ],
)
def test_one_that_does_not_answer_ping_yet_is_what_the_endpoint_waits_for(state: dict[str, Any], shown: bool) -> None:
    w = world(container=OWN)
    w.run()
    broken(w, "m-aaaaaaaa", state={"waiting": {"reason": "PodInitializing"}})
    for name in w.names("Pod"):
        w.children["Pod", name] = w.child("Pod", name).status(initContainerStatuses=[{"name": "model", **state}])
    w.run()
    assert w.condition("Ready") == ("False", "Starting")
    name = min(w.names("Pod"))
    words = f": your container does not answer /ping yet; kubectl logs {name} -c model has more"
    assert w.message("Ready").endswith(words) is shown


def test_a_candidates_that_does_not_answer_ping_is_what_the_rollout_waits_for_and_is_taken_back_for() -> None:
    w = serving(container=OWN)
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    broken(w, "m-bbbbbbbb", state={"waiting": {"reason": "PodInitializing"}})
    for name in w.names("Pod"):
        own = {"name": "model", "started": "bbbb" not in name, "state": {"running": {}}}
        w.children["Pod", name] = w.child("Pod", name).status(initContainerStatuses=[own])
    w.run()
    words = ": your container does not answer /ping yet; kubectl logs m-bbbbbbbb-0 -c model has more"
    assert w.condition("Ready") == ("True", "RollingOut")
    assert w.message("Ready").endswith(f"0 of 2 pods of the candidate are ready{words}")
    w.pass_(3600)
    w.run()
    assert w.condition("RolloutHealthy") == ("False", "RolledBack")
    assert words in w.message("RolloutHealthy")


def test_one_that_keeps_falling_over_needs_a_person() -> None:
    w = world(container=OWN)
    w.run()
    broken(w, "m-aaaaaaaa", state={"waiting": {"reason": "PodInitializing"}})
    for restarts, phase in ((1, "Starting"), (5, "Failed")):
        ended = {"exitCode": 1, "reason": "Error", "message": "no model"}
        own = {"name": "model", "restartCount": restarts, "state": {"terminated": ended}}
        for name in w.names("Pod"):
            w.children["Pod", name] = w.child("Pod", name).status(initContainerStatuses=[own])
        w.run()
        assert w.status["phase"] == phase
    assert w.condition("Stalled") == ("True", "CrashLoop")
    assert "no model" in w.message("Stalled")
