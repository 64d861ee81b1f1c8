"""Asks the model without keeping probes waiting: at once while it is fast, in one worker thread while it is slow."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from modelyard_kit.model import LoadedModel, Prediction
from modelyard_serving.rows import Rows

INLINE_SECONDS = 0.005  # a probe may wait so long; below it the hop to a thread costs more than it gives
INLINE_ROWS = 256
WEIGHT = 0.2  # of the newest measurement in the moving average


class Predictor:
    """Answers `Prediction` per `Rows`, in their order. The model's own errors pass through."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self._seconds = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predict")

    @property
    def inline(self) -> bool:
        return self._seconds < INLINE_SECONDS

    async def predict(self, rows: Rows) -> Prediction:
        if self.inline and rows.count <= INLINE_ROWS:
            return self.predict_now(rows)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.predict_now, rows)

    def predict_now(self, rows: Rows) -> Prediction:
        started = time.perf_counter()
        prediction = self.model.predict(rows.frame(self.model.manifest.features))
        if len(prediction.values) != rows.count:
            raise ValueError(f"the model answered {len(prediction.values)} rows for {rows.count}")
        self._seconds += WEIGHT * (time.perf_counter() - started - self._seconds)
        return prediction
