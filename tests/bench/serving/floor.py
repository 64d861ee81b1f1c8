"""What a request cannot cost less than: an echo of its bytes, and its share of the model's own time in a batch."""

import statistics
import time

import pyarrow as pa

from modelyard_kit.onnx_format import OnnxModel, of_table

CALLS = 200


def graph_us(graph: OnnxModel, rows: pa.Table) -> float:
    """CPU-µs for a row of the bare session, asked for all `rows` at once: the median of many calls of this thread.

    Inputs are ready-made arrays and outputs are left as they are: what serving adds to both is not in it.
    """
    given = graph.fed([of_table(rows[column.name], column) for column in graph.manifest.features])
    times: list[int] = []
    for _ in range(CALLS):
        begun = time.thread_time_ns()
        graph.session.run(None, given)
        times.append(time.thread_time_ns() - begun)
    return float(statistics.median(times) / 1000 / rows.num_rows)
