"""The tasks of a monitor's pods: what a check compares, and what a gate judges."""

from typing import Literal

from modelyard.api.drift import DriftMonitorSpec
from modelyard.api.fields import seconds
from modelyard.api.serving import Revision
from modelyard.contract.tasks import CheckTask, DataDriftTask, GateTask, ModelTask, PerformanceTask, WindowTask
from modelyard.plan.plan import Object
from modelyard.plan.settings import Settings

Metric = Literal["accuracy", "f1", "rocAuc", "mae", "rmse", "r2"]


def check_task(monitor: Object, spec: DriftMonitorSpec, stable: Revision, settings: Settings) -> CheckTask:
    """Compare the traffic of the serving model with the profile of exactly its training data."""
    checks = spec.checks
    drift, performance = checks.data_drift, checks.performance
    return CheckTask(
        namespace=monitor["metadata"]["namespace"],
        name=monitor["metadata"]["name"],
        store=settings.store,
        deployment=spec.model_deployment_ref.name,
        training_job=stable.training_job,
        model_digest=stable.model_digest,
        window=WindowTask(
            rows=spec.window.rows,
            min_rows=spec.window.min_rows,
            max_age_seconds=seconds(spec.window.max_age) if spec.window.max_age else None,
        ),
        label_max_delay_seconds=seconds(spec.labels.max_delay),
        max_null_rate_increase=float(checks.quality.max_null_rate_increase),
        max_unseen_category_rate=float(checks.quality.max_unseen_category_rate),
        data_drift=DataDriftTask(
            effect_floor=float(drift.effect_floor), false_alarm_rate=float(drift.false_alarm_rate)
        ),
        performance=performance and PerformanceTask(metric=performance.metric, max_drop=float(performance.max_drop)),
    )


def gate_task(
    monitor: Object,
    spec: DriftMonitorSpec,
    champion: Revision,
    challenger: Object,
    deployment: Object | None,
    settings: Settings,
) -> GateTask:
    """Judge a trained challenger against what serves now, whatever served when it was asked for. It loads what
    `deployment` may."""
    status = challenger["status"]
    gate = spec.retrain.gate
    return GateTask(
        namespace=monitor["metadata"]["namespace"],
        name=monitor["metadata"]["name"],
        store=settings.store,
        deployment=spec.model_deployment_ref.name,
        champion=ModelTask(training_job=champion.training_job, model_digest=champion.model_digest),
        challenger=ModelTask(training_job=challenger["metadata"]["name"], model_digest=status["model"]["digest"]),
        newer_than=status.get("datasetCheckedAt") or status["model"]["createdAt"],
        rows=gate.newer_rows,
        metric=_metric(spec, challenger),
        min_improvement=float(gate.min_improvement),
        allow_unsafe=settings.unsafe(bool((deployment or {}).get("spec", {}).get("allowUnsafeFormats"))),
    )


def _metric(spec: DriftMonitorSpec, challenger: Object) -> Metric:
    """The metric whose decay is watched; where none is, the usual one for what the model predicts."""
    if spec.checks.performance:
        return spec.checks.performance.metric
    training = challenger["spec"].get("recipe") or challenger["spec"].get("script") or {}
    return "rmse" if training.get("task") == "regression" else "accuracy"
