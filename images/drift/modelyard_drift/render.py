"""Renders an Evidently report; run as a process of its own, as it may be slow, hungry or fail.

`python -P render.py FOLDER` reads reference.parquet and window.parquet, writes report.html.
"""

import sys
from pathlib import Path

import pandas as pd


def usable(reference: pd.DataFrame, window: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The numeric and the text columns Evidently can compare: in both frames, of one kind, not empty in either."""
    shared = [c for c in reference.columns if c in window.columns]
    full = [c for c in shared if reference[c].notna().any() and window[c].notna().any()]
    numeric = [c for c in full if all(pd.api.types.is_numeric_dtype(f[c].dtype) for f in (reference, window))]
    return numeric, [c for c in full if c not in numeric]


def prepared(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers and text only: bools and times as text, infinite values as missing, as Evidently takes them."""
    made = {}
    for name, values in frame.items():
        if pd.api.types.is_bool_dtype(values.dtype) or not pd.api.types.is_numeric_dtype(values.dtype):
            made[name] = values.map(str, na_action="ignore").astype(object)
        else:
            made[name] = values.astype("float64").replace([float("inf"), float("-inf")], float("nan"))
    return pd.DataFrame(made)


def render(folder: Path) -> None:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    reference, window = (prepared(pd.read_parquet(folder / f"{name}.parquet")) for name in ("reference", "window"))
    numeric, text = usable(reference, window)
    columns = [*numeric, *text]
    if not columns:
        raise ValueError("no column has values in training and window")
    definition = DataDefinition(numerical_columns=numeric, categorical_columns=text)
    sets = [Dataset.from_pandas(frame[columns], data_definition=definition) for frame in (window, reference)]
    snapshot = Report([DataDriftPreset(drift_share=1 / len(columns))], include_tests=True).run(
        current_data=sets[0], reference_data=sets[1]
    )
    snapshot.save_html(str(folder / "report.html"))


if __name__ == "__main__":
    render(Path(sys.argv[1]))
