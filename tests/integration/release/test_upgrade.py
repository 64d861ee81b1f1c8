"""From the last release to the working tree, with the objects that the last release left on the cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.waiting import until
from tests.integration.release.state import children, kept, statuses
from tests.product.product import CHART
from tests.released import LATEST, NAMESPACE, chart
from tests.released.live import RELEASE, Live, at_rest, condition, live

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture(params=["helm", "helm3"])
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    with live(tmp_path, chart(LATEST), LATEST, request.param) as cluster:
        until(lambda: settled(cluster), "the controllers have taken up what was restored", 60)
        yield cluster


def settled(cluster: Live) -> bool:
    """The Deployment controller knows its pods again, and the operator's own pods are not ours to look at."""
    return all(d["status"].get("readyReplicas") == d["spec"]["replicas"] for d in cluster.items("deployments"))


def test_an_upgrade_restarts_no_pod_and_starts_nothing_and_can_be_rolled_back(released: Live) -> None:
    before, said = children(released), statuses(released)
    assert len([name for name in before if name.startswith("Pod/")]) >= 5
    released.install(CHART)
    with released.operating() as operator:
        at_rest(operator)
        assert children(released) == before
        assert kept(said, statuses(released)) == said
        operator.stop()
    released.helm("rollback", RELEASE, "1")
    assert children(released) == before
    assert kept(said, statuses(released)) == said
    assert {condition(r, "Ready") for r in released.resources()} >= {"True Ready", "True Succeeded"}


def test_another_image_replaces_servers_but_repeats_no_finished_work(released: Live) -> None:
    """Also what shows that the test above would notice a changed pod template."""
    before, said = children(released), statuses(released)
    released.install(CHART, "--set", "images.tag=another")
    with released.operating() as operator:
        until(lambda: bool(replaced(released)), "the servers have the other image", 60, every_s=1)
        at_rest(operator)
    jobs = {name: was for name, was in before.items() if name.startswith("Job/")}
    assert {name: children(released)[name] for name in jobs} == jobs
    finished = {name: said[name] for name in ("Dataset/orders", "TrainingJob/orders")}
    assert kept(finished, statuses(released)) == finished


def replaced(cluster: Live) -> bool:
    """All servers run another image, and all are ready."""
    pods = [p for p in cluster.items("pods") if p["metadata"]["labels"]["modelyard.dev/role"] == "server"]
    images = {p["spec"]["containers"][0]["image"] for p in pods}
    return images == {"modelyard/serving:another"} and settled(cluster)


def test_a_release_that_was_skipped_by_a_rollback_can_be_installed_again(released: Live) -> None:
    before = children(released)
    released.install(CHART)
    released.helm("rollback", RELEASE, "1")
    released.install(CHART)
    with released.operating() as operator:
        released.kubectl("annotate", "dataset/orders", "-n", NAMESPACE, "modelyard.dev/run=again")
        until(lambda: statuses(released)["Dataset/orders"].get("run") == "again", "the operator acts", 30)
        operator.stop()
    unchanged = {n: was for n, was in children(released).items() if n in before and "build" not in n}
    assert unchanged == {n: was for n, was in before.items() if "build" not in n}
