"""The Python files of the page: `python programs.py <page> <folder>`. Of the standard library: images run it, too."""

import re
import sys
from pathlib import Path

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# (\w+\.py)\n")


def write_programs(page: Path, folder: Path) -> None:
    """Writes each block of Python under the name in its first line. Raises ValueError for a block without one."""
    for text in _BLOCK.findall(page.read_text()):
        name = _NAME.match(text)
        if not name:
            raise ValueError(f"{page.name} shows a program that does not begin with its name: {text}")
        (folder / name[1]).write_text(text)


if __name__ == "__main__":
    write_programs(*map(Path, sys.argv[1:]))
