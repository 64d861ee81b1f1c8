"""Entry point of the dataset image."""

import sys

from modelyard.contract.tasks import DatasetTask
from modelyard_dataset.build import build
from modelyard_kit.task import run_task

if __name__ == "__main__":
    sys.exit(run_task(DatasetTask, build))
