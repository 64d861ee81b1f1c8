"""The operator of the working tree in place of the installed one, with its configuration."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.product.product import OPERATOR, ROOT, SYSTEM, Product, ProductError


def dev(product: Product) -> None:
    """Runs until it is told to stop, as by Ctrl-C; then the installed operator comes back."""
    config = configuration(product, ROOT / ".work" / "dev" / "operator.yaml")
    environment = {**os.environ, "KUBECONFIG": str(product.provider.kubeconfig()), "PYTHONPATH": str(ROOT / "operator")}
    command = [sys.executable, "-m", "modelyard", "run", "--dev", "--config", str(config)]
    with replaced(product):
        signal.signal(signal.SIGINT, lambda *_: None)  # the operator gets it too and ends in order
        done = subprocess.run(command, env=environment, check=False)
    if done.returncode:
        raise ProductError(f"the operator ended with {done.returncode}")


def configuration(product: Product, path: Path) -> Path:
    """The installed operator's, as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(product.get("configmap", OPERATOR, "--namespace", SYSTEM)["data"]["operator.yaml"])
    return path


@contextmanager
def replaced(product: Product) -> Iterator[None]:
    """The installed operator is gone while the context lasts: the one in its place is not fenced by a Lease."""
    deployment = ("deployment", OPERATOR, "--namespace", SYSTEM)
    replicas = product.get(*deployment)["spec"]["replicas"]
    product.kubectl("scale", *deployment, "--replicas=0")
    try:
        pods = ("pod", "--namespace", SYSTEM, "--selector=app.kubernetes.io/component=operator")
        product.kubectl("wait", "--for=delete", *pods, "--timeout=60s")
        yield
    finally:
        product.kubectl("scale", *deployment, f"--replicas={replicas}")
