"""The no-op model is one that serving takes, and the graph's own time is of a row of a batch."""

import math
from pathlib import Path

import pytest

from modelyard.contract.store import StoreConfig
from modelyard_kit.model import load_model
from modelyard_kit.onnx_format import OnnxModel
from modelyard_kit.store import Store
from tests.bench.serving.floor import graph_us
from tests.bench.serving.models import GRID, JOB, NAMESPACE, columns, published, rows
from tests.bench.serving.no_op import NO_OP, published_no_op


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return Store(StoreConfig(uri=f"file://{tmp_path}/store"))


def test_the_no_op_model_is_published_and_answers_its_first_feature(store: Store, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "loaded").mkdir()
    digest, _ = published_no_op(store, tmp_path / "made")
    model = load_model(store, NAMESPACE, JOB, digest, tmp_path / "loaded")
    asked = rows(NO_OP, 3)
    assert model.predict(asked).values == asked["f0"].to_pylist()
    assert model.predict_columns([asked[column.name].to_pylist() for column in columns(NO_OP)]).values == (
        asked["f0"].to_pylist()
    )


def test_a_row_of_a_batch_costs_the_graph_less_than_one_alone(store: Store, tmp_path: Path) -> None:
    _, _, graph = published(store, GRID[0], tmp_path)
    assert isinstance(graph, OnnxModel)
    alone, together = (graph_us(graph, rows(GRID[0], 3).slice(0, count)) for count in (1, 32))
    assert 0 < together < alone / 4
    assert math.isfinite(alone)


def test_graphs_with_a_column_for_each_input_are_asked_as_well(store: Store, tmp_path: Path) -> None:
    pipeline = next(model for model in GRID if model.words)
    _, _, graph = published(store, pipeline, tmp_path)
    assert graph_us(graph, rows(pipeline, 3).slice(0, 32)) > 0
