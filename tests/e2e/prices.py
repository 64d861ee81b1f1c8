"""Data for own containers: prices that are high between 20 and 100, with a text column that misses values."""

from typing import Any

import numpy as np
import pandas as pd


def prices(count: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    price = random.uniform(0, 200, size=count)
    return pd.DataFrame(
        {
            "id": np.arange(count),
            "price": price,
            "region": random.choice(np.array(["north", "south", "west", None], dtype=object), size=count),
            "hour": random.integers(0, 24, size=count),
            "label": np.where((price >= 20) & (price < 100), "high", "low"),
        }
    )


def dataset(uri: str) -> dict[str, Any]:
    return {
        "sources": [{"name": "prices", "uri": uri}],
        "columns": {"key": ["id"], "label": "label"},
        "splits": {"strategy": "hash", "key": ["id"]},
    }


def body(rows: pd.DataFrame) -> dict[str, Any]:
    """A request of V2."""
    kinds = {"price": "FP64", "region": "BYTES", "hour": "INT64"}
    found = rows.astype(object).where(rows.notna(), None)
    return {
        "inputs": [
            {"name": name, "shape": [len(rows)], "datatype": kind, "data": found[name].tolist()}
            for name, kind in kinds.items()
        ]
    }
