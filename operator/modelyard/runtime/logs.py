"""Logs: one JSON object a line for a cluster, plain lines for a terminal. `extra={"fields": {...}}` adds fields.

Secrets in others' words are hidden, as in a status.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from modelyard.contract.redaction import redacted


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, "fields", {})
    return {name: value for name, value in fields.items() if value is not None}


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment,
            "level": record.levelname.lower(),
            "message": redacted(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line | {"logger": record.name}, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        return redacted(f"{super().format(record)} {fields}".rstrip())


def configure(level: str, *, text: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # kopf tells of every event it handles; only what goes wrong is of interest beside our own lines.
    logging.getLogger("kopf").setLevel(logging.WARNING)
