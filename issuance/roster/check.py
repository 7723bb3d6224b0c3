"""Check a whole roster: read, normalise, validate, and let nobody stand in it twice.

A roster may have a million rows: they come and go in portions. What stays of a row is its number,
32 bytes of whoever is in it, and what was found wrong.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from card_core.application import Application
from issuance.roster import columns
from issuance.roster.good_rows import read_good_row
from issuance.roster.normalise import normalise_row
from issuance.roster.problem import ROW_SHIFTED, FieldProblem, doubled
from issuance.roster.read import RosterFile, RosterRow, open_roster
from issuance.roster.report import RosterReport, RowFindings, WholeRoster
from issuance.roster.validate import validate_row

Progress = Callable[[int, int | None], None]
"""Called with the number of rows done and about how many there are, None if the file doesn't tell;
now and then, and at the end."""
Take = Callable[[list[Application]], None]
"""Given the good rows in the order of the file, at most PORTION_ROWS of them at a time."""

PORTION_ROWS: Final = 1000
_PROGRESS_ROWS: Final = 1000
_SHARED_FINDINGS_MAX: Final = 10_000
_NUMBER: Final = columns.TITLES.index(columns.NUMBER)


class CheckedRow(NamedTuple):
    """One row's outcome: an application if and only if there are no problems."""

    number: int
    application: Application | None
    problems: list[FieldProblem]
    warnings: list[FieldProblem]


def check_roster(path: Path, *, today: date, progress: Progress | None = None) -> WholeRoster:
    """What is accepted and refused in a roster file, with the people who are accepted.

    today: the day in Asia/Shanghai, for ages. Raises RosterFileError if the file can't be used.
    """
    people: list[Application] = []
    with open_roster(path) as roster:
        found = check_stream(roster, today=today, take=people.extend, progress=progress)
    return WholeRoster(
        found.accepted, found.refused, found.warnings, found.digest_hex, tuple(people)
    )


def check_stream(
    roster: RosterFile, *, today: date, take: Take, progress: Progress | None = None
) -> RosterReport:
    """As `check_roster`, for an open roster whose people are handed on and not kept.

    Raises RosterFileError, also after rows were taken: as long as this has not returned and the
    file is not closed, nothing of it counts.
    """
    findings = _Findings()
    portion: list[Application] = []
    done = 0
    for done, checked in enumerate(check_rows(roster.rows, today=today), start=1):
        findings.add(checked)
        if checked.application is not None:
            portion.append(checked.application)
            if len(portion) == PORTION_ROWS:
                take(portion)
                portion = []
        if progress and done % _PROGRESS_ROWS == 0:
            progress(done, roster.rows_expected)
    if portion:
        take(portion)
    if progress:
        progress(done, done)
    return findings.report(roster.digest_hex)


def check_rows(rows: Iterable[RosterRow], *, today: date) -> Iterator[CheckedRow]:
    """Yield the outcome of each row. Of rows with one number, the first that is good stays."""
    accepted: dict[str | int, int] = {}
    for number, cells, is_shifted in rows:
        problems: list[FieldProblem] = []
        warnings: list[FieldProblem] = []
        tidy, application = cells, None if is_shifted else read_good_row(number, cells, today=today)
        if application is None:
            tidy = normalise_row(cells)
            application, problems, warnings = validate_row(number, tidy, today=today)
            if is_shifted:
                problems.append(FieldProblem(columns.TITLES[-1], ROW_SHIFTED))
        person = _person(tidy[_NUMBER])
        first_row = accepted.get(person)
        if first_row is not None:
            problems.append(FieldProblem(columns.NUMBER, doubled(first_row)))
        if problems:
            yield CheckedRow(number, None, problems, warnings)
        else:
            accepted[person] = number
            yield CheckedRow(number, application, problems, warnings)


def _person(number: str) -> str | int:
    """The number as a key: for 18 digits an integer, which takes half as much memory."""
    return int(number) if len(number) == 18 and number.isascii() and number.isdigit() else number


@dataclass(slots=True)
class _Findings:
    """The outcomes of rows, as small as they go: rows with the same problems share them."""

    accepted: "array[int]" = field(default_factory=lambda: array("I"))
    refused: list[RowFindings] = field(default_factory=list)
    warnings: list[RowFindings] = field(default_factory=list)
    _shared: dict[tuple[FieldProblem, ...], tuple[FieldProblem, ...]] = field(default_factory=dict)

    def add(self, checked: CheckedRow) -> None:
        if checked.application is not None:
            self.accepted.append(checked.number)
        else:
            self.refused.append(RowFindings(checked.number, self._same(checked.problems)))
        if checked.warnings:
            self.warnings.append(RowFindings(checked.number, self._same(checked.warnings)))

    def report(self, digest_hex: str) -> RosterReport:
        return RosterReport(self.accepted, self.refused, self.warnings, digest_hex)

    def _same(self, found: list[FieldProblem]) -> tuple[FieldProblem, ...]:
        problems = tuple(found)
        if len(self._shared) < _SHARED_FINDINGS_MAX:
            return self._shared.setdefault(problems, problems)
        return self._shared.get(problems, problems)
