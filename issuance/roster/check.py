"""Check a whole roster: read, normalise, validate, and let nobody stand in it twice."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from card_core.application import Application
from issuance.roster import columns
from issuance.roster.normalise import normalise_row
from issuance.roster.problem import ROW_SHIFTED, FieldProblem, doubled
from issuance.roster.read import RosterRow, open_roster
from issuance.roster.report import RosterReport, RowFindings
from issuance.roster.validate import validate_row

Progress = Callable[[int, int | None], None]

_PROGRESS_ROWS: Final = 1000


class CheckedRow(NamedTuple):
    """One row's outcome: an application if and only if there are no problems."""

    number: int
    application: Application | None
    problems: list[FieldProblem]
    warnings: list[FieldProblem]


def check_roster(path: Path, *, today: date, progress: Progress | None = None) -> RosterReport:
    """Return what is accepted and what is refused in a roster file.

    today: the day in Asia/Shanghai, for ages. progress: called with the number of rows done and
    about how many there are (None if the file doesn't tell), now and then and at the end.
    Raises RosterFileError if the file can't be used at all.
    """
    applications: list[Application] = []
    refused: list[RowFindings] = []
    warnings: list[RowFindings] = []
    done = 0
    with open_roster(path) as roster:
        for done, checked in enumerate(check_rows(roster.rows, today=today), start=1):
            if checked.application is not None:
                applications.append(checked.application)
            else:
                refused.append(RowFindings(checked.number, tuple(checked.problems)))
            if checked.warnings:
                warnings.append(RowFindings(checked.number, tuple(checked.warnings)))
            if progress and done % _PROGRESS_ROWS == 0:
                progress(done, roster.rows_expected)
    if progress:
        progress(done, done)
    return RosterReport(tuple(applications), tuple(refused), tuple(warnings), roster.digest_hex)


def check_rows(rows: Iterable[RosterRow], *, today: date) -> Iterator[CheckedRow]:
    """Yield the outcome of each row. Of rows with one number, the first that is good stays."""
    accepted: dict[str, int] = {}
    for number, cells, is_shifted in rows:
        tidy = normalise_row(cells)
        application, problems, warnings = validate_row(number, tidy, today=today)
        if is_shifted:
            problems.append(FieldProblem(columns.TITLES[-1], ROW_SHIFTED))
        first_row = accepted.get(tidy[_NUMBER])
        if first_row is not None:
            problems.append(FieldProblem(columns.NUMBER, doubled(first_row)))
        if problems:
            yield CheckedRow(number, None, problems, warnings)
        else:
            accepted[tidy[_NUMBER]] = number
            yield CheckedRow(number, application, problems, warnings)


_NUMBER: Final = columns.TITLES.index(columns.NUMBER)
