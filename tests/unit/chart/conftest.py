"""The two Helm generations people use."""

import pytest

from tests.cluster import build
from tests.unit.chart.rendering import CASES, Helm, Rendered


@pytest.fixture(scope="session", params=["helm", "helm3"])
def helm(request: pytest.FixtureRequest) -> Helm:
    return Helm(build.program(request.param))


@pytest.fixture(params=CASES)
def rendered(request: pytest.FixtureRequest, helm: Helm) -> Rendered:
    """The chart under each case of values and each Helm."""
    return helm.template(CASES[request.param])
