"""The product on a cluster, once for the whole run; its workload namespace enforces Pod Security `restricted`."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.choice import choose
from tests.e2e.user import User
from tests.product.images import build_and_load
from tests.product.product import Product


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    provider = choose()
    provider.up()
    return build_and_load(provider)


@pytest.fixture(scope="session")
def product(images: dict[str, str]) -> Product:
    values = {"operator.pollSeconds": 3, "operator.pendingSeconds": 60, "workloads.allowUnsafeFormats": True}
    made = Product(choose(), workloads=("e2e", "demo"), values=values)
    made.install(images)
    return made


@pytest.fixture
def user(product: Product) -> Iterator[User]:
    """Somebody with kubectl in the workload namespace; takes away what they applied when the test ends."""
    somebody = User(product, "e2e")
    yield somebody
    somebody.clean_up()


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """`eventually(read, holds)`: the first value that holds; fails with the last one seen."""

    def wait(read: Callable[[], Any], holds: Callable[[Any], Any] = bool, timeout: float = 90) -> Any:
        deadline = time.monotonic() + timeout
        while True:
            value = read()
            if holds(value):
                return value
            if time.monotonic() > deadline:
                pytest.fail(f"not in {timeout:.0f} s; last seen: {value}")
            time.sleep(1)

    return wait
