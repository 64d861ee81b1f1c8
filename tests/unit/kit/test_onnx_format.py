"""ONNX graphs: they answer as tables ask, and what could loop or read other files is refused before it is loaded."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from modelyard.contract.manifest import Column, ColumnType
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import TaskFailure
from modelyard_kit.onnx_format import FILE, load, of_table, of_values
from modelyard_kit.tabular import columns_table, in_float32
from tests.unit.kit.frames import table_of
from tests.unit.kit.manifests import bare_manifest

FEATURES = [Column(name="x", type="float64"), Column(name="y", type="int64")]
LABEL = Column(name="z", type="float64", role="label")
MANIFEST = bare_manifest(FEATURES, format="onnx", task="regression", label=LABEL)


def graph(*nodes: Any, initializers: Any = ()) -> onnx.ModelProto:
    """Of the matrix `features` to `out`."""
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 2])
    told = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    made = helper.make_graph(list(nodes), "g", [given], [told], initializer=list(initializers))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def summing() -> onnx.ModelProto:
    axes = numpy_helper.from_array(np.array([1]), "axes")
    return graph(helper.make_node("ReduceSum", ["features", "axes"], ["out"]), initializers=[axes])


def saved(folder: Path, data: bytes) -> Path:
    path = folder / FILE
    path.write_bytes(data)
    return path


def test_a_matrix_holds_the_features_in_the_manifests_order_and_missing_ones_as_nan(tmp_path: Path) -> None:
    model = load(saved(tmp_path, summing().SerializeToString()), MANIFEST)
    prediction = model.predict(table_of({"y": [10, 20, None], "x": [1.0, 2.5, 3.0]}, [FEATURES[1], FEATURES[0]]))
    assert prediction.values[:2] == [11.0, 22.5]
    assert np.isnan(prediction.values[2])
    assert prediction.scores is None


VALUES: dict[ColumnType, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(-1e300, 1e300),
    "string": st.text(max_size=5),
    "timestamp": st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    "date": st.dates(date(1900, 1, 1), date(2200, 1, 1)),
}


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@given(st.data())
def test_plain_values_and_a_table_of_them_are_the_same_inputs(data: st.DataObject) -> None:
    for kind, one in VALUES.items():
        column = Column(name="c", type=kind)
        values = data.draw(st.lists(st.none() | one, min_size=1, max_size=5))
        table = columns_table([values], [column])
        assert np.array_equal(of_values(values, column), of_table(table["c"], column), equal_nan=kind != "string")


def looping() -> onnx.ModelProto:
    body = helper.make_graph([], "body", [], [])
    return graph(helper.make_node("Loop", ["", "", "features"], ["out"], body=body))


def nested() -> onnx.ModelProto:
    inner = helper.make_graph([], "inner", [], [])
    return graph(helper.make_node("SequenceMap", ["features"], ["out"], body=inner))


def foreign() -> onnx.ModelProto:
    return graph(helper.make_node("Anything", ["features"], ["out"], domain="com.example"))


def external() -> onnx.ModelProto:
    model = summing()
    (axes,) = model.graph.initializer
    axes.data_location = TensorProto.EXTERNAL
    axes.external_data.add(key="location", value="../secret")
    return model


def with_functions() -> onnx.ModelProto:
    model = summing()
    inner = helper.make_node("Identity", ["a"], ["b"])
    opset = [helper.make_opsetid("", 21)]
    model.functions.append(helper.make_function("d", "f", ["a"], ["b"], [inner], opset))
    return model


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (looping, "Loop"),
        (nested, "SequenceMap"),
        (foreign, "domain com.example"),
        (external, "data in other files"),
        (with_functions, "functions"),
    ],
)
def test_what_could_loop_or_reach_out_is_refused_by_name(
    make: Callable[[], onnx.ModelProto], named: str, tmp_path: Path
) -> None:
    with pytest.raises(TaskFailure, match=named) as refused:
        load(saved(tmp_path, make().SerializeToString()), MANIFEST)
    assert refused.value.reason == Reason.UNSAFE_MODEL


def test_what_is_no_graph_is_corrupt(tmp_path: Path) -> None:
    whole = summing().SerializeToString()
    for data in (b"", b"\x80\x04\x95pickle", whole[: len(whole) // 2], graph().SerializeToString()):
        with pytest.raises(TaskFailure) as refused:
            load(saved(tmp_path, data), MANIFEST)
        assert refused.value.reason in (Reason.CORRUPT, Reason.UNSAFE_MODEL)


def test_a_graph_of_other_inputs_is_corrupt(tmp_path: Path) -> None:
    three = MANIFEST.model_copy(update={"features": [*FEATURES, Column(name="w", type="float64")]})
    with pytest.raises(TaskFailure, match="does not take the features"):
        load(saved(tmp_path, summing().SerializeToString()), three)


def test_numbers_beyond_float32_are_the_largest_it_has() -> None:
    largest = np.finfo(np.float32).max
    found = in_float32([[1e300, -1e300, 1.5], [None, 0.0, 2.5]])
    assert np.array_equal(found, np.array([[largest, -largest, 1.5], [np.nan, 0.0, 2.5]], np.float32), equal_nan=True)
