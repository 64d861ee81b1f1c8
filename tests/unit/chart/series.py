"""The metrics that the code has, and those that a PromQL expression asks for."""

import re
from collections.abc import Iterator

import promql_parser
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.registry import Collector

import modelyard.runtime.app  # noqa: F401 - registers everything the operator has
from modelyard_kit.progress import Reporter
from modelyard_serving.metrics import Metrics
from tests.unit.chart.rendering import ROOT

_SAMPLES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
SECONDS = {"$__rate_interval": "1m"}  # what Grafana puts in


class Nothing:
    """Stands in for a spool."""

    written = dropped = buffered = 0


def _names(registry: Collector) -> dict[str, set[str]]:
    """The metrics as people name them, each with the names of its samples."""
    found = {}
    for family in registry.collect():
        suffixes = _SAMPLES.get(family.type, ("",))
        name = family.name + ("_total" if family.type == "counter" else "")
        found[name] = {family.name + suffix for suffix in suffixes}
    return found


def of_operator() -> dict[str, set[str]]:
    """Without what every Python process tells."""
    named = _names(REGISTRY)
    return {name: samples for name, samples in named.items() if not name.startswith(("process_", "python_"))}


def of_pods() -> dict[str, set[str]]:
    metrics = Metrics()
    source = (ROOT / "images/serving/modelyard_serving/serving.py").read_text()
    for spool in re.findall(r'metrics\.watch\([\w.]+, "(\w+)"\)', source):
        metrics.watch(Nothing(), spool)
    tasks = CollectorRegistry()
    Reporter(tasks)
    return _names(metrics.registry) | _names(tasks)


def of_process() -> set[str]:
    return {sample for samples in _names(REGISTRY).values() for sample in samples}


def asked(expression: str) -> set[str]:
    """Raises ValueError for what is no PromQL."""
    for variable, value in SECONDS.items():
        expression = expression.replace(variable, value)
    return set(_selected(promql_parser.parse(expression)))


def _selected(node: promql_parser.Expr) -> Iterator[str]:
    names: list[str] = []

    def visit(each: object) -> bool:
        if isinstance(each, promql_parser.VectorSelector) and each.name:
            names.append(each.name)
        return True

    promql_parser.walk(node, visit)
    yield from names
