"""Rows with numbers, text, bools and missing values, whose label follows from them."""

from typing import Any

import numpy as np

from modelyard.contract.manifest import Column

COLUMNS = [
    Column(name="id", type="int64", role="key"),
    Column(name="x", type="float64"),
    Column(name="loyal", type="bool"),
    Column(name="plan", type="string"),
    Column(name="churned", type="bool", role="label"),
]


def rows(count: int, seed: int) -> dict[str, list[Any]]:
    """A quarter of `x` is missing; `churned` follows from x and plan, 5 % of it by chance."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=count)
    plan = rng.choice(["basic", "pro", "team"], count)
    churned = ((x + (plan == "basic") > 0.4) ^ (rng.random(count) < 0.05)).tolist()
    return {
        "id": list(range(count)),
        "x": [None if gone else float(value) for gone, value in zip(rng.random(count) < 0.25, x, strict=True)],
        "loyal": (rng.random(count) < 0.5).tolist(),
        "plan": [None if i % 50 == 0 else str(name) for i, name in enumerate(plan)],
        "churned": churned,
    }
