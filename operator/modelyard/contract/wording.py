"""How words for people look: one line, printable, without secrets, bounded, a failure's with the link to its page.

What others said stands in “ ”: when a message is too long their words are cut, not ours with the advice.
"""

import re
from functools import lru_cache

from modelyard.contract.about import ABOUT
from modelyard.contract.reasons import Reason
from modelyard.contract.redaction import redacted

LIMIT = 256  # characters of a condition's message and of an event's note, with the link
DETAIL_LIMIT = 512  # of other messages in a status
PAGES = "docs/reasons"
_QUOTED_LEAST = 20  # characters that are left of others' words as long as there is anything else to cut

_LINK = re.compile(rf"\s*\(see {PAGES}/(\w+)\.md\)")
_INNER = str.maketrans("“”", '""')
_QUOTE = re.compile("“([^“”]*)”")


def page(reason: Reason) -> str:
    """The path of the page about a reason, in the repository."""
    return f"{PAGES}/{reason}.md"


def one_line(text: str) -> str:
    """Without line breaks and control characters, and without secrets."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(redacted(printable).split())


def quoted(text: str) -> str:
    """What somebody else said, marked as that."""
    return f"“{one_line(text).translate(_INNER).rstrip('. ')}”"


def plain(text: str, limit: int = LIMIT) -> str:
    """The text as people may see it, in at most so many characters."""
    return _fitted(one_line(text), limit)


@lru_cache(maxsize=1024)  # many resources say the same, again and again
def told(reason: Reason, message: str, about: Reason | None = None, *, link: bool = False) -> str:
    """A condition's message or an event's note. A fault's ends with the link to its page; so does one about a fault:
    `about`, or what the message itself links to at its end. `link` wants a link in any case."""
    line = one_line(message)
    text = _LINK.sub("", line)
    linked = [Reason(found[1]) for found in _LINK.finditer(line) if found.end() == len(line)]
    target = about or (reason if ABOUT[reason].fault else next(iter(linked), reason if link else None))
    if link and not text:  # whoever should have said more did not
        text = ABOUT[reason].next_step
    if not text or target is None:
        return _fitted(text, LIMIT)
    end = f" (see {page(target)})"
    return _fitted(text, LIMIT - len(end)) + end


def _fitted(line: str, limit: int) -> str:
    while len(line) > limit:
        found = max(_QUOTE.finditer(line), key=lambda q: len(q[1]), default=None)
        if found is None or len(found[1]) <= _QUOTED_LEAST:
            return _without_middle(line, limit)
        room = max(_QUOTED_LEAST, len(found[1]) - (len(line) - limit))
        line = f"{line[: found.start(1)]}{_without_middle(found[1], room)}{line[found.end(1) :]}"
    return line


def _without_middle(text: str, limit: int) -> str:
    """What happened stands at the beginning, what to do at the end."""
    head = (limit - 3) * 3 // 5
    return f"{text[:head].rstrip()} … {text[len(text) - (limit - 3 - head) :].lstrip()}"
