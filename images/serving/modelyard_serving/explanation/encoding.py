"""Which of the model's columns each column that a graph's trees see was made of.

Known are the operators that converters write for imputers, scalers, encoders and what puts columns side by side.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx

from modelyard_serving.explanation.attribution import UnfitError, Vector

Owners = list[int]  # of each column of a tensor, counted without its first axis: the place of the model's column
ALIKE = frozenset(  # a column is made of the column at its place, and constants
    ("Identity", "Cast", "Imputer", "Scaler", "IsNaN", "Not", "Where", "Add", "Sub", "Mul", "Div", "LabelEncoder")
)


def constants(graph: onnx.GraphProto) -> dict[str, Vector]:
    found = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    return found


def owners(nodes: Sequence[onnx.NodeProto], known: Mapping[str, Vector], inputs: Mapping[str, Owners]) -> Owners:
    """Of the output of the last of `nodes`, which are in their graph's order. Raises UnfitError for what mixes columns,
    or is not known."""
    found = dict(inputs)
    for node in nodes:
        if node.op_type != "Constant":
            found[node.output[0]] = _of(node, known, [found[name] for name in node.input if name in found])
    return found[nodes[-1].output[0]]


def _of(node: onnx.NodeProto, known: Mapping[str, Vector], given: Sequence[Owners]) -> Owners:
    options = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    if node.op_type in ALIKE and given and all(each == given[0] for each in given):
        return given[0]
    if node.op_type == "FeatureVectorizer" or (node.op_type == "Concat" and options["axis"] in (1, -1)):
        if len(given) == len(node.input):
            return [owner for each in given for owner in each]
    elif (
        node.op_type == "ArrayFeatureExtractor" or (node.op_type == "Gather" and options.get("axis") in (1, -1))
    ) and node.input[1] in known:
        return [given[0][place] for place in known[node.input[1]].ravel().tolist()]
    elif node.op_type == "OneHotEncoder":
        words = options.get("cats_strings") or options.get("cats_int64s") or []
        return [owner for owner in given[0] for _ in words]
    elif node.op_type == "Reshape" and node.input[1] in known:
        shape = known[node.input[1]].tolist()
        if shape[0] in (-1, 0) and (-1 in shape[1:] or int(np.prod(shape[1:])) == len(given[0])):
            return given[0]
    raise UnfitError(f"its graph has {node.op_type} before the trees")
