"""Checks and gates on a real object store: its listings, not a folder's."""

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.tasks import DataDriftTask, GateTask, PerformanceTask, WindowTask
from modelyard_drift import check as checked
from modelyard_drift.gate import gate
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from tests.unit.drift_image.world import NOW, World, features, truth

pytestmark = pytest.mark.integration


def test_a_model_that_decayed_is_found_and_replaced_by_a_better_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked, "render_html", lambda *_: "there is no Evidently here")
    world = World(tmp_path, store)
    champion, challenger = world.model("old", upside_down=0.9), world.model("new")
    for hour in range(30):
        table = features(40, seed=hour)
        wrong = ["down" if label == "up" else "up" for label in truth(table)]
        ids = world.capture(champion, table, wrong, ago=timedelta(hours=hour))
        world.label(ids, truth(table))
    task = world.check(
        champion,
        window=WindowTask(rows=300, min_rows=100),
        data_drift=DataDriftTask(),
        performance=PerformanceTask(),
        label_max_delay_seconds=60,
    )
    result = checked.check(task, Reporter(CollectorRegistry()))
    assert (result.verdict, result.rows) == ("Degraded", 300)
    assert store.get(result.report)
    judged = GateTask(
        namespace="ns",
        name="watch",
        store=store.config,
        deployment="shop",
        champion=champion,
        challenger=challenger,
        newer_than=f"{NOW - timedelta(hours=10, minutes=30):%Y-%m-%dT%H:%M:%SZ}",
        rows=300,
    )
    verdict = gate(judged, Reporter(CollectorRegistry()))
    assert (verdict.verdict, verdict.rows) == ("Promote", 440)  # of hours 0 to 10
