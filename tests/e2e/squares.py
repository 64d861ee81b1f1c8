"""Small data with a rule that a model learns at once: is x + y above one? And the same with the rule turned round."""

from typing import Any

import numpy as np
import pandas as pd


def points(count: int, seed: int, *, flipped: bool = False, first_id: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x, y = random.uniform(size=count), random.uniform(size=count)
    above = (x + y > 1) != flipped
    return pd.DataFrame(
        {"id": np.arange(first_id, first_id + count), "x": x, "y": y, "label": np.where(above, "yes", "no")}
    )


def dataset(uri: str, **more: Any) -> dict[str, Any]:
    return {
        "sources": [{"name": "points", "uri": uri}],
        "columns": {"key": ["id"], "label": "label"},
        "expectations": [{"columns": ["id"], "unique": True}, {"column": "x", "between": [0, 1]}],
        "splits": {"strategy": "hash", "key": ["id"]},
        **more,
    }


def training(name: str, **more: Any) -> dict[str, Any]:
    return {
        "datasetRef": {"name": name},
        "recipe": {"task": "classification"},
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        **more,
    }
