"""The identity of a build: equal inputs and equal recipe give an equal version, so there is nothing to build."""

import duckdb

from modelyard.contract.document import digest_of
from modelyard.contract.tasks import DatasetTask

WRITER = 2  # raised when this image writes other rows, splits or profiles for the same recipe


def recipe_digest(task: DatasetTask) -> str:
    """Of everything but the sources' content that decides what a version holds."""
    wire = task.wire()
    parts = ("sql", "roles", "dataSchema", "expectations", "splits", "bins", "maxCategories")
    recipe = {part: wire.get(part) for part in parts}
    recipe["sources"] = [[source.name, source.format] for source in task.sources]
    return digest_of(recipe | {"engine": f"duckdb {duckdb.__version__}", "writer": WRITER})


def build_key(inputs: str, recipe: str) -> str:
    return digest_of([inputs, recipe])
