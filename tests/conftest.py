"""Options of the whole test run: pytest reads them from here whatever part of the tests is run."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--crash-points",
        choices=("sample", "all"),
        default="sample",
        help="at which writes of each scenario the operator is stopped: a few that are always the same, or each",
    )
