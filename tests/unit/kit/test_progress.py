"""The management port of a pod."""

import httpx
import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.progress import Progress
from modelyard_kit.progress import ProgressServer, Reporter


def test_progress_and_metrics_are_served_and_nothing_else() -> None:
    reporter = Reporter(CollectorRegistry())
    with ProgressServer(reporter, host="127.0.0.1", port=0) as server:
        url = f"http://127.0.0.1:{server.port}"
        reporter.report("Training", 40, "epoch 2 of 5", {"loss": 0.5})
        answer = httpx.get(f"{url}/progress")
        expected = Progress(stage="Training", percent=40, message="epoch 2 of 5", metrics={"loss": 0.5})
        assert Progress.model_validate_json(answer.content) == expected
        metrics = httpx.get(f"{url}/metrics").text
        assert "modelyard_task_percent 40.0" in metrics
        assert 'modelyard_task_metric{name="loss"} 0.5' in metrics
        assert httpx.get(f"{url}/anything").status_code == 404
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/progress")


def test_metrics_stay_until_they_are_replaced() -> None:
    reporter = Reporter(CollectorRegistry())
    reporter.report("Training", 10, metrics={"loss": 1.0})
    reporter.report("Training", 20)
    assert reporter.current.metrics == {"loss": 1.0}
