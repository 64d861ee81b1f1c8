"""XGBoost's models in JSON, made UBJSON by XGBoost itself, in a process of its own: its parser can crash."""

import sys
from pathlib import Path

from modelyard_kit.trial import child, tried
from modelyard_kit.xgboost_format import FILE, read


def in_binary(path: Path) -> Path:
    """The same model in UBJSON, as FILE beside the one in JSON. Raises TaskFailure where it cannot be read."""
    tried(__name__, path, "")
    return path.with_name(FILE)


def _convert(path: Path, _: str) -> None:
    path.with_name(FILE).write_bytes(read(path).save_raw("ubj"))


if __name__ == "__main__":
    sys.exit(child(_convert))
