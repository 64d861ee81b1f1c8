"""An endpoint's first model, its servers and what keeps it from starting."""

import json
from typing import Any

import pytest

from modelyard.contract.tasks import ServeTask
from modelyard.plan.serving import plan_serving
from modelyard.plan.settings import Settings
from tests.unit.plan.builders import deployment, digest, training_job
from tests.unit.plan.endpoints import FAILURE, broken, model, serving, world
from tests.unit.plan.world import World


def test_without_a_model_it_waits_and_says_what_the_job_says() -> None:
    w = world(training_job("t").status(phase="Running").condition("Ready", "False", "Training", "epoch 3 of 9"))
    plan = w.run()
    assert plan.apply == ()
    assert (w.status["phase"], w.condition("Ready")) == ("Pending", ("False", "WaitingForModel"))
    assert w.message() == "TrainingJob t has no approved model yet: Training: epoch 3 of 9"
    assert w.condition("Reconciling")[0] == "True"


def test_a_job_that_does_not_exist_is_named() -> None:
    w = World(plan_serving, deployment())
    w.run()
    assert w.message() == "TrainingJob t does not exist: create it"


def test_a_failed_job_needs_a_person() -> None:
    w = world(training_job("t").status(phase="Failed").condition("Ready", "False", "UserError", "exit code 3"))
    w.run()
    assert w.condition("Stalled") == ("True", "WaitingForModel")
    assert "UserError: exit code 3" in w.message()


def test_the_first_model_serves_without_a_canary() -> None:
    w = world()
    w.run()
    assert w.names("Deployment") == ["m-aaaaaaaa"]
    assert w.names("Service") == ["m", "m-aaaaaaaa"]
    assert w.names("PodDisruptionBudget") == ["m"]
    assert (w.status["phase"], w.condition("Ready")) == ("Starting", ("False", "Starting"))
    w.servers_get_ready(ready=1)
    w.run()
    assert w.condition("Ready") == ("False", "Starting")
    w.servers_get_ready()
    w.run()
    assert (w.status["phase"], w.condition("Ready")) == ("Ready", ("True", "Ready"))
    assert (w.status["url"], w.status["readyReplicas"]) == ("http://m.ns.svc", 2)
    assert w.status["stable"]["trainingJob"] == "t"
    assert w.status["stable"]["profileDigest"] == digest("e")
    assert w.condition("RolloutHealthy") == ("True", "UpToDate")
    assert w.condition("ServingParity") == ("True", "Ready")


def test_a_server_is_replaced_only_by_one_that_is_ready() -> None:
    spec = serving().child("Deployment", "m-aaaaaaaa")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    container = spec["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 35
    assert spec["template"]["spec"]["topologySpreadConstraints"][0]["whenUnsatisfiable"] == "ScheduleAnyway"


def test_the_endpoint_has_port_80_and_a_revision_the_servers_own() -> None:
    w = serving()
    port = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}
    assert w.child("Service", "m")["spec"]["ports"] == [port]
    assert w.child("Service", "m-aaaaaaaa")["spec"]["ports"][0]["port"] == 8080


def test_grpc_has_a_port_where_it_is_asked_for_and_changes_nothing_where_not() -> None:
    w = serving(grpc=True)
    calls = {"name": "grpc", "port": 9000, "targetPort": "grpc", "protocol": "TCP", "appProtocol": "kubernetes.io/h2c"}
    assert w.child("Service", "m")["spec"]["ports"][1:] == [calls]
    assert len(w.child("Service", "m-aaaaaaaa")["spec"]["ports"]) == 1  # a candidate's share comes by HTTP
    assert {"name": "grpc", "containerPort": 9000} in ports(w)
    assert task(w)["grpc"] is True
    for plain in (serving(), serving(grpc=False)):
        assert {port["name"] for port in ports(plain)} == {"management", "http"}
        assert "grpc" not in task(plain)


