"""Check a whole card stock: its rows by themselves, then against the holder base."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from card_core.kernel.stock_reconciling import reconcile
from card_core.stock_card import StockCard
from card_core.store import Store
from issuance.roster.problem import ROW_SHIFTED, FieldProblem
from issuance.roster.read import open_roster
from issuance.roster.report import RowFindings
from issuance.stock import columns
from issuance.stock.problem import PHONE_DIFFERS, REFUSED
from issuance.stock.validate import normalise_stock_row, validate_stock_row

Progress = Callable[[int, int | None], None]

_PROGRESS_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class StockReport:
    """The outcome for a whole file, each in the order of its rows.

    cards: those that can be taken over. warnings: of accepted and refused rows alike.
    known_people: of how many accepted cards the holder base has the person; None before it was
    asked. digest_hex: SM3 of the file's bytes.
    """

    cards: tuple[StockCard, ...]
    refused: tuple[RowFindings, ...]
    warnings: tuple[RowFindings, ...]
    digest_hex: str
    known_people: int | None = None

    def to_json(self) -> dict[str, Any]:
        """{"accepted": [row, ...], "refused": [...], "warnings": [...]}; no personal data."""
        return {
            "accepted": [card.row for card in self.cards],
            "refused": [findings.to_json() for findings in self.refused],
            "warnings": [findings.to_json() for findings in self.warnings],
        }


def check_stock(
    path: Path, *, today: date, progress: Progress = lambda done, total: None
) -> StockReport:
    """What is accepted and refused by the file alone.

    today: the day in Asia/Shanghai. progress: called with the number of rows done and about how
    many there are. Raises RosterFileError if the file can't be used at all.
    """
    cards: list[StockCard] = []
    refused: list[RowFindings] = []
    warnings: list[RowFindings] = []
    with open_roster(path, columns.STOCK) as file:
        for done, (number, cells, is_shifted) in enumerate(file.rows, 1):
            card, problems, warned = validate_stock_row(
                number, normalise_stock_row(cells), today=today
            )
            if is_shifted:
                problems.append(FieldProblem(columns.TITLES[-1], ROW_SHIFTED))
            if card is None or problems:
                refused.append(RowFindings(number, tuple(problems)))
            else:
                cards.append(card)
            if warned:
                warnings.append(RowFindings(number, tuple(warned)))
            if done % _PROGRESS_ROWS == 0:
                progress(done, file.rows_expected)
    return StockReport(tuple(cards), tuple(refused), tuple(warnings), file.digest_hex)


def compare_stock(store: Store, found: StockReport) -> StockReport:
    """The report after a comparison with the holder base and its cards; nothing is changed.

    Raises StoreError.
    """
    with store.read() as tx:
        reconciled = list(reconcile(tx, found.cards))
    good = [one for one in reconciled if one.refusal is None]
    refusals = [(one.card.row, one.refusal) for one in reconciled if one.refusal is not None]
    differs = [one.card.row for one in good if one.phone_differs]
    known = sum(one.holder_id is not None for one in good)
    after = replace(found, cards=tuple(one.card for one in good), known_people=known)
    return with_refusals(after, refusals, differs)


def with_refusals(
    found: StockReport, refusals: Sequence[tuple[int, str]], phone_differs: Sequence[int]
) -> StockReport:
    """The report with what the holder base refuses, by row and code, and what it says besides."""
    refused = [RowFindings(row, (FieldProblem(*REFUSED[code]),)) for row, code in refusals]
    warned = [RowFindings(row, (FieldProblem(*PHONE_DIFFERS),)) for row in phone_differs]
    gone = {row for row, _ in refusals}
    return replace(
        found,
        cards=tuple(card for card in found.cards if card.row not in gone),
        refused=_by_row([*found.refused, *refused]),
        warnings=_by_row([*found.warnings, *warned]),
    )


def _by_row(findings: Sequence[RowFindings]) -> tuple[RowFindings, ...]:
    return tuple(sorted(findings, key=lambda one: one.row))
