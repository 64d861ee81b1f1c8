"""Log lines that machines and people can read."""

import json
import logging
import sys

import pytest

from modelyard.runtime.logs import JsonFormatter, TextFormatter


def record(**fields: object) -> logging.LogRecord:
    result = logging.LogRecord("a.logger", logging.INFO, "file", 1, "done %s", ("it",), None)
    result.fields = fields
    return result


def test_json_has_the_fields_beside_the_message() -> None:
    line = json.loads(JsonFormatter().format(record(kind="Dataset", again=None)))
    assert (line["message"], line["level"], line["kind"]) == ("done it", "info", "Dataset")
    assert "again" not in line


def test_json_keeps_a_traceback_in_one_line() -> None:
    failing = record()
    try:
        raise ValueError("here")
    except ValueError:
        failing.exc_info = sys.exc_info()
    text = JsonFormatter().format(failing)
    assert "\n" not in text
    assert "ValueError: here" in json.loads(text)["traceback"]


def test_text_ends_with_the_fields() -> None:
    assert TextFormatter().format(record(kind="Dataset")).endswith("INFO    done it kind=Dataset")


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()], ids=["json", "text"])
def test_secrets_in_others_words_reach_no_line(formatter: logging.Formatter) -> None:
    said = record()
    said.args = ()
    said.msg = "pull of https://me:hunter2@registry.example failed"
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        said.exc_info = sys.exc_info()
    assert "hunter2" not in formatter.format(said)
