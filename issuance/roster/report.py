"""What a check of a roster found, and its JSON form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from card_core.application import Application
from issuance.roster.problem import FieldProblem


@dataclass(frozen=True, slots=True)
class RowFindings:
    """What was found in one row. row: from 1, without the header."""

    row: int
    problems: tuple[FieldProblem, ...]

    def to_json(self) -> dict[str, Any]:
        """{"row": n, "problems": [{"field", "code", "message_zh", "message_en"}, ...]}"""
        return {
            "row": self.row,
            "problems": [
                {
                    "field": field,
                    "code": problem.code,
                    "message_zh": problem.message_zh,
                    "message_en": problem.message_en,
                }
                for field, problem in self.problems
            ],
        }


@dataclass(frozen=True, slots=True)
class RosterReport:
    """The outcome for a whole file, each in the order of its rows; nobody's data is in it.

    accepted: row numbers. warnings: of accepted and refused rows alike.
    digest_hex: SM3 of the file's bytes, hex.
    """

    accepted: Sequence[int]
    refused: Sequence[RowFindings]
    warnings: Sequence[RowFindings]
    digest_hex: str

    def parts(self) -> Mapping[str, Iterable[Any]]:
        """As `to_json`, a row at a time."""
        return {
            "accepted": self.accepted,
            "refused": (findings.to_json() for findings in self.refused),
            "warnings": (findings.to_json() for findings in self.warnings),
        }

    def to_json(self) -> dict[str, Any]:
        """{"accepted": [row, ...], "refused": [...], "warnings": [...]}"""
        return {name: list(rows) for name, rows in self.parts().items()}


@dataclass(frozen=True, slots=True)
class WholeRoster(RosterReport):
    """A report with the accepted people themselves: for a roster that is small enough to hold."""

    applications: tuple[Application, ...]
