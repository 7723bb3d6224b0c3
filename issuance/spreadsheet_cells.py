"""Texts as cells of files that people open in a spreadsheet."""

from typing import Final

_RUN_BY_SPREADSHEETS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """A spreadsheet runs what begins like this; behind an apostrophe it is text."""
    return f"'{cell}" if cell.startswith(_RUN_BY_SPREADSHEETS) else cell
