"""A user's container beside a server: what fetches its model, then the container, which ends after the server has.

It is a sidecar in Kubernetes' sense, an init container that stays: the server starts when it answers /ping, and while
the server drains it still answers. It gets neither the task nor the store's keys.
"""

from typing import Any

from modelyard.api.fields import Resources, seconds
from modelyard.api.serving import Container
from modelyard.contract.tasks import CLASS_SERVER, MODEL_PATH, PROGRAM_PATH, ContainerTask
from modelyard.plan.pods import SIDECAR, InitContainer, Volume, scratch
from modelyard.plan.settings import Settings

GRACE_SECONDS = 30  # from SIGTERM to SIGKILL, as SageMaker gives
PING_SECONDS = 2  # in which /ping must answer, likewise
PERIOD = 5  # seconds between the pings of a start


def container_task(container: Container) -> ContainerTask:
    return ContainerTask(
        port=container.port, body=container.body or "Rows", python_class=container.python_class or None
    )


def sidecar(container: Container, settings: Settings) -> tuple[InitContainer, InitContainer]:
    """What runs before a server, in this order: the fetching of the model, and the user's container."""
    shared = [("model", MODEL_PATH), *([("program", PROGRAM_PATH)] if container.python_class else [])]
    space = scratch(container.resources)
    written = tuple(Volume(name, path, space, read_only=False) for name, path in shared)
    read = tuple(Volume(name, path, space) for name, path in shared)
    tmp = Volume("container-tmp", "/tmp", space, read_only=False)  # noqa: S108 - a volume
    fetch = InitContainer(
        "fetch",
        settings.images.serving,
        Resources(),
        written,
        fields={"command": ["python", "-m", "modelyard_serving.fetch"]},
        ours=True,
    )
    own = InitContainer(
        SIDECAR,
        container.image,
        container.resources,
        (*read, tmp),
        {"SAGEMAKER_BIND_TO_PORT": str(container.port), **container.environment},
        {"container": container.port},
        {"restartPolicy": "Always", **_command(container), **_probes(container)},
    )
    return fetch, own


def _command(container: Container) -> dict[str, Any]:
    if container.python_class is None:
        return {"args": ["serve"]}  # the image's own ENTRYPOINT, as with `docker run IMAGE serve`
    return {"command": ["python3", f"{PROGRAM_PATH}/{CLASS_SERVER}"], "args": [container.python_class]}


def _probes(container: Container) -> dict[str, Any]:
    """Ready is what the server says, which asks /ping, too."""
    get = {"httpGet": {"path": "/ping", "port": "container"}, "timeoutSeconds": PING_SECONDS}
    tries = -(-seconds(container.startup_limit) // PERIOD)
    return {
        "startupProbe": {**get, "periodSeconds": PERIOD, "failureThreshold": tries},
        "livenessProbe": {**get, "periodSeconds": 10, "failureThreshold": 6},
    }
