"""One replica of the operator with the test planners: `python -m tests.integration.runtime.replica CONFIG`."""

import asyncio
import sys
from pathlib import Path

from modelyard.runtime import config, logs
from modelyard.runtime.app import serve
from tests.integration.runtime.planners import PLANNERS

if __name__ == "__main__":
    logs.configure("info", "json")
    asyncio.run(serve(config.load(Path(sys.argv[1])), PLANNERS, elect=True))
