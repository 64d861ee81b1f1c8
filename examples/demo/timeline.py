"""Shows each step while it runs and keeps how long it took, as JSON."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.table import Table


@dataclass
class Step:
    """A running step; `update` changes the live line, `result` is what is printed at its end."""

    title: str
    status: Status
    started: float
    result: str = ""

    def update(self, detail: str) -> None:
        self.status.update(f"{self.title} [dim]{time.monotonic() - self.started:4.0f} s  {detail}[/dim]")


@dataclass
class Timeline:
    path: Path
    console: Console = field(default_factory=Console)
    steps: list[dict[str, str | float]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def chapter(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/bold]", soft_wrap=True)

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False, soft_wrap=True)

    def explain(self, *lines: str) -> None:
        for line in lines:
            self.console.print(f"  [italic]{line}[/italic]", highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        begun = time.monotonic()
        with self.console.status(title) as status:
            current = Step(title, status, begun)
            try:
                yield current
            except BaseException:
                self.console.print(f"  [red]✗[/red] {title} [dim]{time.monotonic() - begun:.0f} s[/dim]")
                raise
        seconds = time.monotonic() - begun
        self.steps.append({"step": title, "seconds": round(seconds, 1), "result": current.result})
        self.console.print(
            f"  [green]✓[/green] {title} [dim]{seconds:5.1f} s[/dim]  {current.result}", highlight=False, soft_wrap=True
        )

    def finish(self) -> float:
        """Print the steps, write them to `path`; returns the total in seconds."""
        total = time.monotonic() - self.started
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"totalSeconds": round(total, 1), "steps": self.steps}, indent=1) + "\n")
        self.chapter("How long it took")
        table = Table("step", "seconds", box=None)
        for step in self.steps:
            table.add_row(str(step["step"]), f"{step['seconds']:.1f}")
        between = total - sum(float(step["seconds"]) for step in self.steps)
        table.add_row("between steps: captured rows are written every 10 s", f"{between:.1f}")
        table.add_row("[bold]total[/bold]", f"[bold]{total:.1f}[/bold]")
        self.console.print(table)
        return total
