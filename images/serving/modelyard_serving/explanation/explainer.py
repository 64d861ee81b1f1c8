"""Explains rows of one model by the exact method where it fits, else by sampling."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.contract.tasks import ServeTask
from modelyard_kit.model import LoadedModel, Prediction, fetch_model
from modelyard_kit.store import Store
from modelyard_serving.errors import RequestError
from modelyard_serving.explanation.attribution import Attribution, Floats, UnfitError
from modelyard_serving.explanation.background import Columns, background
from modelyard_serving.explanation.budget import Budget
from modelyard_serving.explanation.options import Method
from modelyard_serving.explanation.permutation import Masks, Places, permutation_shapley
from modelyard_serving.rows import Rows


@dataclass(frozen=True)
class Explained:
    """`scale` is what values and attributions are in: value, probability, log-odds, or membership (1 for the class that
    is predicted) of a model without probabilities. One Attribution per row; its columns are the manifest's features."""

    method: str
    scale: str
    outputs: Sequence[str]
    predictions: Sequence[str] | Sequence[float]
    rows: Sequence[Attribution]


class Explainer:
    """Blocks: for a thread that may. Raises the store's errors, or RequestError 501 without a sample."""

    def __init__(self, store: Store, task: ServeTask, model: LoadedModel) -> None:
        self._model = model
        self._sample: Columns = background(store, model.manifest)
        self.outputs = model.manifest.classes or [model.manifest.label.name]
        self._trees, self._unfit = self._exact(store, task)

    def explain(self, rows: Rows, method: Method, budget: Budget) -> Explained:
        """Raises RequestError 400 for a method that does not fit, StoppedError."""
        if method == "tree_shap" and self._trees is None:
            raise RequestError(400, f"parameters.method tree_shap does not fit this model: {self._unfit}; use auto")
        exact = self._trees is not None and method != "permutation"
        prediction = self._model.predict_columns(rows.columns)
        values, scale = outputs_of(prediction, self._model)
        found = self._exactly(rows, budget) if exact else self._sampled(rows, values, budget)
        return Explained(
            "tree_shap" if exact else "permutation",
            self._trees.scale if exact and self._trees else scale,
            self.outputs,
            prediction.values,
            list(found),
        )

    def _exactly(self, rows: Rows, budget: Budget) -> Iterator[Attribution]:
        assert self._trees is not None  # noqa: S101 - the caller has looked
        for row in self._trees.encoded(rows.columns):
            budget.begin_row()
            yield self._trees.attribute(row, budget)

    def _sampled(self, rows: Rows, values: Floats, budget: Budget) -> Iterator[Attribution]:
        """The same request gets the same answer, unless its time was up."""
        sample = [np.array(values, dtype=object) for values in self._sample]
        for number in range(rows.count):
            row = [column[number] for column in rows.columns]

            def ask(masks: Masks, places: Places, row: list[Any] = row) -> Floats:
                mixed = [
                    np.where(masks[:, at], np.array([value], dtype=object), sample[at][places]).tolist()
                    for at, value in enumerate(row)
                ]
                return outputs_of(self._model.predict_columns(mixed), self._model)[0]

            budget.begin_row()
            yield permutation_shapley(
                ask, values[number], len(row), len(sample[0]), budget, np.random.default_rng(number)
            )

    def _exact(self, store: Store, task: ServeTask) -> Any:
        """The graph is fetched again: a server that is never asked for explanations need not keep it."""
        if self._model.manifest.format != "onnx":
            return None, f"it is served as {self._model.manifest.format}, not as a graph of trees"
        from modelyard_kit.onnx_format import OnnxModel
        from modelyard_serving.explanation.tree_model import TreeModel

        assert isinstance(self._model, OnnxModel)  # noqa: S101 - by its format
        answers, _ = outputs_of(self._model.predict_columns(self._sample), self._model)
        with tempfile.TemporaryDirectory() as folder:
            _, path = fetch_model(store, task.namespace, task.training_job, task.model_digest, Path(folder))
            try:
                return TreeModel(path, self._model, self._sample, answers), ""
            except UnfitError as error:
                return None, str(error)


def outputs_of(prediction: Prediction, model: LoadedModel) -> tuple[Floats, str]:
    """[rows, outputs], and their scale."""
    if model.manifest.task == "regression":
        return np.array(prediction.values, dtype=np.float64)[:, None], "value"
    if prediction.probabilities is not None:
        return prediction.probabilities, "probability"
    found = np.array(prediction.values)[:, None] == np.array(model.manifest.classes)
    return found.astype(np.float64), "membership"
