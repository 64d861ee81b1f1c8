"""The folders of SageMaker's training contract, below /opt/ml: data by channel, configuration, model, output.

Channels are train, validation and test, as Parquet; the parameter channel_format: csv writes CSV instead.
SAGEMAKER_BASE_DIR moves /opt/ml, as in SageMaker's own toolkit.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure
from modelyard_training.splits import Splits

FORMAT_PARAMETER = "channel_format"
Format = Literal["parquet", "csv"]
CONTENT_TYPES: Mapping[Format, str] = {"parquet": "application/x-parquet", "csv": "text/csv"}
HOST = "algo-1"


@dataclass(frozen=True)
class Layout:
    base: Path

    @property
    def code(self) -> Path:
        return self.base / "code"

    @property
    def config(self) -> Path:
        return self.base / "input" / "config"

    @property
    def data(self) -> Path:
        return self.base / "input" / "data"

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def output(self) -> Path:
        return self.base / "output"

    @property
    def failure(self) -> Path:
        """Where a script may say why it failed."""
        return self.output / "failure"


def layout_of_environment() -> Layout:
    return Layout(Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")))


def channel_format(parameters: Mapping[str, str]) -> Format:
    match parameters.get(FORMAT_PARAMETER, "parquet"):
        case "parquet":
            return "parquet"
        case "csv":
            return "csv"
        case other:
            raise UserFailure(Reason.USER_ERROR, f"spec.parameters.{FORMAT_PARAMETER} = {other!r}: use parquet or csv")


def prepare(layout: Layout, splits: Splits, hyperparameters: Mapping[str, str], form: Format) -> list[str]:
    """Writes data and configuration for the script; leftovers of an earlier attempt go. Returns the channels."""
    for folder in (layout.data, layout.model, layout.output):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (layout.model, layout.output / "data", layout.config):
        folder.mkdir(parents=True, exist_ok=True)
    tables = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    channels = {name: table for name, table in tables.items() if table.num_rows}
    for name, table in channels.items():
        _write(table, layout.data / name, form)
    channel = {
        "ContentType": CONTENT_TYPES[form],
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    documents = {
        "hyperparameters": dict(hyperparameters),
        "inputdataconfig": dict.fromkeys(channels, channel),
        "resourceconfig": resources(),
    }
    for name, document in documents.items():
        (layout.config / f"{name}.json").write_text(json.dumps(document, sort_keys=True))
    return list(channels)


def resources() -> dict[str, object]:
    return {"current_host": HOST, "hosts": [HOST], "network_interface_name": "eth0"}


def _write(table: pa.Table, folder: Path, form: Format) -> None:
    folder.mkdir(parents=True)
    if form == "csv":
        pa_csv.write_csv(table, folder / "part-0000.csv")
    else:
        pq.write_table(table, folder / "part-0000.parquet")
