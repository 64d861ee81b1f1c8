"""How long a run is, by the command line and the environment."""

import pytest

from tests.bench.operator.__main__ import FULL, SHORT, parser, sizes_of


@pytest.mark.parametrize(
    ("arguments", "environment", "name", "jobs", "seconds"),
    [
        ([], {}, "full", FULL.jobs, FULL.seconds),
        (["--short"], {}, "short", SHORT.jobs, SHORT.seconds),
        ([], {"SECONDS_PER_ROW": "7"}, "full", FULL.jobs, 7),
        (["--short"], {"SECONDS_PER_ROW": "7"}, "short", SHORT.jobs, 7),
    ],
)
def test_the_short_run_is_asked_for_and_seconds_per_row_is_heeded(
    arguments: list[str], environment: dict[str, str], name: str, jobs: int, seconds: float
) -> None:
    found, sizes = sizes_of(parser().parse_args(arguments), environment)
    assert (found, sizes.jobs, sizes.seconds) == (name, jobs, seconds)
