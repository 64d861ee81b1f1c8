"""Alerts: each fires when it should, keeps still when it nearly should, and says where to read on."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import prometheus
from tests.unit.chart.rendering import CASES, NAMESPACE, ROOT, Helm
from tests.unit.chart.series import asked, of_operator

CASE_FILE = yaml.safe_load(Path(__file__).with_name("alert_cases.yaml").read_text())
TARGET = f'job="modelyard-metrics",namespace="{NAMESPACE}"'
SOURCE = yaml.safe_load((ROOT / "charts/modelyard/files/alerts.yaml").read_text())
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for group in SOURCE["groups"] for rule in group["rules"]}
FROM_PROMETHEUS = {"up"}

Series = dict[str, str]
each_alert = pytest.mark.parametrize("alert", ALERTS)


def spec(helm: Helm, **values: Any) -> Any:
    (rule,) = helm.template({"metrics": {"prometheusRule": {"enabled": True}, **values}}).of("PrometheusRule")
    return rule["spec"]


@dataclass(frozen=True)
class Promtool:
    """promtool, beside the rules as Helm renders them."""

    folder: Path

    def run(self, *arguments: str) -> str:
        """What it prints. Raises AssertionError with that where it fails."""
        command = [str(prometheus.program("promtool")), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def firing(self, name: str, series: Series, at: str, expected: int) -> None:
        """Passes if so many alerts of this name fire at that time under these series."""
        assert all(isinstance(values, str) for values in series.values()), "YAML reads a bare 0x60 as a number"
        inputs = [{"series": key.replace("@", TARGET), "values": values} for key, values in series.items()]
        found = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
        samples = [{"labels": "{}", "value": expected}] if expected else []
        question = {"expr": found, "eval_time": at, "exp_samples": samples}
        test = {"interval": "1m", "input_series": inputs, "promql_expr_test": [question]}
        document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
        (self.folder / "test.yaml").write_text(yaml.safe_dump(document))
        self.run("test", "rules", "test.yaml")


@pytest.fixture(scope="module")
def promtool(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Promtool:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "rules.yaml").write_text(yaml.safe_dump(spec(helm)))
    return Promtool(folder)


def test_promtool_finds_the_rules_sound(promtool: Promtool) -> None:
    assert f"{len(ALERTS)} rules found" in promtool.run("check", "rules", "--lint-fatal", "rules.yaml")


def test_every_alert_has_a_case_and_every_case_an_alert() -> None:
    assert list(CASE_FILE) == list(ALERTS)


@each_alert
def test_alert_fires(promtool: Promtool, alert: str) -> None:
    case = CASE_FILE[alert]
    promtool.firing(alert, case["fires"], case["at"], expected=1)


def quiet() -> Iterator[Any]:
    for alert, case in CASE_FILE.items():
        for name, series in case["silent"].items():
            yield pytest.param(alert, series, case["at"], id=f"{alert}: {name}")


@pytest.mark.parametrize(("alert", "series", "at"), list(quiet()))
def test_alert_keeps_still(promtool: Promtool, alert: str, series: Series, at: str) -> None:
    promtool.firing(alert, series, at, expected=0)


@each_alert
def test_alert_says_how_bad_it_is_and_what_it_means(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith(".")
    assert len(rule["annotations"]["summary"]) <= 100
    assert rule["annotations"]["description"].endswith(".")


@each_alert
def test_alert_has_a_runbook(helm: Helm, alert: str) -> None:
    (url,) = (
        rule["annotations"]["runbook_url"]
        for group in spec(helm)["groups"]
        for rule in group["rules"]
        if rule["alert"] == alert
    )
    assert url == f"docs/runbooks/{alert}.md"
    page = (ROOT / url).read_text()
    assert page.startswith(f"# {alert}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["What it means", "What to look at", "What to do"]


def test_every_runbook_has_an_alert() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}
    assert pages == set(ALERTS)


def test_runbooks_can_be_kept_elsewhere(helm: Helm) -> None:
    text = json.dumps(spec(helm, runbookBase="https://wiki.example.com/runbooks/x"))
    assert '"runbook_url": "https://wiki.example.com/runbooks/x/ModelyardNoLeader.md"' in text
    assert "docs/runbooks" not in text


@each_alert
def test_alert_asks_for_metrics_that_exist(alert: str) -> None:
    expression = ALERTS[alert]["expr"].replace("@operator@", TARGET).replace("@resyncOverdue@", "1")
    assert asked(expression) <= FROM_PROMETHEUS | {name for names in of_operator().values() for name in names}


def test_alerts_look_at_this_release_only(helm: Helm) -> None:
    rendered = helm.template(CASES["everything optional"])
    (rule,) = rendered.of("PrometheusRule")
    text = json.dumps(rule["spec"])
    assert "@" not in text
    selected = f'job=\\"yard-metrics\\",namespace=\\"{NAMESPACE}\\"'
    assert text.count(selected) == json.dumps(SOURCE).count("@operator@")
    assert "> 1800" in text  # three times the default of operator.resyncSeconds
