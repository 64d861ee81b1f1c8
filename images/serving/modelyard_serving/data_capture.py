"""Captured rows as SageMaker's data capture writes them: JSON lines by variant and hour, as Model Monitor reads them.

One event per row, not per request: labels that come later are joined by the id of a row. Input and output are CSV
whatever protocol the request had, because one form for all is what monitors can compare. Source of the layout:
SageMaker's developer guide, "Capture data from real-time endpoint".
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import uuid4

import orjson

from modelyard_serving.records import CaptureRecord, row_id

CSV = "text/csv"


@dataclass(frozen=True)
class DataCapture:
    """Makes files of `<prefix><variant>/yyyy/mm/dd/hh/<name>.jsonl` of records of one hour.

    Features at the places `personal` are empty. Rows that got no prediction are left out: SageMaker captures answers.
    """

    prefix: str
    personal: frozenset[int] = frozenset()

    def __call__(self, name: str, records: Sequence[CaptureRecord]) -> list[tuple[str, bytes]]:
        """Paths and contents."""
        answered = sorted((r for r in records if r.prediction), key=lambda record: record.variant)
        return [
            (f"{self.prefix}{variant}/{hour:%Y/%m/%d/%H}/{name}.jsonl", b"".join(self._lines(batch)))
            for variant, found in groupby(answered, lambda record: record.variant)
            for batch in (list(found),)
            for hour in (batch[0].time,)
        ]

    def _lines(self, records: Sequence[CaptureRecord]) -> Iterator[bytes]:
        for record in records:
            values = record.prediction.values if record.prediction else []
            for row, predicted in enumerate(values):
                given = [
                    "" if place in self.personal else column[row] for place, column in enumerate(record.rows.columns)
                ]
                event = {
                    "captureData": {
                        "endpointInput": _part("INPUT", given),
                        "endpointOutput": _part("OUTPUT", [predicted]),
                    },
                    "eventMetadata": {
                        "eventId": str(uuid4()),
                        "inferenceId": row_id(record.inference_id, row, record.count),
                        "inferenceTime": f"{record.time:%Y-%m-%dT%H:%M:%SZ}",
                    },
                    "eventVersion": "0",
                }
                yield orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _part(mode: str, values: Sequence[Any]) -> dict[str, str]:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="").writerow([_cell(value) for value in values])
    return {"observedContentType": CSV, "mode": mode, "data": text.getvalue(), "encoding": "CSV"}


def _cell(value: object) -> object:
    """As `/invocations` reads it in CSV. A missing value is empty."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime | date) else value
