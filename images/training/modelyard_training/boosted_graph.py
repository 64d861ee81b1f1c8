"""Models of XGBoost and LightGBM as ONNX graphs, by onnxmltools; whether they answer alike is for the gate to say."""

import warnings

from onnxmltools.convert.common.data_types import FloatTensorType

from modelyard_kit.boosted import BoostedModel

TARGET = 15  # the newest that onnxmltools knows


def boosted_graph(model: BoostedModel) -> bytes:
    """The graph takes the features as one matrix. Raises whatever the converter does."""
    inputs = [("features", FloatTensorType([None, len(model.manifest.features)]))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if model.manifest.format == "xgboost":
            from onnxmltools import convert_xgboost

            unnamed = model.booster.copy()
            unnamed.feature_names = None  # the converter takes f0, f1, ... only
            graph = convert_xgboost(unnamed, initial_types=inputs, target_opset=TARGET)
        else:
            from onnxmltools import convert_lightgbm

            graph = convert_lightgbm(model.booster, initial_types=inputs, target_opset=TARGET, zipmap=False)
    found: bytes = graph.SerializeToString()
    return found
