"""The documents people read, and what is in them: links, headings, commands, examples."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """(file, anchor) of every link within the repository."""
    for target, anchor in _LINK.findall(_prose(document)):
        if not target.startswith(("http:", "https:", "mailto:")):
            yield (document.parent / target if target else document), anchor


def anchors(document: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in _HEADING.findall(_prose(document))}


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [text for _, found, text in _BLOCK.findall(document.read_text()) if found == language]


def commands(document: Path) -> str:
    """All that is meant to be typed: shell blocks and code in a line."""
    return "\n".join([*blocks(document, "sh"), *_CODE.findall(_prose(document))])


def _prose(document: Path) -> str:
    return _BLOCK.sub("", document.read_text())
