"""Rosters (名册): a bureau's list of people who apply for cards, read and checked row by row.

    read        the file: CSV in UTF-8 or GB 18030, XLSX; refused whole if it can't be used
    normalise   the same content in one form
    good_rows   the short way for rows with nothing wrong
    validate    all problems of a row at once
    check       the file's rows against each other; the report

Errors: RosterFileError (issuance/roster/file_error.py has its codes). A bad row is no error: it
stands in the report, and the other rows go on.
"""

from issuance.roster.check import CheckedRow, check_roster, check_rows, check_stream
from issuance.roster.file_error import RosterFileError
from issuance.roster.read import open_roster
from issuance.roster.report import RosterReport, RowFindings, WholeRoster

__all__ = [
    "CheckedRow",
    "RosterFileError",
    "RosterReport",
    "RowFindings",
    "WholeRoster",
    "check_roster",
    "check_rows",
    "check_stream",
    "open_roster",
]
