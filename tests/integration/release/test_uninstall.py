"""`helm uninstall` in any state: nothing hangs, what users made stays, and a new install takes it up."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cluster.waiting import until
from tests.integration.release.state import children, kept, statuses
from tests.product.product import CHART
from tests.released import LATEST, NAMESPACE
from tests.released.live import CHILDREN, KINDS, RELEASE, SYSTEM, Live, at_rest, live

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
PATIENCE = "--timeout=60s"  # of kubectl, for what must end


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Live]:
    """The working tree's chart, live objects, no operator."""
    with live(tmp_path, CHART, LATEST) as made:
        until(lambda: servers_are_ready(made), "the controllers have taken up what was restored", 60)
        yield made


def servers_are_ready(cluster: Live) -> bool:
    return all(d["status"].get("readyReplicas") == d["spec"]["replicas"] for d in cluster.items("deployments"))


def objects(cluster: Live) -> dict[str, tuple[str, int]]:
    """The children, and by their uids the resources."""
    own = {f"{r['kind']}/{r['metadata']['name']}": (r["metadata"]["uid"], 0) for r in cluster.resources()}
    return {**own, **children(cluster)}


def definitions(cluster: Live) -> list[str]:
    return [f"{plural}.modelyard.dev" for plural in KINDS]


def deleted(cluster: Live, *what: str) -> None:
    """`kubectl delete`, which fails where it takes longer than a minute."""
    cluster.kubectl("delete", *what, "--wait", PATIENCE)


def is_empty(cluster: Live) -> bool:
    return cluster.items(*CHILDREN) == []


def nothing_hangs(cluster: Live) -> None:
    """Without an operator: its namespace, the definitions with all resources and children, and a user's namespace."""
    deleted(cluster, "namespace", SYSTEM)
    deleted(cluster, "crd", *definitions(cluster))
    until(lambda: is_empty(cluster), "the garbage collector has taken all children", 60, every_s=1)
    deleted(cluster, "namespace", NAMESPACE)


# States in which users uninstall. While the context lasts, the operator of the release is in that state.


@contextmanager
def its_operator_at_work(cluster: Live) -> Iterator[None]:
    with cluster.operating() as operator:
        at_rest(operator)
        yield
        operator.stop()


@contextmanager
def its_operator_not_running(cluster: Live) -> Iterator[None]:
    yield


@contextmanager
def its_operator_killed_while_it_held_the_lease(cluster: Live) -> Iterator[None]:
    with cluster.operating() as operator:
        cluster.kubectl("annotate", "dataset/orders", "-n", NAMESPACE, "modelyard.dev/run=again")
        operator.process.kill()
        operator.process.wait()
        yield


@contextmanager
def a_rollout_under_way(cluster: Live) -> Iterator[None]:
    with cluster.operating() as operator:
        change = json.dumps({"spec": {"parameters": {"max_iter": "60"}}})
        cluster.kubectl("patch", "trainingjob", "orders", "-n", NAMESPACE, "--type=merge", "--patch", change)
        candidate: Callable[[], bool] = lambda: "candidate" in statuses(cluster)["ModelDeployment/orders"]  # noqa: E731
        until(candidate, "a candidate rolls out", 60, every_s=1)
        until(lambda: len(cluster.items("deployments")) == 2 and servers_are_ready(cluster), "it is ready", 60)
        at_rest(operator)
        yield
        operator.stop()


STATES = [
    its_operator_at_work,
    its_operator_not_running,
    its_operator_killed_while_it_held_the_lease,
    a_rollout_under_way,
]


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.__name__)
def test_an_uninstall_keeps_what_users_have_and_leaves_nothing_that_hangs(
    cluster: Live, state: Callable[[Live], ExitStack]
) -> None:
    with state(cluster):
        before = objects(cluster)
        cluster.helm("uninstall", RELEASE)
    after = objects(cluster)
    assert {name: after.get(name) for name in before} == before  # what was asked for before may still be made
    assert {name.partition("/")[0] for name in before} >= {"Dataset", "Deployment", "Pod", "CronJob", "ModelDeployment"}
    nothing_hangs(cluster)


def test_an_uninstall_of_a_fresh_install_leaves_nothing_that_hangs(tmp_path: Path) -> None:
    with live(tmp_path, CHART) as cluster:
        cluster.helm("uninstall", RELEASE)
        nothing_hangs(cluster)


def test_an_uninstall_while_a_users_namespace_is_being_deleted_leaves_nothing_that_hangs(cluster: Live) -> None:
    with its_operator_at_work(cluster):
        cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
        cluster.helm("uninstall", RELEASE)
    cluster.kubectl("wait", "--for=delete", f"namespace/{NAMESPACE}", PATIENCE)
    deleted(cluster, "namespace", SYSTEM)
    deleted(cluster, "crd", *definitions(cluster))


def test_without_keep_an_uninstall_takes_everything_of_ours(cluster: Live) -> None:
    cluster.install(CHART, "--set", "crds.keep=false")
    with its_operator_at_work(cluster):
        cluster.helm("uninstall", RELEASE)
    names = [f"crd/{name}" for name in definitions(cluster)]
    cluster.kubectl("wait", "--for=delete", *names, PATIENCE)
    until(lambda: is_empty(cluster), "the garbage collector has taken all children", 60, every_s=1)
    deleted(cluster, "namespace", SYSTEM, NAMESPACE)


def test_no_object_of_ours_has_a_finalizer(cluster: Live) -> None:
    with its_operator_at_work(cluster):
        made = [o for o in cluster.items(*CHILDREN) if o["kind"] != "Pod"]  # by the Job controller, with its finalizer
    found = [*cluster.resources(), *made]
    assert [o for o in found if o["metadata"].get("finalizers")] == []
    assert len(found) > 12


def test_a_namespace_without_an_operator_is_deleted(cluster: Live) -> None:
    cluster.helm("uninstall", RELEASE)
    deleted(cluster, "namespace", NAMESPACE)


def test_a_new_install_takes_up_what_is_there_and_makes_nothing_anew(cluster: Live) -> None:
    before, said = objects(cluster), statuses(cluster)
    cluster.helm("uninstall", RELEASE)
    cluster.install(CHART)
    with cluster.operating() as operator:
        at_rest(operator)
        assert objects(cluster) == before
        assert kept(said, statuses(cluster)) == said
        cluster.kubectl("delete", "service", "orders", "-n", NAMESPACE)
        until(lambda: "Service/orders" in objects(cluster), "what is missing is made again", 30)
        operator.stop()
