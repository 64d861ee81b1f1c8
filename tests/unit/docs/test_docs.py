"""What documents promise: every reason has its page, every link leads somewhere, examples stay short."""

import re
from pathlib import Path

import pytest
import yaml

from modelyard.contract.reasons import Reason

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]+)?\)")


def test_every_reason_is_explained_and_nothing_else() -> None:
    headings = re.findall(r"^### (\w+)$", (ROOT / "docs" / "reasons.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(str(reason) for reason in Reason)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = [t for t, _ in LINK.findall(document.read_text()) if not t.startswith(("http:", "https:", "mailto:"))]
    assert [t for t in targets if not (document.parent / t).exists()] == []


@pytest.mark.parametrize(("example", "limit"), [("electricity", 80), ("quickstart", 40)])
def test_examples_stay_short(example: str, limit: int) -> None:
    text = (ROOT / "examples" / example / "model.yaml").read_text()
    assert len(text.splitlines()) <= limit
    assert len(list(yaml.safe_load_all(text))) == 4


def test_no_file_is_longer_than_400_lines() -> None:
    long = [
        path.relative_to(ROOT)
        for folder in ("operator", "images", "tests", "examples")
        for path in (ROOT / folder).rglob("*.py")
        if len(path.read_text().splitlines()) > 400
    ]
    assert long == []
