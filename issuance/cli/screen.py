"""What a person at the terminal sees: lines, tables, progress and questions.

Results go to standard output, everything about the way there to standard error. On a terminal
rich draws; elsewhere the same content comes as plain lines, so that it can be kept and searched.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from getpass import getpass

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from issuance.errors import IssuanceError

Report = Callable[[int, int | None], None]
"""Called with (done, total) as long work goes on; total is None while nobody knows it."""

PLAIN_REPORTS = 4

out = Console(highlight=False, markup=False)
err = Console(highlight=False, markup=False, stderr=True)


def say(zh: str, en: str, *, style: str = "") -> None:
    """A result in both languages, one line each."""
    for line in (zh, en):
        out.print(line, style=style, soft_wrap=True)


def hint(command: str) -> None:
    """The command that comes next."""
    out.print(f"  {command}", style="cyan", soft_wrap=True)


def warn(zh: str, en: str) -> None:
    for line in (f"注意：{zh}", f"Note: {en}"):
        err.print(line, style="yellow", soft_wrap=True)


def show_error(zh: str, en: str) -> None:
    """A failure, in both languages, on standard error."""
    for label, line in (("错误：", zh), ("Error: ", en)):
        err.print(Text.assemble((label, "bold red"), line), soft_wrap=True)


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = ""
) -> None:
    """A table on a terminal, a line for each row elsewhere; None and nothing become a dash."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    if out.is_terminal:
        table = Table(
            title=title or None,
            title_justify="left",
            title_style="bold",
            header_style="bold",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        for column in columns:
            # Chinese above English: the columns stay narrow.
            table.add_column(column.replace(" ", "\n", 1), overflow="fold")
        for row in cells:
            table.add_row(*map(Text, row))
        out.print(table)
        return
    if title:
        out.print(title)
    lines = [list(columns), *([cell.replace("\n", " ") for cell in row] for row in cells)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True))
        out.print("  ".join(padded).rstrip(), soft_wrap=True)


def show_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names and values, one pair a line; the names are bilingual already."""
    pairs = [(name, _cell(value)) for name, value in facts]
    width = max(cell_len(name) for name, _ in pairs)
    for name, value in pairs:
        line = Text(set_cell_size(name, width), style="dim")
        out.print(line.append(f"  {value}", style="not dim"), soft_wrap=True)


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else str(value)


@contextmanager
def progress(zh: str, en: str) -> Iterator[Report]:
    """Show how far long work is: a bar on a terminal, a line for each quarter elsewhere."""
    if not err.is_terminal:
        yield _plain_progress(f"{zh} {en}")
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(f"{zh} {en}", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


@contextmanager
def working(zh: str, en: str) -> Iterator[None]:
    """Show that work of unknown length goes on."""
    if not err.is_terminal:
        err.print(f"{zh} {en} …", soft_wrap=True)
        yield
        return
    with err.status(f"{zh} {en} …"):
        yield


class _Rate(ProgressColumn):
    """How much is done in a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")


def _plain_progress(label: str) -> Report:
    shown, first, began_at = -1, 0, 0.0

    def report(done: int, total: int | None) -> None:
        nonlocal shown, first, began_at
        quarter = PLAIN_REPORTS * done // total if total else shown
        if shown < 0:  # work that was interrupted goes on where it stopped
            first, began_at = done, time.monotonic()
        if quarter > shown:
            shown = quarter
            rate = (done - first) / max(time.monotonic() - began_at, 0.001)
            left = timedelta(seconds=round((total - done) / rate)) if total and rate else None
            how_fast = f"  {rate:.0f}/s, {left}" if left is not None else ""
            err.print(f"{label} {done}/{total}{how_fast}", soft_wrap=True)

    return report


def ask_secret(zh: str, en: str, *, instead: str) -> str:
    """Ask for something that isn't shown while typed.

    instead: how to give it where nobody can be asked. Raises IssuanceError without a terminal.
    """
    if not sys.stdin.isatty():
        raise IssuanceError(
            "nobody_to_ask",
            f"需要输入{zh}，但当前没有终端。请使用 {instead}。",
            f"There is no terminal to ask at for this: {en}. Use {instead}.",
        )
    # Not rich's prompt: it shows the question before it turns the echo off.
    return getpass(f"{zh} {en}: ")


def ask_new_secret(zh: str, en: str, *, instead: str) -> str:
    """Ask twice until both are the same."""
    while True:
        first = ask_secret(zh, en, instead=instead)
        if first == ask_secret(f"再次输入{zh}", f"{en} again", instead=instead):
            return first
        warn("两次输入不一致，请重新输入。", "The two differ; try again.")


def confirm(zh: str, en: str, *, instead: str) -> bool:
    """Ask for a yes. Raises IssuanceError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise IssuanceError(
            "nobody_to_ask",
            f"需要确认，但当前没有终端。确认无误后请使用 {instead}。",
            f"This needs a yes and there is no terminal to ask at. Once sure, use {instead}.",
        )
    answer = err.input(f"{zh} {en} [y/N] ", markup=False)
    return answer.strip().lower() in {"y", "yes", "是"}
