"""The planner of each kind. Imported by the runtime, which knows no kind by itself."""

from collections.abc import Callable, Mapping
from datetime import datetime

from modelyard.plan.dataset import plan_dataset
from modelyard.plan.drift import plan_drift
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Object, Plan
from modelyard.plan.serving import plan_serving
from modelyard.plan.settings import Settings
from modelyard.plan.training import plan_training

Planner = Callable[[Object, Observed, datetime, Settings], Plan]

PLANNERS: Mapping[str, Planner] = {
    "Dataset": plan_dataset,
    "TrainingJob": plan_training,
    "ModelDeployment": plan_serving,
    "DriftMonitor": plan_drift,
}