def test_grpc_for_an_endpoint_that_serves_is_a_rolling_update() -> None:
    w = serving()
    w.resource = w.resource.spec(grpc=True)
    w.run()
    assert {"name": "grpc", "containerPort": 9000} in ports(w)
    assert "candidate" not in w.status


def test_another_layout_of_captured_rows_is_told_where_it_is_asked_for_and_changes_nothing_where_not() -> None:
    assert task(serving(capture={"layout": "sagemaker"}))["captureLayout"] == "sagemaker"
    for plain in (serving(), serving(capture={"layout": "parquet"})):
        assert "captureLayout" not in task(plain)


def ports(w: World) -> list[dict[str, Any]]:
    """Of the servers' container."""
    found: list[dict[str, Any]] = template(w)["containers"][0]["ports"]
    return found


def task(w: World) -> dict[str, Any]:
    """What the servers are told to do."""
    config = template(w)["volumes"][0]["configMap"]["name"]
    found: dict[str, Any] = json.loads(w.child("ConfigMap", config)["data"]["task.json"])
    return found


def template(w: World) -> dict[str, Any]:
    found: dict[str, Any] = w.child("Deployment", "m-aaaaaaaa")["spec"]["template"]["spec"]
    return found


def test_one_replica_has_no_disruption_budget() -> None:
    w = serving()
    w.resource = w.resource.spec(replicas={"min": 1})
    w.run()
    assert w.names("PodDisruptionBudget") == []


def test_a_model_that_answers_otherwise_than_in_training_is_said_so_and_given_up_after_three_tries() -> None:
    w = world()
    w.run()
    last = {
        "terminated": {
            "exitCode": 1,
            "message": FAILURE.replace("UnsafeModel", "ServingParity").replace("user", "world"),
        }
    }
    broken(w, "m-aaaaaaaa", state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=last, restartCount=1)
    w.run()
    assert (w.status["phase"], w.condition("ServingParity")) == ("Starting", ("False", "ServingParity"))
    broken(w, "m-aaaaaaaa", state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=last, restartCount=3)
    w.run()
    assert (w.status["phase"], w.condition("Stalled")) == ("Failed", ("True", "ServingParity"))
    w.servers_get_ready()
    w.run()
    assert (w.status["phase"], w.condition("ServingParity")) == ("Ready", ("True", "Ready"))


def test_an_unsafe_first_model_needs_a_person_until_another_one_takes_over() -> None:
    w = world()
    w.run()
    broken(w, "m-aaaaaaaa", state={"terminated": {"exitCode": 1, "message": FAILURE}})
    w.run()
    assert (w.status["phase"], w.condition("Stalled")) == ("Failed", ("True", "UnsafeModel"))
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    w.servers_get_ready(["bbbbbbbb"])
    w.run()
    assert w.status["stable"]["revision"] == "bbbbbbbb"  # there is nobody to share with
    assert w.condition("Ready") == ("True", "Ready")


def test_a_first_model_whose_image_cannot_be_pulled_needs_a_person_and_goes_on_by_itself() -> None:
    w = world()
    w.run()
    broken(w, "m-aaaaaaaa", state={"waiting": {"reason": "ErrImagePull", "message": "not found"}})
    w.run()
    assert (w.status["phase"], w.condition("Stalled")) == ("Starting", ("True", "ImagePull"))
    w.servers_get_ready()
    w.run()
    assert (w.condition("Ready"), w.condition("Stalled")[0]) == (("True", "Ready"), "False")


def test_servers_that_are_lost_later_make_it_degraded() -> None:
    w = serving()
    w.servers_get_ready(ready=1)
    w.run()
    assert (w.status["phase"], w.condition("Ready")) == ("Degraded", ("True", "Degraded"))
    w.servers_get_ready(ready=0)
    w.run()
    assert (w.status["phase"], w.condition("Ready")) == ("Degraded", ("False", "Degraded"))
    w.servers_get_ready()
    w.run()
    assert w.condition("Ready") == ("True", "Ready")


