"""`make dev` finds the operator where the chart puts it, and puts it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.runtime.config import load
from tests.cluster import build
from tests.cluster.current import Current
from tests.product.dev import configuration, replaced
from tests.product.product import CHART, OPERATOR, RELEASE, SYSTEM, Product, run


@pytest.fixture
def installed(control_plane: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """The chart's operator on an API server without controllers: no pods."""
    monkeypatch.setenv("KUBECONFIG", str(control_plane))
    product = Product(Current())
    product.create_namespace(SYSTEM)
    chosen = ("--show-only", "templates/operator.yaml", "--show-only", "templates/config.yaml")
    made = run(build.program("helm"), "template", RELEASE, CHART, "--namespace", SYSTEM, *chosen)
    product.kubectl("apply", "-f", "-", given=made)
    yield product
    product.kubectl("delete", "--wait=false", "-f", "-", given=made)


def replicas(product: Product) -> int:
    return int(product.get("deployment", OPERATOR, "--namespace", SYSTEM)["spec"]["replicas"])


def test_the_installed_operator_is_away_while_another_runs_and_comes_back_when_that_fails(installed: Product) -> None:
    before = replicas(installed)
    seen = []

    def work() -> None:
        seen.append(replicas(installed))
        raise RuntimeError("the operator ends")

    with pytest.raises(RuntimeError, match="the operator ends"), replaced(installed):
        work()
    assert before > 0
    assert (seen, replicas(installed)) == ([0], before)


def test_the_installed_configuration_is_one_the_working_tree_reads(installed: Product, tmp_path: Path) -> None:
    loaded = load(configuration(installed, tmp_path / "dev" / "operator.yaml"))
    assert loaded.runtime.lease.namespace == SYSTEM
    assert f"{RELEASE}-store.{SYSTEM}" in str(loaded.settings.store.endpoint)
