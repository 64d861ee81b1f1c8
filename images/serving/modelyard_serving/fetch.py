"""Before a user's container starts: `python -m modelyard_serving.fetch` puts the model's files where SageMaker has
them, and beside them, for a class, the program that serves it. Exit 1 with a result where it cannot."""

import logging
import os
import shutil
import sys
from pathlib import Path

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard.contract.tasks import CLASS_SERVER, MODEL_PATH, PROGRAM_PATH, ServeTask
from modelyard_kit.content import refuse_pickle
from modelyard_kit.failure import TaskFailure, WorldFailure
from modelyard_kit.model import load_manifest, model_file
from modelyard_kit.store import Store
from modelyard_kit.task import read_task, write_result

log = logging.getLogger(__name__)


def fetch(task: ServeTask, folder: Path, program: Path) -> list[Path]:
    """Every file of the model, verified, and the program where a class is to be served. Returns what was written.

    Raises TaskFailure: StoreUnavailable, Corrupt, UnsafeModel for a pickle that is not allowed.
    """
    store = Store(task.store)
    manifest = load_manifest(store, task.namespace, task.training_job, task.model_digest)
    written = []
    for name, digest in _names(manifest).items():
        store.get_blob(digest, folder / name)
        if not task.allow_unsafe:
            refuse_pickle(folder / name)
        written.append(folder / name)
    if task.container and task.container.python_class:
        shutil.copyfile(Path(__file__).with_name(CLASS_SERVER), program / CLASS_SERVER)
        written.append(program / CLASS_SERVER)
    for path in written:
        path.chmod(0o444)
    return written


def _names(manifest: ModelManifest) -> dict[str, str]:
    """Digests by the files' names, which come from training's pod: they never lead out of the folder."""
    names = {}
    for file in manifest.files:
        name = Path(file.path or model_file(manifest.format)).name
        if name in ("", "..") or name in names:
            raise WorldFailure(Reason.CORRUPT, f"the model's manifest lists {name!r} twice, or a file without a name")
        names[name] = file.digest
    return names


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    folder = Path(os.environ.get("MODELYARD_MODEL", MODEL_PATH))
    program = Path(os.environ.get("MODELYARD_PROGRAM", PROGRAM_PATH))
    try:
        for path in fetch(read_task(ServeTask), folder, program):
            log.info("wrote %s, %d bytes", path, path.stat().st_size)
    except TaskFailure as failure:
        log.error("%s: %s", failure.reason, failure.message)
        write_result(failure.result())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
