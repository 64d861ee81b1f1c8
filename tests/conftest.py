"""Options of the whole test run: pytest reads them from here whatever part of the tests is run."""

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # what is slow is found by benchmarks, not by a busy machine
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--crash-points",
        choices=("sample", "all"),
        default="sample",
        help="at which writes of each scenario the operator is stopped: a few that are always the same, or each",
    )
