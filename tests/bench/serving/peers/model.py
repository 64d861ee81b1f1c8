"""The model as every peer gets it; imports only what their environments have. `native` is what their guides show, the
estimator itself; `graph` is the ONNX graph that ours serves."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PORT, PATH, FOLDER, FORM = (os.environ[f"PEER_{name}"] for name in ("PORT", "PATH", "FOLDER", "FORM"))
Predict = Callable[["np.ndarray[Any, Any]"], list[str]]  # rows x features to a class each


def load() -> Predict:
    folder = Path(FOLDER)
    if FORM == "native":
        import joblib

        # Fitted here: a fitted one cannot be read beside another numpy than it was written with.
        estimator, rows, truth = joblib.load(folder / "model.joblib")
        estimator.fit(np.array(rows), np.array(truth))
        return lambda rows: [str(label) for label in estimator.predict(rows)]
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    classes = (folder / "classes.txt").read_text().split()

    def predict(rows: "np.ndarray[Any, Any]") -> list[str]:
        best = session.run(None, {name: rows.astype(np.float32)})[-1].argmax(axis=1)
        return [classes[place] for place in best.tolist()]

    return predict


def row_of(body: dict[str, Any]) -> list[float]:
    """Of a V2 request with a tensor of one value per feature."""
    return [tensor["data"][0] for tensor in body["inputs"]]


def matrix(rows: Sequence[Sequence[float]]) -> "np.ndarray[Any, Any]":
    return np.array(rows, dtype=np.float64)


def answer(label: str) -> dict[str, Any]:
    return {"model_name": "bench", "outputs": [{"name": "predict", "datatype": "BYTES", "shape": [1], "data": [label]}]}
