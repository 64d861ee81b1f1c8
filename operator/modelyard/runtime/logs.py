"""Logs: one JSON object a line for a cluster, plain lines for a terminal. `extra={"fields": {...}}` adds fields.

Lines of one reconcile carry its id and its resource, whoever logs them. Secrets in others' words are hidden, as in a
status.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from modelyard.contract.redaction import redacted
from modelyard.runtime import trace


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = {**trace.fields(), **getattr(record, "fields", {})}
    return {name: value for name, value in fields.items() if value is not None}


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = redacted(record.getMessage())
        line = {"time": moment, "level": record.levelname.lower(), "message": message, **fields_of(record)}
        if record.exc_info:
            line["traceback"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line | {"logger": record.name}, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in fields_of(record).items())
        return redacted(f"{super().format(record)} {fields}".rstrip())


def configure(level: str, form: str) -> None:
    """`form` is json or text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextFormatter() if form == "text" else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
