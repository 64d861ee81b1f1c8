"""What a request cannot cost less than: an echo of its bytes, and its share of the model's own time in a batch."""

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from modelyard.contract.manifest import Column
from modelyard_kit.onnx_format import OnnxModel, of_table

CALLS = 200


def graph_us(graph: OnnxModel, rows: pa.Table) -> float:
    """CPU-µs for a row of the bare session, asked for all `rows` at once: the median of many calls of this thread.

    Inputs are ready-made arrays and outputs are left as they are: what serving adds to both is not in it.
    """
    given = _inputs(graph, rows, graph.manifest.features)
    times: list[int] = []
    for _ in range(CALLS):
        begun = time.thread_time_ns()
        graph.session.run(None, given)
        times.append(time.thread_time_ns() - begun)
    return float(statistics.median(times) / 1000 / rows.num_rows)


def _inputs(graph: OnnxModel, rows: pa.Table, columns: Sequence[Column]) -> dict[str, Any]:
    """One matrix, or a column for each input."""
    vectors = [of_table(rows[column.name], column) for column in columns]
    names = [given.name for given in graph.session.get_inputs()]
    if len(names) == 1:
        return {names[0]: np.column_stack(vectors)}
    return {name: vector.reshape(-1, 1) for name, vector in zip(names, vectors, strict=True)}
