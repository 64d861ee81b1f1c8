"""Metrics in documents: each exists, and each that exists is explained."""

import re
from pathlib import Path

import pytest

from tests.unit.chart.series import of_operator, of_pods, of_process
from tests.unit.docs.documents import DOCUMENTS, ROOT, name

KNOWN = of_operator() | of_pods()
SAMPLES = {sample for samples in KNOWN.values() for sample in samples} | set(KNOWN) | of_process()
METRIC = re.compile(r"`((?:modelyard|workqueue|controller_runtime|rest_client|leader_election|process)_[a-z_]+)[`{\[]")
PACKAGES = ("modelyard_kit", "modelyard_dataset", "modelyard_training", "modelyard_serving", "modelyard_drift")
OURS = {"modelyard_dev_kind"}  # a label that the PodMonitor gives


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_metrics_in_documents_exist(document: Path) -> None:
    named = {each for each in METRIC.findall(document.read_text()) if not each.startswith(PACKAGES)}
    assert named - OURS <= SAMPLES


def test_every_metric_is_explained() -> None:
    text = (ROOT / "docs" / "how-to" / "monitor-the-operator.md").read_text()
    assert sorted(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == sorted(KNOWN)
