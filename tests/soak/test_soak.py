"""Three minutes of random faults, with the leader killed every 40 seconds; `make soak` is an hour of the same."""

from pathlib import Path

import pytest

from tests.soak.soak import Settings, run


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_after_random_faults_and_kills_all_is_as_if_nothing_had_failed(tmp_path: Path) -> None:
    report = run(Settings(seconds=180, kill_every=40, act_every=0.5), tmp_path)
    assert report.unsettled == []
    assert report.differences == []
    assert report.orphans == []
    assert report.duplicates == []
    assert report.objects == 200 - 10 - 5  # the groups without a monitor, and without an endpoint
    assert report.acts > 400
    assert sum(report.faults.values()) > 200
    assert report.kills >= 3
