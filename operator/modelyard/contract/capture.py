"""One captured request row: joined and typed, read by the drift monitor as it was written by the server."""

import zlib

FEATURE_PREFIX = "f:"  # a feature's column, so that it can never collide with the columns below
PREDICTION = "prediction"  # string for a classifier's class, float64 for a regression
SCORE = "score"  # float64: probability of the predicted class; null for a regression
META = ("inference_id", "time", "revision", "variant", "model_digest", "status", "latency_ms")
# inference_id string, time timestamp[us, UTC], revision string, variant string ("stable" or "candidate"),
# model_digest string, status int32 (HTTP), latency_ms float64.
# One row per predicted row: row i of a request of n > 1 rows has the id "<request id>/<i>".

LABEL_COLUMNS = ("inference_id", "time", "label")  # label: string; the reader casts it to the label's type


def sampled(inference_id: str, percent: int) -> bool:
    """Whether a request is captured: by hash of its id, so every revision decides alike."""
    if percent <= 0:
        return False
    return zlib.crc32(inference_id.encode()) % 100 < percent  # every request pays for it: SHA-256 costs four times that
