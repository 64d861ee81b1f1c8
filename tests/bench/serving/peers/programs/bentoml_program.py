"""One worker; with the graph, batches of 32. Its batches are of items: here a request's tensors, of which the first
gets the answer, so that the body is the same as everybody's. Run by `bentoml serve`."""

from typing import Any

import bentoml

from tests.bench.serving.peers.model import FORM, PATH, answer, load, matrix, row_of

QUIET = {"access": {"enabled": False}}


@bentoml.service(workers=1, logging=QUIET)
class Native:
    def __init__(self) -> None:
        self.model = load()

    @bentoml.api(route=PATH)
    def infer(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        return answer(self.model(matrix([row_of({"inputs": inputs})]))[0])


@bentoml.service(workers=1, logging=QUIET)
class Graph:
    def __init__(self) -> None:
        self.model = load()

    @bentoml.api(route=PATH, batchable=True, max_batch_size=640)
    def infer(self, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [tensor["name"] for tensor in inputs]
        width = names.index(names[0], 1) if names[0] in names[1:] else len(names)
        requests = [inputs[begin : begin + width] for begin in range(0, len(inputs), width)]
        labels = self.model(matrix([row_of({"inputs": one}) for one in requests]))
        return [part for label in labels for part in (answer(label), *[{}] * (width - 1))]


Served = Native if FORM == "native" else Graph
