"""The model server under a steady load for minutes: no request fails, and memory stays where it is.

SERVER_SECONDS in the environment makes it longer (default: 180).
"""

import os
from pathlib import Path

import pytest

from modelyard.contract.store import StoreConfig
from modelyard_kit.store import Store
from tests.bench.serving.models import GRID, columns, published, rows
from tests.bench.serving.ours import ours_running
from tests.bench.serving.payloads import SEED, V2_JSON
from tests.bench.serving.process import load

SECONDS = float(os.environ.get("SERVER_SECONDS", "180"))
SHARE = 0.7  # of what the server can do
CONNECTIONS = 32
GROWTH_MB = 10.0


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
def test_a_server_at_seventy_percent_fails_nothing_and_does_not_grow(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    store = Store(StoreConfig(uri=f"file://{tmp_path}/store"))
    digest, _, _ = published(store, GRID[0], tmp_path)
    sent = V2_JSON.request(rows(GRID[0], SEED).slice(0, 1), columns(GRID[0]), tmp_path)
    with ours_running(store, digest, tmp_path, capture_percent=10) as server:
        rate = SHARE * load(server.port, sent, CONNECTIONS, 5).requests / 5
        load(server.port, sent, CONNECTIONS, 30, rate)  # buffers of captured rows have been written once
        before = server.pss_mb()
        made = load(server.port, sent, CONNECTIONS, SECONDS, rate)
        growth = server.pss_mb() - before
    print(f"{made.requests} requests, {rate:.0f} a second, p99 {made.p99_ms} ms, {growth:+.1f} MB from {before:.0f} MB")
    assert made.errors == 0
    assert growth < GROWTH_MB
