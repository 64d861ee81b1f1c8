"""Runs in a user's image: serves a class with `load(path)` and `predict(rows)` under SageMaker's contract.

`python3 class_server.py module:Class`. Of the standard library alone, for Python 3.8 and later: the image needs nothing
of ours. The module is looked for in the image's working folder first.
"""

import importlib
import json
import os
import signal
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List

MODEL_PATH = "/opt/ml/model"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, predict: Callable[[List[Dict[str, Any]]], Any]) -> None:
        super().__init__(("", port), Handler)
        self.predict = predict
        self.lock = threading.Lock()  # few classes are made for threads


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != "/invocations":
            return self._answer(404, b"")
        try:
            rows = json.loads(body)["instances"]
            with self.server.lock:
                found = self.server.predict(rows)
            answer = json.dumps({"predictions": plain(found)}).encode()
        except Exception as error:
            traceback.print_exc()
            told = {"error": "%s: %s" % (type(error).__name__, error)}
            return self._answer(500, json.dumps(told).encode())
        return self._answer(200, answer)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not worth a line each."""


def plain(value: Any) -> Any:
    """Arrays, series and their numbers as lists and numbers of Python's own; they all have `tolist`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def loaded(name: str, path: str) -> Any:
    """An object of `module:Class` that has loaded the model's files. What the class raises passes through."""
    module, _, wanted = name.partition(":")
    model = getattr(importlib.import_module(module), wanted)()
    model.load(path)
    return model


def main() -> None:
    sys.path[0] = os.getcwd()  # noqa: PTH109 - not this program's own folder
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the first process of a container has to ask for it
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    model = loaded(sys.argv[1], os.environ.get("MODELYARD_MODEL", MODEL_PATH))
    Server(port, model.predict).serve_forever()


if __name__ == "__main__":
    main()
