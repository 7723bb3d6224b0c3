"""The steps as they are shown: a number, a tick, what came out, and how long it took.

Each step says what has to come out of it. The first one that comes out otherwise ends the run.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from card_core.errors import CardCoreError
from issuance.cli import screen

TITLE_WIDTH = 46


class DeviationError(Exception):
    """A step came out otherwise than it has to."""

    def __init__(self, what: str, found: object, wanted: object) -> None:
        super().__init__(what)
        self.message_zh = f"{what}：应为 {wanted}，实为 {found}"
        self.message_en = f"{what}: expected {wanted}, found {found}"


class Step:
    """One step while it runs."""

    def __init__(self) -> None:
        self.result = ""
        self.shown: list[RenderableType] = []

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Raise DeviationError unless the two are equal."""
        if found != wanted:
            raise DeviationError(what, found, wanted)

    def show(self, renderable: RenderableType) -> None:
        """Show something below the step's own line."""
        self.shown.append(renderable)


class Steps:
    """Numbers the steps and prints each when it is done."""

    def __init__(self) -> None:
        self.count = 0
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def part(self, zh: str, en: str) -> None:
        """A heading above the steps that follow."""
        screen.out.print()
        title = Text(f"{zh} {en}", style="bold")
        if screen.out.is_terminal:
            screen.out.print(Rule(title, align="left", style="dim"))
        else:
            screen.out.print(Text("-- ").append_text(title))

    @contextmanager
    def step(self, zh: str, en: str) -> Iterator[Step]:
        """Run one step; whatever goes wrong inside is shown with a cross, and goes on up."""
        self.count += 1
        title = f"{zh} {en}"
        step = Step()
        started = time.perf_counter()
        try:
            yield step
        except (DeviationError, CardCoreError):
            self._print(False, title, "", time.perf_counter() - started)
            raise
        self._print(True, title, step.result, time.perf_counter() - started)
        for renderable in step.shown:
            screen.out.print(renderable)

    def _print(self, is_good: bool, title: str, result: str, seconds: float) -> None:
        line = Text(f"{self.count:>3} ", style="dim")
        line.append("✓ " if is_good else "✗ ", style="bold green" if is_good else "bold red")
        line.append(title, style="")
        line.append(" " * max(1, TITLE_WIDTH - cell_len(title)))
        line.append(f"{seconds * 1000:7.1f} ms", style="cyan")
        if result:
            line.append(f"  {result}", style="dim")
        screen.out.print(line, soft_wrap=True)


def boxed(renderable: RenderableType, *, title: str, colour: str) -> RenderableType:
    """A panel on a terminal; elsewhere the content alone, below its title."""
    if screen.out.is_terminal:
        return Panel(renderable, title=title, title_align="left", border_style=colour, width=88)
    return renderable
