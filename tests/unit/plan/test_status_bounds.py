"""Whatever a pod says within the contract, and whatever the cluster says, fits the schema of the status."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from modelyard.api.crd import definition
from modelyard.api.kinds import BY_NAME
from modelyard.contract.limits import MAX_COUNT
from modelyard.contract.results import CheckResult, DatasetResult, FailureResult, GateResult, TrainResult, parse_result
from modelyard.plan.measure import decimal
from tests.unit.plan.builders import Built, digest
from tests.unit.plan.monitored import check, checked, decay, ends, gate_jobs, trains
from tests.unit.plan.monitored import world as monitored
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.test_planning_properties import built, dataset_simulation, training_simulation

LONG = "x" * 4000
HUGE = [1e300, -1e300, 1e19, 123456789012345.678, -99999999999999.99999, 1e-12, 5e-324, 0.0]


def fits(resource: Built) -> None:
    root = definition(BY_NAME[resource["kind"]])["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    jsonschema.validate(resource["status"], root["properties"]["status"])


def datasets() -> Iterator[DatasetResult]:
    expectations = [{"name": LONG, "failed": -MAX_COUNT, "total": MAX_COUNT, "message": LONG} for _ in range(5)]
    for outcome in ("Promoted", "Quarantined"):
        numbers = dict.fromkeys(("rows", "bytes", "files"), MAX_COUNT) | {"seconds": 1e9}
        whole = {**built(outcome).wire(), **numbers, "splits": {f"s{n}": MAX_COUNT for n in range(8)}}
        yield DatasetResult.model_validate({**whole, "failedExpectations": expectations, "schemaFindings": [LONG] * 5})
        warned = [{**e, "severity": "warn"} for e in expectations]
        yield DatasetResult.model_validate({**whole, "failedExpectations": warned})


@pytest.mark.parametrize("result", list(datasets()), ids=lambda r: r.outcome)
def test_any_result_of_a_build_fits(result: DatasetResult) -> None:
    it = dataset_simulation()
    it.settle()
    it.finish(result)
    it.settle()
    fits(it.resource)


@pytest.mark.parametrize("make", [dataset_simulation, training_simulation])
@pytest.mark.parametrize("blame", ["user", "world"])
def test_any_failure_fits(make: Any, blame: Any) -> None:
    it: Simulation = make()
    it.settle()
    it.finish(FailureResult(blame=blame, reason="SomeOtherWord", message=LONG, exit_code=255), 1)
    it.settle()
    fits(it.resource)


@pytest.mark.parametrize("value", HUGE)
def test_any_metric_of_a_model_fits(value: float) -> None:
    it = training_simulation()
    it.settle()
    metrics = {**{f"m{n}": value for n in range(40)}, "rmse": value}
    words = {"modelDigest": digest("a"), "format": "f" * 16, "profileDigest": digest("e"), "metrics": metrics}
    it.finish(TrainResult.model_validate({**words, "trainRows": MAX_COUNT, "testRows": 0, "bytes": MAX_COUNT}))
    it.settle()
    assert it.status["phase"] == "Succeeded"
    fits(it.resource)


@pytest.mark.parametrize("value", HUGE)
def test_any_finding_of_a_check_fits(value: float) -> None:
    w = monitored()
    worst = [{"column": LONG, "method": LONG, "effect": value, "threshold": value}] * 5
    numbers = dict.fromkeys(("baseline", "value", "lower", "upper", "coverage"), value)
    performance = {"metric": "m" * 16, **numbers, "rows": MAX_COUNT, "degraded": False}
    more: dict[str, Any] = {"worst": worst, "performance": performance, "qualityFindings": [LONG] * 5, "message": LONG}
    checked(w, check("QualityViolation", rows=MAX_COUNT, columns=MAX_COUNT, report="r" * 512, html="h" * 512, **more))
    fits(w.resource)
    checked(w, check("Drifted", driftedColumns=MAX_COUNT, **more))
    fits(w.resource)


@pytest.mark.parametrize("value", HUGE)
@pytest.mark.parametrize("verdict", ["Promote", "Refuse", "InsufficientData"])
def test_any_verdict_of_a_gate_fits(verdict: str, value: float) -> None:
    w = monitored()
    checked(w, decay())
    trains(w)
    figures = dict.fromkeys(("champion", "challenger", "difference", "lower"), value)
    whole = {"verdict": verdict, "metric": "m" * 16, **figures, "rows": MAX_COUNT, "message": LONG}
    ends(w, gate_jobs(w)[0], GateResult.model_validate(whole), "gate")
    w.run()
    fits(w.resource)


OUT_OF_CONTRACT: list[Mapping[str, Any]] = [
    {**built("Promoted").wire(), "rows": -1},
    {**built("Promoted").wire(), "rows": 2**60},
    {**built("Promoted").wire(), "digest": "sha256:0"},
    {**built("Promoted").wire(), "checkedAt": "yesterday"},
    {**check("Stable").wire(), "report": "r" * 513},
    {**check("Stable").wire(), "windowEnd": "2026-13-01T00:00:00Z"},
]


@pytest.mark.parametrize("said", OUT_OF_CONTRACT, ids=str)
def test_what_is_outside_the_contract_is_no_result(said: Mapping[str, Any]) -> None:
    """A script can write whatever it wants; a status made of it would be refused, and never be written again."""
    kind = DatasetResult if said["result"] == "dataset" else CheckResult
    assert parse_result(kind.model_construct(**said).model_dump_json()) is None


def test_decimals_keep_what_they_can() -> None:
    shown = {value: decimal(value) for value in (0.12345, -0.00001, 12345.6, 1e14, -1e30)}
    assert shown == {
        0.12345: "0.1235",
        -0.00001: "0",
        12345.6: "12345.6",
        1e14: "100000000000000",
        -1e30: "-1000000000000000000",
    }
