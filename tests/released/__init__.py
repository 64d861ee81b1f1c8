"""What earlier releases left on clusters: each one's chart, and its live objects as its operator made them.

`tests.released.record` writes both at a release; they are never edited afterwards.
"""

from pathlib import Path

HERE = Path(__file__).parent
NAMESPACE = "team"  # of the recorded objects
LATEST = "0.1.0"  # the last release: upgrades are tested from it


def chart(version: str) -> Path:
    return HERE / version / "chart"


def objects(version: str) -> Path:
    return HERE / version / "objects"
