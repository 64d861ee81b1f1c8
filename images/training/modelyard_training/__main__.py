"""The pod's process: python -m modelyard_training."""

import sys

from modelyard.contract.tasks import TrainTask
from modelyard_kit.task import run_task
from modelyard_training.train import train

if __name__ == "__main__":
    sys.exit(run_task(TrainTask, train))