def test_more_replicas_are_no_rollout() -> None:
    w = serving()
    w.resource = w.resource.spec(replicas={"min": 4})
    w.run()
    assert w.child("Deployment", "m-aaaaaaaa")["spec"]["replicas"] == 4
    assert "candidate" not in w.status


def test_another_capture_share_is_a_rolling_update_of_the_same_revision() -> None:
    w = serving()
    w.resource = w.resource.spec(capture={"percent": 10})
    kubernetes = w.child("Deployment", "m-aaaaaaaa").status(updatedReplicas=0)
    w.children["Deployment", "m-aaaaaaaa"] = kubernetes
    w.run()
    assert "candidate" not in w.status
    assert len(w.names("ConfigMap")) == 2  # pods that still run the old template may read the old task
    assert w.condition("Reconciling")[0] == "True"
    assert w.condition("Ready")[0] == "True"
    w.servers_get_ready()
    w.run()
    (config,) = w.names("ConfigMap")
    volumes = w.child("Deployment", "m-aaaaaaaa")["spec"]["template"]["spec"]["volumes"]
    assert volumes[0]["configMap"]["name"] == config


@pytest.mark.parametrize(("asked", "allowed"), [(True, True), (True, False), (False, True)])
def test_servers_load_pickles_where_endpoint_and_chart_allow_it(asked: bool, allowed: bool) -> None:
    w = world(allowUnsafeFormats=asked)
    w.settings = Settings(allow_unsafe_formats=allowed)
    w.run()
    (name,) = w.names("ConfigMap")
    task = ServeTask.model_validate_json(w.child("ConfigMap", name)["data"]["task.json"])
    assert task.allow_unsafe is (True if asked and allowed else None)


def test_an_invalid_spec_from_before_a_rule_is_said() -> None:
    w = serving()
    w.resource = w.resource.spec(replicas={"min": 0})
    w.run()
    assert w.condition("Stalled") == ("True", "ConfigError")
    assert "spec.replicas.min" in w.message()


@pytest.mark.parametrize(
    ("form", "image"),
    [
        *((form, "modelyard/serving:dev") for form in ("skops", "onnx", "xgboost", "lightgbm", "safetensors")),
        *((form, "modelyard/serving-torch:dev") for form in ("torch-export", "torchscript")),
    ],
)
def test_only_formats_of_pytorch_are_served_by_the_image_that_holds_it(form: str, image: str) -> None:
    w = world(model("t", "a", 1, form=form))
    w.run()
    (container,) = w.child("Deployment", "m-aaaaaaaa")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == image
    assert w.status["stable"]["modelFormat"] == form


def test_each_revision_of_a_rollout_has_the_image_of_its_own_format() -> None:
    w = serving(model("t", "a", 1, form="onnx"))
    w.set(model("t-r-00000001", "b", 2, form="torch-export"))
    w.run()
    w.run()
    images = {
        name: w.child("Deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"]
        for name in ("m-aaaaaaaa", "m-bbbbbbbb")
    }
    assert images == {"m-aaaaaaaa": "modelyard/serving:dev", "m-bbbbbbbb": "modelyard/serving-torch:dev"}


def test_the_task_of_pods_that_still_run_stays_until_the_rolling_update_is_through() -> None:
    w = serving()
    (old,) = w.names("ConfigMap")
    for name in w.names("Pod"):
        w.children["Pod", name] = w.child("Pod", name).spec(volumes=[{"name": "task", "configMap": {"name": old}}])
    w.resource = w.resource.spec(capture={"percent": 10}).metadata(generation=2)
    plan = w.look()  # the Deployment is known as it was: settled, on the old template
    assert [c["metadata"]["name"] for c in plan.apply if c["kind"] == "ConfigMap"] != [old]
    assert old not in [c["metadata"]["name"] for c in plan.delete]
