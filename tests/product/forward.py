"""A port of a Service, reached from this machine through the API server."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.product.product import Product, ProductError


@contextmanager
def forward(product: Product, namespace: str, target: str, port: int) -> Iterator[str]:
    """`http://127.0.0.1:<port>` of e.g. `service/churn` while the context lasts."""
    command = [
        *(str(product.provider.kubectl()), "--kubeconfig", str(product.provider.kubeconfig())),
        *("--namespace", namespace, "port-forward", "--address", "127.0.0.1", target, f":{port}"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        if not found:  # it has ended
            raise ProductError(f"kubectl port-forward {target}: {process.stderr.read().strip()}")
        try:
            yield f"http://127.0.0.1:{found[1]}"
        except Exception as error:
            if process.poll() is not None:  # kubectl ends at the first connection that the pod refuses
                error.add_note(f"kubectl port-forward {target} ended: {process.stderr.read().strip()}")
            raise
        finally:
            process.terminate()
