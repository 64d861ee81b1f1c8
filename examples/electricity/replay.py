"""Plays weeks of the market against the endpoint as if they happened now; runs as a pod in the cluster.

For each day: ask for predictions, then post the truth of the day before. For each week: add its file to the lake.
Usage: replay.py URL FIRST_WEEK LAST_WEEK [ROWS_PER_REQUEST] [PAUSE_SECONDS]
"""

import io
import json
import os
import sys
import time
from typing import Any

import httpx
import obstore
import pyarrow as pa
import pyarrow.parquet as pq
from obstore.store import S3Store

FEATURES = ["period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"]
DAY = 48


def bucket() -> S3Store:
    endpoint = os.environ["STORE_ENDPOINT"]
    return S3Store(
        "examples",
        endpoint=endpoint,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": endpoint.startswith("http://")},
    )


def request_body(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A V2 inference request: one tensor per column; its id makes every row's label joinable."""
    tensors = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": [row[name] for row in rows]}
        for name in FEATURES
    ]
    return {"id": f"half-hour-{rows[0]['id']}", "inputs": tensors}


def inference_ids(rows: list[dict[str, Any]]) -> list[str]:
    """The ids under which the rows of a request are captured."""
    request = f"half-hour-{rows[0]['id']}"
    return [request] if len(rows) == 1 else [f"{request}/{i}" for i in range(len(rows))]


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST, again on refused connections and 503: what any client of a rolling service does."""
    for attempt in range(30):
        try:
            answer = client.post(path, json=body)
            if answer.status_code != 503:
                answer.raise_for_status()
                return dict(answer.json())
        except httpx.TransportError:
            if attempt == 29:
                raise
        time.sleep(0.5)
    raise RuntimeError(f"{path} is not available")


def play_day(client: httpx.Client, rows: list[dict[str, Any]], per_request: int, pause: float) -> list[dict[str, Any]]:
    """Predictions for a day; returns its labels, to be posted later. Prints right and asked rows."""
    labels: list[dict[str, Any]] = []
    right = 0
    for start in range(0, len(rows), per_request):
        part = rows[start : start + per_request]
        answer = post(client, "/v2/models/electricity/infer", request_body(part))
        predicted = next(o["data"] for o in answer["outputs"] if o["name"] == "predict")
        right += sum(str(p) == str(row["price_up"]) for p, row in zip(predicted, part, strict=True))
        labels += [
            {"inference_id": i, "label": str(row["price_up"])} for i, row in zip(inference_ids(part), part, strict=True)
        ]
        time.sleep(pause)
    print(json.dumps({"rows": len(rows), "right": right}), flush=True)
    return labels


def main(url: str, first: int, last: int, per_request: int = DAY, pause: float = 0.0) -> None:
    store = bucket()
    late: list[dict[str, Any]] = []
    with httpx.Client(base_url=url, timeout=30) as client:
        for week in range(first, last + 1):
            data = obstore.get(store, f"future/week-{week:03d}.parquet").bytes()
            rows = pq.read_table(pa.BufferReader(bytes(data))).to_pylist()
            for start in range(0, len(rows), DAY):
                labels = play_day(client, rows[start : start + DAY], per_request, pause)
                if late:
                    post(client, "/v2/models/electricity/feedback", {"labels": late})
                late = labels
            obstore.put(store, f"electricity/week-{week:03d}.parquet", io.BytesIO(bytes(data)))
            print(json.dumps({"week": week}), flush=True)
        post(client, "/v2/models/electricity/feedback", {"labels": late})


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(
        arguments[0],
        int(arguments[1]),
        int(arguments[2]),
        *(int(a) for a in arguments[3:4]),
        *(float(a) for a in arguments[4:5]),
    )
