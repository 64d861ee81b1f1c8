"""The model in Triton's Python backend, which imports it by this name's copy in its repository."""

import json
import os
import sys
from typing import Any

sys.path[:0] = os.environ["PEER_PACKAGES"].split(os.pathsep)  # Triton's Python does not look at PYTHONPATH

import numpy as np  # noqa: E402
import triton_python_backend_utils as triton  # type: ignore[import-not-found]  # noqa: E402

from tests.bench.serving.peers.model import load  # noqa: E402


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.model = load()
        self.names = [given["name"] for given in json.loads(args["model_config"])["input"]]

    def execute(self, requests: list[Any]) -> list[Any]:
        """One call for all requests of a batch."""
        given = [self._rows(each) for each in requests]
        labels = self.model(np.concatenate(given))
        answers, begin = [], 0
        for rows in given:
            part = np.array(labels[begin : begin + len(rows)], dtype=object).reshape(-1, 1)
            begin += len(rows)
            answers.append(triton.InferenceResponse(output_tensors=[triton.Tensor("predict", part)]))
        return answers

    def _rows(self, request: Any) -> "np.ndarray[Any, Any]":
        """Triton has the inputs in an order of its own."""
        tensors = [triton.get_input_tensor_by_name(request, name).as_numpy() for name in self.names]
        return np.column_stack([tensor.ravel() for tensor in tensors])
