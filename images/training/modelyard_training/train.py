"""The training task from the pinned version to the published model."""

import logging
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from modelyard.contract.reasons import Reason
from modelyard.contract.results import TrainResult
from modelyard.contract.tasks import TrainTask
from modelyard_kit import tabular
from modelyard_kit.failure import UserFailure
from modelyard_kit.model import LoadedModel
from modelyard_kit.onnx_format import FILE
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from modelyard_training.by_recipe import train_by_recipe
from modelyard_training.by_script import train_by_script
from modelyard_training.export import NoExportError, export
from modelyard_training.layout import layout_of_environment
from modelyard_training.measure import measure
from modelyard_training.publish import publish
from modelyard_training.seal import seal_process
from modelyard_training.splits import Splits, load_splits
from modelyard_training.trained import Trained

log = logging.getLogger(__name__)


def train(task: TrainTask, reporter: Reporter) -> TrainResult:
    """Does the task. Raises TaskFailure; a second attempt repeats everything."""
    started = time.monotonic()
    store = Store(task.store)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reporter.report("Downloading", 5, f"dataset {task.dataset_name} {task.dataset_digest}")
        dataset = tabular.load_manifest(store, task.namespace, task.dataset_name, task.dataset_digest)
        splits = load_splits(store, dataset, folder, task.seed)
        reporter.report("Training", 20, f"{splits.train.num_rows} rows, {len(splits.features)} features")
        trained = _trained(task, splits, folder, reporter)
        native = trained.loaded(task, splits, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        reporter.report("Exporting", 70, "as an ONNX graph")
        model = _served(native, splits, folder)
        reporter.report("Measuring", 75, f"on {splits.measured_on}")
        metrics = measure(model, splits.test)
        reporter.report("Publishing", 85, f"measured on {splits.measured_on}", metrics)
        files = [trained.path, folder / FILE] if model.manifest.format == "onnx" else [trained.path]
        digest, manifest = publish(store, task, files, model, splits, metrics)
    reporter.report("Done", 100, f"published {digest}", metrics)
    return TrainResult(
        model_digest=digest,
        format=manifest.format,
        metrics=metrics,
        profile_digest=manifest.profile_digest,
        train_rows=splits.train.num_rows,
        test_rows=splits.test.num_rows,
        bytes=sum(file.bytes for file in manifest.files),
        seconds=round(time.monotonic() - started, 3),
    )


def _served(native: LoadedModel, splits: Splits, folder: Path) -> LoadedModel:
    """The graph where it answers as the native model does."""
    try:
        exported = export(native, splits.train, splits.test, folder)
    except NoExportError as reason:
        log.info("the native model serves: as ONNX, %s", reason)
        return replace(native, manifest=native.manifest.model_copy(update={"not_served": {"onnx": str(reason)}}))
    beside: dict[str, str] = {native.manifest.format: "the ONNX graph gives the same answers for less CPU"}
    return replace(exported, manifest=exported.manifest.model_copy(update={"not_served": beside}))


def _trained(task: TrainTask, splits: Splits, folder: Path, reporter: Reporter) -> Trained:
    if task.recipe is not None:
        return train_by_recipe(task, splits, folder)
    if task.entry_point is None:
        raise UserFailure(Reason.CONFIG_ERROR, "the task names neither spec.recipe nor spec.script: set one of them")
    seal_process()
    return train_by_script(task, task.entry_point, splits, layout_of_environment(), reporter)
