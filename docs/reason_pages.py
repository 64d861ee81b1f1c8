"""Writes what is known of each reason into its page in docs/reasons, and the lists of docs/reasons.md; `make docs`.

The rest of a page is written by hand, under the headings that every page has.
"""

import re
from pathlib import Path

from modelyard.contract.about import ABOUT, About
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import page

ROOT = Path(__file__).parents[1]
INDEX = ROOT / "docs" / "reasons.md"
HEADINGS = ("What it means", "Why it happens", "What to do", "How to see more")
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_BLAME = {
    "nobody": "nobody has to",
    "user": "you",
    "world": "the cluster's or the world's owners",
    "either": "you or the cluster's owners, as the message says",
}
_BADNESS = {
    "progress": "none: it is on its way",
    "good": "none: it is as it should be",
    "finding": "a finding: it was measured",
    "error": "an error",
}


def path_of(reason: Reason) -> Path:
    return ROOT / page(reason)


def rendered(reason: Reason, text: str) -> str:
    """The page with its title and its generated part as they should be."""
    about = ABOUT[reason]
    rows = {
        "Shown by": ", ".join(about.kinds),
        "Severity": _BADNESS[about.severity],
        "Who can mend it": _BLAME[about.blame],
        "Next step": about.next_step,
    }
    table = "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])
    titled = re.sub(r"\A# .*\n", f"# {reason}\n", text)
    return _PART.sub(lambda found: f"{found[1]}{table}\n{found[3]}", titled)


def rendered_index(text: str) -> str:
    """The list of all pages, with the lists by severity. Raises KeyError for a list that does not exist."""
    lists = {severity: _list(severity) for severity in _BADNESS}
    return _PART.sub(lambda found: f"{found[1]}{lists[found[2]]}\n{found[3]}", text)


def _list(severity: str) -> str:
    listed = [(reason, about) for reason, about in ABOUT.items() if about.severity == severity]
    return "\n".join(["| Reason | Next step |", "|---|---|", *(_row(reason, about) for reason, about in listed)])


def _row(reason: Reason, about: About) -> str:
    return f"| [{reason}](reasons/{reason}.md) | {about.next_step} |"


def main() -> None:
    for reason in Reason:
        path_of(reason).write_text(rendered(reason, path_of(reason).read_text()))
    INDEX.write_text(rendered_index(INDEX.read_text()))


if __name__ == "__main__":
    main()
