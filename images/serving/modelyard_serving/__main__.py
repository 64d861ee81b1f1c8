"""Starts the server: `python -m modelyard_serving`. Exit 0 after a drain, 1 where the model cannot be served."""

import asyncio
import logging
import os
import sys

import uvicorn

from modelyard.contract.tasks import FRONT_PORT, GRPC_PORT, MANAGEMENT_PORT, SERVING_PORT, ServeTask
from modelyard_kit.failure import TaskFailure
from modelyard_kit.task import read_task, write_result
from modelyard_serving.lifecycle import run


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line for every forwarded request
    try:
        task = read_task(ServeTask)
    except TaskFailure as failure:
        logging.error(failure.message)
        write_result(failure.result())
        return 1
    port = int(os.environ.get("MODELYARD_SERVING_PORT", FRONT_PORT if task.container else SERVING_PORT))
    management_port = int(os.environ.get("MODELYARD_MANAGEMENT_PORT", MANAGEMENT_PORT))
    grpc_port = int(os.environ.get("MODELYARD_GRPC_PORT", GRPC_PORT)) if task.grpc else None
    loop = uvicorn.Config("", loop="auto").get_loop_factory()  # uvloop where it is installed
    return asyncio.Runner(loop_factory=loop).run(run(task, port, management_port, grpc_port))


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)  # threads that hang in a model or a download must not keep the pod from ending
