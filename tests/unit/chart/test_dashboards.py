"""Dashboards: found by Grafana, bound to no data source, and asking only for what is there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.chart.rendering import CHART, Helm, Object
from tests.unit.chart.series import asked, of_operator, of_pods, of_process

FILES = sorted((CHART / "files" / "dashboards").glob("*.json"))
FROM_PROMETHEUS = {"up"}
each_dashboard = pytest.mark.parametrize("file", FILES, ids=lambda p: p.stem)


def load(file: Path) -> Any:
    return json.loads(file.read_text())


def panels(file: Path) -> list[Any]:
    return [panel for panel in load(file)["panels"] if panel["type"] != "row"]


def expressions(file: Path) -> list[str]:
    return [target["expr"] for panel in panels(file) for target in panel["targets"]]


def dashboards(helm: Helm, **settings: Any) -> list[Object]:
    rendered = helm.template({"metrics": {"dashboards": {"enabled": True, **settings}}})
    return [each for each in rendered.of("ConfigMap") if "-dashboard-" in each["metadata"]["name"]]


def test_none_is_made_unless_asked_for(helm: Helm) -> None:
    assert not [each for each in helm.template({}).of("ConfigMap") if "dashboard" in each["metadata"]["name"]]


def test_each_is_in_a_config_map_that_grafana_finds(helm: Helm) -> None:
    made = dashboards(helm)
    assert [each["metadata"]["name"] for each in made] == [
        "modelyard-dashboard-operator",
        "modelyard-dashboard-resources",
    ]
    assert {each["metadata"]["labels"]["grafana_dashboard"] for each in made} == {"1"}
    contents = [json.loads(text) for each in made for text in each["data"].values()]
    assert contents == [load(file) for file in FILES]


def test_the_labels_can_be_chosen(helm: Helm) -> None:
    made = dashboards(helm, labels={"grafana_dashboard": "yes", "team": "ml"})
    assert {each["metadata"]["labels"]["grafana_dashboard"] for each in made} == {"yes"}
    assert {each["metadata"]["labels"]["team"] for each in made} == {"ml"}


def test_identifiers_are_unique() -> None:
    assert len({load(file)["uid"] for file in FILES}) == len(FILES)
    assert len({load(file)["title"] for file in FILES}) == len(FILES)


@each_dashboard
def test_panels_have_ids_descriptions_and_places_of_their_own(file: Path) -> None:
    everything = load(file)["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert all(panel["description"].endswith(".") and panel["title"] for panel in panels(file))
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in everything)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@each_dashboard
def test_the_data_source_is_chosen_by_who_looks(file: Path) -> None:
    variables = {each["name"]: each for each in load(file)["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    sources = {json.dumps(each["datasource"]) for panel in panels(file) for each in (panel, *panel["targets"])}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}


@each_dashboard
def test_variables_in_expressions_are_defined(file: Path) -> None:
    defined = {each["name"] for each in load(file)["templating"]["list"]} | {"__rate_interval"}
    assert {name for each in expressions(file) for name in re.findall(r"\$(\w+)", each)} <= defined


@each_dashboard
def test_every_expression_is_promql_over_metrics_that_exist(file: Path) -> None:
    known = {name for names in (of_operator() | of_pods()).values() for name in names}
    for expression in expressions(file):
        assert asked(expression) <= known | of_process() | FROM_PROMETHEUS, expression


@each_dashboard
def test_variables_ask_for_metrics_that_exist(file: Path) -> None:
    known = {name for names in (of_operator() | of_pods()).values() for name in names}
    queries = [each["definition"] for each in load(file)["templating"]["list"] if each["type"] == "query"]
    assert {re.match(r"label_values\((\w+)", query)[1] for query in queries} <= known  # type: ignore[index]


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {name for file in FILES for expression in expressions(file) for name in asked(expression)}
    known = of_operator() | of_pods()
    assert sorted(name for name, samples in known.items() if not samples & shown) == []
