"""`modelyard run` that dies by SIGKILL once its first write has arrived; run it as a module, with `run` and so on."""

import sys
from typing import Any
from unittest import mock

from modelyard.cli.main import main
from modelyard.runtime import app
from tests.integration.crash.process import Dying, Point


class WritesOnce(Dying):
    def __init__(self, api: Any) -> None:
        super().__init__(api)
        self.point = Point(1, sent=True)


if __name__ == "__main__":
    with mock.patch.object(app, "Client", WritesOnce):
        sys.exit(main())
