"""What events say of a child, when they are asked for, and what a pod on a lost node shows by itself."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailureResult
from modelyard.plan import inquiry
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.moments import moment
from modelyard.plan.observe import Told
from modelyard.plan.startup import classify
from modelyard.plan.training import plan_training
from tests.unit.plan import endpoints, monitored
from tests.unit.plan.builders import CREATED, NOW, Built, dataset, job, pod, ready_dataset, training_job
from tests.unit.plan.pod_statuses import gpu_pod
from tests.unit.plan.simulation import Simulation

AT = "2026-03-01T11:59:59"
WAITING = pod().waiting("ContainerCreating").condition("PodScheduled", lastTransitionTime="2026-03-01T11:59:00Z")
MOUNTING = "MountVolume.SetUp failed for volume"
LAKE = WAITING.spec(volumes=[{"name": "source-0", "secret": {"secretName": "lake"}}]).spec(nodeName="n1")
PULLED = 'Failed to pull image "i:1": rpc error: dial tcp 10.0.0.9:443: connect: connection refused'


SAID: list[tuple[str, str, Reason, str]] = [
    (
        "FailedMount",
        f'{MOUNTING} "code" : configmap "my-code" not found',
        Reason.CONFIG_ERROR,
        "ConfigMap my-code is missing in this namespace: create it",
    ),
    ("FailedMount", f'{MOUNTING} "source-0" : secret "lake" not found', Reason.CONFIG_ERROR, "Secret lake is missing"),
    (
        "FailedMount",
        f'{MOUNTING} "source-0" : references non-existent secret key: id',
        Reason.CONFIG_ERROR,
        "Secret lake has no key id",
    ),
    ("FailedMount", f'{MOUNTING} "x" : exit status 32', Reason.CONFIG_ERROR, "cannot be mounted: “MountVolume"),
    ("FailedCreatePodSandBox", "cni is not initialized", Reason.NODE_LOST, "node n1 cannot set up the pod: “cni"),
]


@pytest.mark.parametrize(("reason", "said", "expected", "part"), SAID)
def test_an_event_says_why_a_pod_does_not_start(reason: str, said: str, expected: Reason, part: str) -> None:
    failure = classify(LAKE, (Told(reason, said, AT),))
    assert failure is not None
    assert (failure.reason, failure.ended) == (expected, False)
    assert part in failure.message


@pytest.mark.parametrize(
    "events",
    [
        (),
        (Told("Scheduled", "Successfully assigned ns/p to n1", AT),),
        (Told("FailedMount", f'{MOUNTING} "x" : failed to sync configmap cache: timed out', AT),),
        (Told("Pulling", "Pulling image", AT), Told("FailedMount", f'{MOUNTING} "x" : configmap "c" not found', AT)),
    ],
    ids=["none", "scheduled", "caches lag", "it went on"],
)
def test_a_pod_that_goes_on_is_not_failed_by_what_is_over(events: tuple[Told, ...]) -> None:
    assert classify(LAKE, events) is None


def test_a_back_off_that_does_not_say_why_is_explained_by_the_event() -> None:
    waiting = pod("p", "i:1").waiting("ImagePullBackOff", 'Back-off pulling image "i:1"')
    failure = classify(waiting, (Told("BackOff", "Back-off pulling image", AT), Told("Failed", PULLED, AT)))
    assert failure is not None
    assert (failure.reason, failure.blame) == (Reason.IMAGE_PULL, "world")
    assert "connection refused" in failure.message


def test_a_server_that_kubelet_killed_did_not_run_out_of_memory() -> None:
    last = {"terminated": {"exitCode": 137, "reason": "Error"}}
    seen = gpu_pod().container("Running", state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=last)
    guess = classify(seen)
    known = classify(seen, (Told("Unhealthy", "Liveness probe failed: context deadline exceeded", AT),))
    assert guess is not None
    assert known is not None
    assert (guess.reason, known.reason) == (Reason.OOM_KILLED, Reason.CRASH_LOOP)
    assert "“Liveness probe failed: context deadline exceeded”" in known.message


def test_a_server_that_ends_well_when_kubelet_stops_it_did_not_end_by_itself() -> None:
    last = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    seen = pod().spec(restartPolicy="Always").container("Running", state={"running": {}}, lastState=last)
    unhealthy = Told("Unhealthy", "Startup probe failed: connection refused", AT)
    stopped = Told("Killing", "Container model failed startup probe, will be restarted", AT)
    for events, words in (
        ((), "ended with exit code 0, and a server goes on"),
        ((unhealthy,), "ended with exit code 0, and a server goes on"),
        ((stopped, unhealthy), "did not answer kubelet: “Startup probe failed: connection refused”"),
    ):
        failure = classify(seen, events)
        assert failure is not None
        assert failure.reason == Reason.CRASH_LOOP
        assert words in failure.message


def test_events_are_asked_for_of_a_server_that_ended_and_not_of_a_pod_whose_first_container_is_done() -> None:
    done = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    fetched = pod().status(phase="Running", initContainerStatuses=[{"name": "fetch", "state": done}])
    assert inquiry.of_pods([fetched], NOW).about == ()
    again = pod().status(
        phase="Running", initContainerStatuses=[{"name": "model", "state": done, "lastState": done, "restartCount": 1}]
    )
    assert inquiry.of_pods([again], NOW).about == (again,)


def test_who_preempted_a_pod_is_said() -> None:
    seen = gpu_pod().spec(nodeName="n1").running().condition("DisruptionTarget", "True", "PreemptionByScheduler")
    failure = classify(seen, (Told("Preempted", "Preempted by pod 6f1c1f0e on node n1", AT),))
    assert failure is not None
    assert "“Preempted by pod 6f1c1f0e on node n1”" in failure.message


def test_a_running_pod_on_a_silent_node_is_lost_without_a_look_at_the_node() -> None:
    seen = gpu_pod().spec(nodeName="n1").running().condition("ContainersReady").condition("Ready", "False")
    failure = classify(seen)
    assert failure is not None
    assert (failure.reason, failure.ended) == (Reason.NODE_LOST, False)
    assert "node n1 does not answer" in failure.message
    assert classify(seen.condition("ContainersReady", "False")) is None
    assert classify(seen.spec(readinessGates=[{"conditionType": "balancer"}])) is None


@pytest.mark.parametrize(
    ("seen", "after", "asked"),
    [
        (WAITING, 0, True),
        (WAITING.condition("PodScheduled", lastTransitionTime="2026-03-01T11:59:55Z"), 0, False),
        (WAITING.condition("PodScheduled", lastTransitionTime="2026-03-01T11:59:55Z"), 5, True),
        (pod().condition("PodScheduled", "False", "Unschedulable", "0/1 nodes"), 600, False),
        (pod().running(), 600, False),
        (pod().ended(1), 600, False),
        (WAITING.metadata(deletionTimestamp="2026-03-01T12:00:00Z"), 600, False),
        (pod().waiting("ErrImagePull", "not found"), 600, False),
        (pod().waiting("ImagePullBackOff", 'Back-off pulling image "i"'), 0, True),
        (pod().waiting("ImagePullBackOff", 'Back-off pulling image "i": ErrImagePull: not found'), 0, False),
        (pod().running().condition("DisruptionTarget", "True", "PreemptionByScheduler"), 0, True),
    ],
)
def test_only_a_pod_that_does_not_say_why_is_asked_about(seen: Built, after: int, asked: bool) -> None:
    found = inquiry.of_pods([seen], NOW + timedelta(seconds=after))
    assert bool(found.about) == asked
    if seen["status"]["phase"] == "Pending" and "deletionTimestamp" not in seen["metadata"]:
        assert found.wait is not None
        assert 1 <= found.wait <= inquiry.LOOK_AGAIN


def test_a_job_is_asked_about_only_once_its_controller_has_begun() -> None:
    begun = job("j").status(startTime="2026-03-01T11:59:00Z")
    assert inquiry.of_job(begun, NOW).about == (begun,)
    assert inquiry.of_job(job("j").status(startTime=None), NOW).about == ()
    young = inquiry.of_job(job("j").status(startTime="2026-03-01T11:59:56Z"), NOW)
    assert (young.about, young.wait) == ((), 6)


def test_a_new_job_is_looked_at_again_soon_for_that_its_controller_has_begun_wakes_nobody() -> None:
    waiting = job("j").status(startTime=None)
    created = moment(CREATED)
    assert inquiry.of_job(waiting, created + timedelta(seconds=1)).wait == inquiry.SOON
    assert inquiry.of_job(waiting, created + timedelta(seconds=20)).wait == inquiry.LOOK_AGAIN


def test_every_planner_asks_about_its_own() -> None:
    for it in (Simulation(plan_dataset, dataset()), Simulation(plan_training, training_job(), ready_dataset())):
        it.settle()
        it.pod(lambda p: p.waiting("ContainerCreating").condition("PodScheduled", lastTransitionTime=AT + "Z"))
        it.pass_time(60)
        assert [c["kind"] for c in it.plan().inspect] == ["Pod"]
        it.pod(Built.running)
        assert it.plan().inspect == ()
    w = endpoints.world()
    w.run()
    endpoints.broken(w, "m-aaaaaaaa", state={"waiting": {"reason": "ImagePullBackOff", "message": ""}})
    assert len(w.look().inspect) == 2
    m = monitored.world()
    m.children["Job", "w-check-1"] = job("w-check-1").of(m.resource, "check")
    assert [c["kind"] for c in m.look().inspect] == ["Job"]


def test_a_check_that_failed_is_not_mended_by_starting_the_next_one() -> None:
    m = monitored.world()
    failed = FailureResult(blame="user", reason="UnsafeModel", message="type x")
    monitored.ends(m, "w-check-1", failed)
    m.run()
    assert m.condition("Ready") == ("False", "UnsafeModel")
    m.pass_(60)
    m.children["Job", "w-check-next"] = (
        job("w-check-next").of(m.resource, "check").metadata(creationTimestamp=m.now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    )
    m.run()
    assert m.condition("Ready") == ("False", "UnsafeModel")
    monitored.checked(m, monitored.check("Stable"))
    assert m.condition("Ready") == ("True", "Stable")


def test_ready_turns_false_again_when_running_servers_break_later() -> None:
    """As KServe did not (#1859, #2037)."""
    w = endpoints.serving()
    assert w.condition("Ready")[0] == "True"
    endpoints.broken(
        w,
        "m-aaaaaaaa",
        state={"waiting": {"reason": "CrashLoopBackOff"}},
        lastState={"terminated": {"exitCode": 3, "message": "boom"}},
    )
    w.run()
    assert (w.status["phase"], w.condition("Ready")) == ("Degraded", ("False", "CrashLoop"))
    assert "exit code 3" in w.message()
    assert "“boom”" in w.message()
    w.servers_get_ready()
    w.run()
    assert w.condition("Ready") == ("True", "Ready")


def test_no_secret_that_others_say_reaches_a_plan() -> None:
    said = "Traceback\nConnectionError: https://user:hunter2@db.example/x?sig=hunter2 password=hunter2 Bearer hunter2-1"
    waiting = f"rpc error: https://user:hunter2@registry.example: {said}"
    changes: tuple[Callable[[Built], Built], ...] = (
        lambda p: p.ended(1, said),
        lambda p: p.ended(1, FailureResult(blame="user", reason="UserError", message=said).canonical()),
        lambda p: p.waiting("ErrImagePull", waiting),
        lambda p: p.waiting("CreateContainerConfigError", said),
        lambda p: p.status(phase="Failed", reason="Evicted", message=said),
        lambda p: p.condition("PodScheduled", "False", "Unschedulable", said),
    )
    for change in changes:
        it = Simulation(plan_training, training_job(), ready_dataset())
        it.settle()
        it.pod(change)
        it.settle()
        assert it.told()[0] == "False"
        assert "hunter2" not in f"{it.status} {it.events}"
    it = Simulation(plan_training, training_job(), ready_dataset())
    it.settle()
    it.told_of[it.children["Job", it.jobs()[0]]["metadata"]["uid"]] = (Told("FailedCreate", said, AT),)
    it.settle()
    assert it.told() == ("False", "ConfigError")
    assert "hunter2" not in f"{it.status} {it.events}"
    it.readings[it.pod()["metadata"]["name"]] = {"stage": "fit", "percent": 5, "message": said}
    it.settle()
    assert it.status["progress"].startswith("fit 5 %")
    assert "hunter2" not in f"{it.status}"
