"""A statistical summary of a dataset's columns on fixed bin edges: the baseline drift is measured against."""

from typing import Literal

from modelyard.contract.document import Document
from modelyard.contract.manifest import ColumnType


class NumericProfile(Document):
    """`counts` has len(edges) + 1 entries: underflow, one per bin, overflow. Bins are [edge i, edge i+1)."""

    min: float | None = None
    max: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: dict[str, float] = {}  # "0.01" ... "0.99"
    edges: list[float] = []
    counts: list[int] = []


class CategoricalProfile(Document):
    top: dict[str, int] = {}
    other: int = 0
    distinct: int = 0


class ColumnProfile(Document):
    name: str
    type: ColumnType
    kind: Literal["numeric", "categorical"]
    count: int  # rows, nulls included
    nulls: int
    numeric: NumericProfile | None = None
    categorical: CategoricalProfile | None = None


class Profile(Document):
    """`rows` is the number of rows seen. Edges are stored once and never recomputed."""

    rows: int
    columns: list[ColumnProfile]
    sample_digest: str | None = None  # a blob: Parquet of up to 5,000 rows, for tests that need rows
