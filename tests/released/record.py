"""Keeps the chart of the working tree, and what its operator makes of one resource of each kind, for the upgrade tests
of later releases: `PYTHONPATH=operator:. python -m tests.released.record VERSION`. Takes a minute."""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.cluster.waiting import until
from tests.product.product import CHART
from tests.released import HERE, NAMESPACE, chart, objects
from tests.released.live import CHILDREN, Live, at_rest, condition, identity, live
from tests.released.pods import RUNS_ON


def all_is_made(cluster: Live) -> bool:
    """All resources are ready but the one that runs on, and the monitor has made its check."""
    resources = cluster.resources()
    waiting = [r["metadata"]["name"] for r in resources if not condition(r, "Ready").startswith("True")]
    return waiting == [RUNS_ON] and any(r["status"].get("lastCheck") for r in resources)


def as_kept(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
    return {**obj, "metadata": metadata}


def write(cluster: Live, folder: Path) -> None:
    """One file a kind: its resources, then their children."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    children = sorted(cluster.items(*CHILDREN), key=identity)
    for kind in sorted({r["kind"] for r in cluster.resources()}):
        own = sorted((r for r in cluster.resources() if r["kind"] == kind), key=identity)
        theirs = [c for c in children if c["metadata"]["labels"]["modelyard.dev/kind"] == kind]
        kept = [as_kept(obj) for obj in (*own, *theirs)]
        (folder / f"{kind.lower()}.json").write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def main(version: str) -> None:
    shutil.rmtree(chart(version), ignore_errors=True)
    shutil.copytree(CHART, chart(version))
    with tempfile.TemporaryDirectory() as folder, live(Path(folder), chart(version)) as cluster:
        with cluster.operating() as operator:
            cluster.kubectl("apply", "-n", NAMESPACE, "-f", str(HERE / "resources.yaml"))
            until(lambda: all_is_made(cluster), "all resources are ready", 180, every_s=1)
            at_rest(operator)
            operator.stop()
        write(cluster, objects(version))


if __name__ == "__main__":
    main(sys.argv[1])
