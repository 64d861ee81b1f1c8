"""The operator and Prometheus as processes of their own, on loopback, with all their files in a test's folder."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.cluster import prometheus
from tests.cluster.waiting import free_ports

ROOT = Path(__file__).parents[3]
Json = dict[str, Any]


def page(port: int, path: str) -> tuple[int, str]:
    """Status and body; (0, "") where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return 0, ""


class Running:
    """A process that ends with the context; its output is in `log`."""

    def __init__(self, command: list[str], log: Path, env: Mapping[str, str]) -> None:
        self.log = log
        with log.open("w") as target:
            self.process = subprocess.Popen(command, cwd=log.parent, env=env, stdout=target, stderr=target)

    def trouble(self) -> str | None:
        return f"it ended:\n{self.log.read_text()[-3000:]}" if self.process.poll() is not None else None

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()


class Replica(Running):
    """`modelyard run`, as the image starts it."""

    def __init__(self, name: str, kubeconfig: Path, folder: Path, **settings: Any) -> None:
        (self.port,) = free_ports(1)
        config = folder / f"{name}.json"
        config.write_text(json.dumps({"healthPort": self.port, **settings}))
        env = {**os.environ, "KUBECONFIG": str(kubeconfig), "POD_NAME": name, "PYTHONPATH": str(ROOT / "operator")}
        super().__init__([sys.executable, "-m", "modelyard", "run", "--config", str(config)], folder / name, env)

    def page(self, path: str) -> tuple[int, str]:
        return page(self.port, path)

    def ready(self) -> bool:
        return self.page("/readyz") == (200, "ok\n")


class Prometheus(Running):
    def __init__(self, targets: list[str], labels: Mapping[str, str], rules: Json, folder: Path) -> None:
        (self.port,) = free_ports(1)
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
        job = {"job_name": labels["job"], "static_configs": [{"targets": targets, "labels": dict(labels)}]}
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [job],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        command = [
            str(prometheus.program("prometheus")),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        super().__init__(command, folder / "prometheus", dict(os.environ))

    def ready(self) -> bool:
        return page(self.port, "/-/ready")[0] == 200

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API. Raises AssertionError where it has none."""
        query = urllib.parse.urlencode(parameters)
        status, body = page(self.port, f"/api/v1/{path}?{query}")
        assert status == 200, body
        return json.loads(body)["data"]

    def value(self, expression: str) -> float | None:
        """Of an expression that gives one series; None where it gives none."""
        found = self.ask("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None
