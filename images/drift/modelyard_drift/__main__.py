"""The pod's process: python -m modelyard_drift, for a check or a gate as the task says."""

import json
import os
import sys
from pathlib import Path

from modelyard.contract.tasks import TASK_PATH, CheckTask, GateTask
from modelyard_drift.check import check
from modelyard_drift.gate import gate
from modelyard_kit.task import run_task


def main() -> int:
    if _wanted() == "gate":
        return run_task(GateTask, gate)
    return run_task(CheckTask, check)


def _wanted() -> str:
    """Which task lies there; one that cannot be read is explained by the runner."""
    try:
        return str(json.loads(Path(os.environ.get("MODELYARD_TASK", TASK_PATH)).read_bytes())["task"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
