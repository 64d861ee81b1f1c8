"""The model in Triton's Python backend, which imports it by this name's copy in its repository."""

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

    def execute(self, requests: list[Any]) -> list[Any]:
        """One call for all requests of a batch."""
        given = [np.column_stack([tensor.as_numpy().ravel() for tensor in each.inputs()]) for each in requests]
        labels = self.model(np.concatenate(given))
        answers, begin = [], 0
        for rows in given:
            part = np.array(labels[begin : begin + len(rows)], dtype=object).reshape(-1, 1)
            begin += len(rows)
            answers.append(triton.InferenceResponse(output_tensors=[triton.Tensor("predict", part)]))
        return answers
