"""operator.yaml is what the runtime reads: every key known there, none left out, the same defaults."""

import dataclasses

from modelyard.runtime.config import Runtime, parse
from tests.unit.chart.pod_security import containers
from tests.unit.chart.rendering import NAMESPACE, Helm, Rendered


def test_the_runtime_accepts_the_configuration_under_all_values(rendered: Rendered) -> None:
    document = rendered.operator_config()
    config = parse(document, "the chart")
    assert config.settings.store.uri == document["store"]["uri"]
    assert config.runtime.lease.namespace == NAMESPACE


def test_the_chart_decides_every_key(helm: Helm) -> None:
    written = parse(helm.template({}).operator_config(), "the chart")
    settings = {field.name for field in dataclasses.fields(written.settings)}
    keys = set(helm.template({}).operator_config())
    assert len(keys) == len(settings) + len(Runtime.model_fields)
    assert written.runtime.model_fields_set == set(Runtime.model_fields)


def test_the_charts_defaults_are_the_runtimes(helm: Helm) -> None:
    written, own = parse(helm.template({}).operator_config(), "the chart"), parse({}, "the defaults")
    lease, store, images = written.runtime.lease, written.settings.store, written.settings.images
    assert written.runtime == own.runtime.model_copy(update={"lease": lease})
    assert written.settings == dataclasses.replace(own.settings, store=store, images=images)


def test_probes_ask_the_port_that_the_configuration_names(helm: Helm) -> None:
    rendered = helm.template({})
    (container,) = containers(rendered.one("Deployment", "modelyard-operator")["spec"]["template"]["spec"])
    assert container["ports"] == [{"name": "health", "containerPort": rendered.operator_config()["healthPort"]}]
