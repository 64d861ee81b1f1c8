"""Asks the model without keeping probes waiting, and for several requests at once."""

import asyncio

from modelyard_kit.model import LoadedModel, Prediction
from modelyard_serving.batching import Batcher, Observe, Receiver
from modelyard_serving.learning import Learned
from modelyard_serving.rows import Rows


class Predictor:
    """Answers `Prediction` per `Rows`, in their order. The model's own errors pass through."""

    def __init__(self, model: LoadedModel, learned: Learned | None = None) -> None:
        self.model = model
        self._batcher = Batcher(self._ask, learned or Learned())

    def tell(self, observe: Observe) -> None:
        """From now on `observe` gets how long each batch took in the model, and of how many requests it was."""
        self._batcher.observe = observe

    def predict(self, rows: Rows) -> "asyncio.Future[Prediction]":
        return self._batcher.predict(rows)

    def predict_for(self, receiver: Receiver, rows: Rows) -> None:
        self._batcher.predict_for(receiver, rows)

    def predict_now(self, rows: Rows) -> Prediction:
        """Blocks; for what is asked before there are requests."""
        return self._batcher.ask(rows)

    def _ask(self, rows: Rows) -> Prediction:
        prediction = self.model.predict_columns(rows.columns)
        if len(prediction.values) != rows.count:
            raise ValueError(f"the model answered {len(prediction.values)} rows for {rows.count}")
        return prediction
