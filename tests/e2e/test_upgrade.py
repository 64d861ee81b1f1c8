"""modelyard itself is upgraded, taken away and installed again under an endpoint that answers: nobody notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread

import httpx
import pytest

from tests.e2e.client import client
from tests.e2e.squares import dataset, points, training
from tests.e2e.user import User
from tests.product.product import Product
from tests.released import LATEST, chart

NEWER = {"workloads.allowUnsafeFormats"}  # values that the last release does not know
SERVERS = "modelyard.dev/name=lasting,modelyard.dev/role=server"


def servers(user: User) -> list[str]:
    pods = user.product.get("pods", "--namespace", user.namespace, "-l", SERVERS)["items"]
    return sorted(pod["metadata"]["uid"] for pod in pods)


@contextmanager
def asked_all_the_time(user: User) -> Iterator[list[str]]:
    """Requests one after the other while the context lasts; an entry for each, empty where it was answered."""
    over, said = Event(), list[str]()
    rows = points(5, 23)

    def ask() -> None:
        with client(user.product, user.namespace, "lasting") as endpoint:
            while not over.wait(0.05):
                try:
                    endpoint.predict(rows, f"lasting-{len(said)}")
                    said.append("")
                except httpx.HTTPError as error:
                    said.append(f"{type(error).__name__}: {error}")

    thread = Thread(target=ask)
    thread.start()
    try:
        yield said
    finally:
        over.set()
        thread.join()


@pytest.mark.timeout(1200)
def test_upgrade_uninstall_and_new_install_do_not_touch_an_endpoint(
    user: User, product: Product, images: dict[str, str]
) -> None:
    known = {name: value for name, value in product.values.items() if name not in NEWER}
    replace(product, values=known).install(images, chart(LATEST))
    try:
        user.apply("Dataset", "lasting", dataset(user.put("upgrade/points.parquet", points(1000, 22))))
        user.apply("TrainingJob", "lasting", training("lasting"))
        spec = {"model": {"trainingJobRef": {"name": "lasting"}}, "replicas": {"min": 2}}
        endpoint = user.apply("ModelDeployment", "lasting", spec)
        user.wait(endpoint, "Ready", timeout=300)
        before = servers(user)
        with asked_all_the_time(user) as said:
            product.install(images)
            user.wait(endpoint, "Ready")
            product.uninstall()
            assert servers(user) == before
            product.install(images)
            user.wait(endpoint, "Ready")
        assert servers(user) == before
        assert [failure for failure in said if failure] == []
        assert len(said) > 100
    finally:
        product.install(images)
