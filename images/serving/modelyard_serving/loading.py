"""From a task to a model that has answered once: download, trial, load, warm-up on its own example rows; or, where a
user's container has the model, only what is known of it, and the container's first answers."""

import socket
import tempfile
import time
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.progress import Parity
from modelyard.contract.reasons import Reason
from modelyard.contract.store import captures, data_capture, labels, shadows
from modelyard.contract.tasks import ContainerTask, ServeTask
from modelyard_kit.failure import UserFailure
from modelyard_kit.model import LoadedModel, fetch_model, load_manifest, open_model
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from modelyard_serving.bodies import example_rows
from modelyard_serving.call import Endpoint
from modelyard_serving.data_capture import DataCapture
from modelyard_serving.errors import NotReadyError
from modelyard_serving.explanation.worker import ExplanationWorker
from modelyard_serving.layouts import Layouts
from modelyard_serving.predictor import Predictor
from modelyard_serving.records import capture_schema, capture_table, label_table, personal, shadow_table
from modelyard_serving.rows import rows_of_objects
from modelyard_serving.serving import Loaded
from modelyard_serving.spool import Spool
from modelyard_serving.trial import try_out
from modelyard_serving.typed import TypedBodies

if TYPE_CHECKING:
    from modelyard_serving.container import ContainerModel
    from modelyard_serving.explanation.explainer import Explainer

CONTAINER_SECONDS = 120  # that a container may answer /ping and refuse to predict
LOOK_EVERY = 0.5  # seconds
WARM_UPS = 5  # the first call imports and allocates; the later ones say how fast the model is


def load(task: ServeTask, reporter: Reporter) -> Loaded:
    """Blocks. Raises `TaskFailure` with the reason: UnsafeModel, Corrupt, StoreUnavailable, UserError."""
    store = Store(task.store)
    reporter.report("Loading", 10, f"model {task.model_digest} of {task.training_job}")
    if task.container is not None:
        return loaded(task, store, contained(task, task.container, store, reporter))
    with tempfile.TemporaryDirectory() as folder:
        place = (task.namespace, task.training_job, task.model_digest)
        manifest, path = fetch_model(store, *place, Path(folder))
        reporter.report("Loading", 40, f"trying {path.name} out")
        parity = try_out(path, manifest, allow_unsafe=bool(task.allow_unsafe))
        model = open_model(path, manifest, bool(task.allow_unsafe))
    reporter.report("WarmingUp", 80, f"{task.model_name} on its example rows")
    predictor = Predictor(model)
    warm_up(predictor, model)
    return loaded(task, store, predictor, parity)


def contained(task: ServeTask, container: ContainerTask, store: Store, reporter: Reporter) -> Predictor:
    """Waits for the container, which may load for long, and is watched from then on."""
    from modelyard_serving import container as own  # here, because most servers do without it

    manifest = load_manifest(store, task.namespace, task.training_job, task.model_digest)
    model = own.ContainerModel(manifest, container, own.container_client(container))
    predictor = Predictor(model, own.LearnedElsewhere())
    reporter.report("WaitingForContainer", 40, f"/ping on port {container.port}")
    try:
        _until_it_answers(model, predictor, reporter)
    except UserFailure:
        model.close()
        raise
    Thread(target=model.watch, name="ping", daemon=True).start()
    return predictor


def _until_it_answers(model: "ContainerModel", predictor: Predictor, reporter: Reporter) -> None:
    """Its example rows, too: some answer /ping before they have the model."""
    answering_since = None
    while True:
        model.look()
        if model.answers:
            answering_since = answering_since or time.monotonic()
            reporter.report("WarmingUp", 80, "the container on the model's example rows")
            try:
                return warm_up(predictor, model)
            except UserFailure as failure:
                late = time.monotonic() - answering_since > CONTAINER_SECONDS
                if late or not isinstance(failure.__cause__, NotReadyError):
                    raise UserFailure(
                        Reason.USER_ERROR, f"the container fails on the model's example rows: {failure.__cause__}"
                    ) from failure.__cause__
        time.sleep(LOOK_EVERY)


def warm_up(predictor: Predictor, model: LoadedModel) -> None:
    features = model.manifest.features
    examples = example_rows(model.manifest)
    if not examples:
        return
    try:
        rows = rows_of_objects(features, examples)
        for _ in range(WARM_UPS):
            predictor.predict_now(rows)
    except Exception as error:
        raise UserFailure(
            Reason.USER_ERROR, f"the model fails on the example rows of its own manifest: {error}; train it again"
        ) from error


def loaded(task: ServeTask, store: Store, predictor: Predictor, parity: Parity | None = None) -> Loaded:
    """Starts the threads that write captured rows and labels."""
    manifest, pod = predictor.model.manifest, socket.gethostname()
    features = manifest.features
    encode = partial(
        capture_table,
        schema=capture_schema(manifest),
        revision=task.revision,
        digest=task.model_digest,
        personal=personal(manifest),
    )
    place = (task.namespace, task.name)
    return Loaded(
        Endpoint(task.model_name, task.revision, manifest, TypedBodies(features), Layouts(features)),
        predictor,
        Spool(store, captures(*place), pod, task.flush_seconds, encode, _beside(task, manifest)),
        Spool(store, labels(*place), pod, task.flush_seconds, label_table),
        partial(Spool, store, shadows(*place), pod, task.flush_seconds, shadow_table),
        ExplanationWorker(partial(_explainer, store, task, predictor.model)),
        parity,
    )


def _explainer(store: Store, task: ServeTask, model: LoadedModel) -> "Explainer":
    from modelyard_serving.explanation.explainer import Explainer  # here, because most servers are never asked

    return Explainer(store, task, model)


def _beside(task: ServeTask, manifest: ModelManifest) -> DataCapture | None:
    """The other layout of captured rows, where it is asked for."""
    if task.capture_layout is None:
        return None
    return DataCapture(data_capture(task.namespace, task.name), frozenset(personal(manifest)))
