"""Judge one row of a card stock: everything that is wrong with it at once, or the card it is."""

import re
from datetime import date
from typing import Final, NamedTuple

from card_core.identity import validate_mobile, validate_name
from card_core.states import CardState
from card_core.stock_card import StockCard
from issuance.roster import problem as roster_problem
from issuance.roster.bank import BANKS
from issuance.roster.columns import Cells
from issuance.roster.normalise import (
    normalise_compact,
    normalise_date,
    normalise_name,
    normalise_number,
    normalise_phone,
)
from issuance.roster.problem import FieldProblem
from issuance.roster.validate import Findings, drop_unusable, is_filled, read_number
from issuance.stock import columns, problem

CODE_COMPARED: Final = 24  # of the 32 digits on the chip; the rest are F

STATE_BY_TEXT: Final = {
    **{state.aaz502: state for state in CardState if state.aaz502 is not None},
    "封存": CardState.SEALED,
    "正常": CardState.NORMAL,
    "已启用": CardState.NORMAL,
    "正式挂失": CardState.FORMAL_LOSS,
    "应用锁定": CardState.LOCKED,
    "临时挂失": CardState.TEMPORARY_LOSS,
    "注销": CardState.CANCELLED,
    "未启用": CardState.NOT_ACTIVATED,
}
_VOID: Final = "6"

_is_card_number = re.compile(r"[0-9A-Z]{9}").fullmatch
_is_code = re.compile(r"[0-9]{6}[0-9A-F]{18}(?:[0-9A-F]{8})?").fullmatch
_is_rounded = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]+").fullmatch


class StockVerdict(NamedTuple):
    """What a row is worth: a card, or its problems; warnings come with either."""

    card: StockCard | None
    problems: list[FieldProblem]
    warnings: list[FieldProblem]


def normalise_stock_row(cells: Cells) -> Cells:
    """The row, in the order of `columns.TITLES`, with every cell in its one form."""
    card_number, code, number, name, state, bank, issued, expires, phone = cells
    return (
        normalise_number(card_number),
        normalise_number(code),
        normalise_number(number),
        normalise_name(name),
        normalise_compact(state),
        normalise_compact(bank),
        normalise_date(issued),
        normalise_date(expires),
        normalise_phone(phone),
    )


def validate_stock_row(row: int, cells: Cells, *, today: date) -> StockVerdict:
    """The verdict on one normalised row. today: the day in Asia/Shanghai."""
    found = Findings()
    card_number, code, number_text, name, state_text, bank, issued, expires, phone = drop_unusable(
        cells, found, columns.TITLES
    )
    if is_filled(columns.CARD_NUMBER, card_number, found) and not _is_card_number(card_number):
        found.add(columns.CARD_NUMBER, problem.CARD_NUMBER_SHAPE)
    _validate_code(code, found)
    number = read_number(columns.NUMBER, number_text, found)
    if is_filled(columns.NAME, name, found):
        found.add(columns.NAME, validate_name(name))
    state = _read_state(state_text, found)
    if is_filled(columns.BANK, bank, found) and bank not in BANKS:
        found.add(columns.BANK, roster_problem.BANK_UNKNOWN)
    issued_on, expires_on = _read_dates(issued, expires, today, found)
    if phone and not found.has(columns.PHONE):
        found.add(columns.PHONE, validate_mobile(phone))
    found.problems.sort(key=lambda one: columns.TITLES.index(one.field))
    if found.problems or not (number and state and issued_on and expires_on):
        return StockVerdict(None, found.problems, found.warnings)
    if state is not CardState.CANCELLED and expires_on < today:
        found.warn(columns.EXPIRES, problem.EXPIRED)
    card = StockCard(
        row=row,
        card_number=card_number,
        identification_code=code[:CODE_COMPARED],
        number=number,
        name=name,
        state=state,
        bank=bank,
        issued_on=issued_on,
        expires_on=expires_on,
        phone=phone,
    )
    return StockVerdict(card, found.problems, found.warnings)


def _validate_code(code: str, found: Findings) -> None:
    if not is_filled(columns.CODE, code, found):
        return
    if _is_rounded(code):
        found.add(columns.CODE, problem.CODE_ROUNDED)
    elif not _is_code(code):
        found.add(columns.CODE, problem.CODE_SHAPE)


def _read_state(text: str, found: Findings) -> CardState | None:
    if not is_filled(columns.STATE, text, found):
        return None
    state = STATE_BY_TEXT.get(text)
    if state is None:
        found.add(columns.STATE, problem.STATE_VOID if text == _VOID else problem.STATE_UNKNOWN)
    return state


def _read_dates(
    issued: str, expires: str, today: date, found: Findings
) -> tuple[date | None, date | None]:
    issued_on = _read_date(columns.ISSUED, issued, found)
    expires_on = _read_date(columns.EXPIRES, expires, found)
    if issued_on and issued_on > today:
        found.add(columns.ISSUED, problem.ISSUED_IN_FUTURE)
    if issued_on and expires_on and expires_on <= issued_on:
        found.add(columns.EXPIRES, problem.EXPIRES_BEFORE_ISSUE)
    return issued_on, expires_on


def _read_date(field: str, text: str, found: Findings) -> date | None:
    if not is_filled(field, text, found):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        found.add(field, problem.DATE_UNREADABLE)
        return None
