"""What was found in the rows of a file: a table on the screen, every row's result in a report."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from issuance.cli import screen
from issuance.cli.failures import UNUSABLE_FILE
from issuance.files import PUBLIC, whole_file
from issuance.roster import RowFindings

ROWS_SHOWN = 5
COLUMNS = ("栏 Field", "行数 Rows", "行号 Which", "怎么办 What to do")


def check_report_place(file: Path, report: Path | None) -> None:
    """The report must not take the place of the file that is checked, by whatever name.

    Raises typer.Exit.
    """
    try:
        is_same = report is not None and report.samefile(file)
    except OSError:
        return  # one of them isn't there, or whoever opens it says what is wrong
    if is_same:
        screen.show_error(
            f"{report} 就是要检查的文件，逐行结果会覆盖它。请为 --report 换一个文件名。",
            f"{report} is the file itself and would be overwritten. Choose another name for "
            "--report.",
        )
        raise typer.Exit(UNUSABLE_FILE)


def write_rows(path: Path, content: Mapping[str, Iterable[Any]]) -> None:
    """Write a report, a row a line, whole or not at all; it has no personal data.

    Raises FileRefusedError.
    """
    with whole_file(path, mode=PUBLIC) as file:
        for at, (name, rows) in enumerate(content.items()):
            file.write(f"{',' if at else '{'}\n{json.dumps(name)}: [".encode())
            for number, row in enumerate(rows):
                line = json.dumps(row, ensure_ascii=False)
                file.write(f"{',' if number else ''}\n {line}".encode())
            file.write(b"]")
        file.write(b"}\n")


def show_rows(
    accepted: int, refused: Sequence[RowFindings], warnings: Sequence[RowFindings]
) -> None:
    """How many rows are good, and a table of what is wrong with the others."""
    screen.say(
        f"接受 {accepted} 行，退回 {len(refused)} 行，提醒 {len(warnings)} 行。",
        f"{accepted} rows accepted, {len(refused)} refused, {len(warnings)} with a warning.",
        style="bold",
    )
    for findings, title in (
        (refused, "退回 Refused"),
        (warnings, "提醒（不影响受理） Warnings (accepted all the same)"),
    ):
        if findings:
            screen.show_table(COLUMNS, _by_problem(findings), title=title)


def _by_problem(findings: Iterable[RowFindings]) -> Iterator[tuple[str, int, str, str]]:
    """One line for each kind of problem, the most frequent first."""
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    texts: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for found in findings:
        for field, problem in found.problems:
            rows[field, problem.code].append(found.row)
            texts[field, problem.code].append((problem.message_zh, problem.message_en))
    for key in sorted(rows, key=lambda key: -len(rows[key])):
        zh, en = texts[key][0]
        if len(set(texts[key])) > 1:
            # The text speaks of another row, and is an example.
            zh, en = f"第 {rows[key][0]} 行：{zh}", f"Row {rows[key][0]}: {en}"
        yield key[0], len(rows[key]), which(rows[key]), f"{zh}\n{en}"


def which(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:ROWS_SHOWN])) + (" …" if len(rows) > ROWS_SHOWN else "")
