"""The making of each card (制卡): one row beside the card, from its number to its holder's hand.

What bank and maker answered of a card is sealed; its identification code is found by blind index.
"""

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import func, select

from card_core.states import CardState, MakingState
from card_core.store import bulk, guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import cards
from card_core.store.schema import makings as table
from card_core.store.stock_cards import code_index_of

ROWS_AT_ONCE = 500

_COLUMNS = tuple(str(column.name) for column in table.c)
_NUMBER = struct.Struct(">I")


class NewMaking(NamedTuple):
    """position: from 1 within the batch. bank, branch: as the application has them."""

    card_id: str
    position: int
    bank: str
    branch: str
    state: MakingState = MakingState.AWAITING_BANK


class Making(NamedTuple):
    """As stored. order_id, record_number: of the last making order that the card was in.

    reason: of the last failure, two digits. row: the whole of it, for `change_all`.
    """

    card_id: str
    batch_id: str
    position: int
    bank: str
    branch: str
    state: MakingState
    order_id: str | None
    record_number: int | None
    reason: str | None
    row: Any

    def __repr__(self) -> str:
        return f"Making(card_id={self.card_id!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Chip:
    """card_identification_code: 24 hexadecimal digits. card_reset_information: 26 of them."""

    card_identification_code: str
    card_reset_information: str


def add_all(tx: Transaction, batch_id: str, new: Sequence[NewMaking]) -> None:
    """The rows of cards that have a number, and wait for the bank, or for a branch's device."""
    guarded.add_columns(
        tx,
        table,
        {
            "id": [one.card_id for one in new],
            "batch_id": [batch_id] * len(new),
            "position": [one.position for one in new],
            "bank": [one.bank for one in new],
            "branch": [one.branch for one in new],
            "state": [one.state.value for one in new],
        },
    )


def get(tx: Reader, card_id: str, lock: Lock = Lock.NONE) -> Making | None:
    row = guarded.get(tx, table, card_id, lock)
    return None if row is None else _record(row)


def between(tx: Reader, batch_id: str, first: int, last: int) -> list[Making]:
    """Those in these positions, in their order; the caller asks for ROWS_AT_ONCE or so.

    Raises TamperedRowError.
    """
    within, among = ("batch_id", batch_id), ("position", first, last)
    found = bulk.select_between(tx, table, _COLUMNS, within, among)
    guarded.check_all(tx, table, found)
    return list(map(_record, found))


def positions_in(
    tx: Reader, batch_id: str, states: Collection[MakingState], bank: str | None = None
) -> list[int]:
    """The positions of the cards in these states whose card is not activated or cancelled.

    bank: of this one alone. The rows are not checked: whoever acts on them reads them anew.
    """
    statement = (
        select(table.c.position)
        .join(cards, cards.c.id == table.c.id)
        .where(
            table.c.batch_id == batch_id,
            table.c.state.in_([state.value for state in states]),
            cards.c.state == CardState.NOT_ACTIVATED.value,
        )
        .order_by(table.c.position)
    )
    if bank is not None:
        statement = statement.where(table.c.bank == bank)
    return list(tx.connection.execute(statement).scalars())


def at_positions(tx: Reader, batch_id: str, positions: Sequence[int]) -> dict[int, Making]:
    """By position, those of these positions, which go up. Raises TamperedRowError."""
    if not positions:
        return {}
    wanted = set(positions)
    found: dict[int, Making] = {}
    first = positions[0]
    while first <= positions[-1]:
        # Positions that lie far apart are not read with all that is between them.
        part = [one for one in positions if first <= one < first + ROWS_AT_ONCE]
        found |= {
            making.position: making
            for making in between(tx, batch_id, part[0], part[-1])
            if making.position in wanted
        }
        first = min((one for one in positions if one > part[-1]), default=positions[-1] + 1)
    return found


def counts(tx: Reader, batch_id: str) -> dict[tuple[str, MakingState], int]:
    """How many cards of a batch are in each state, by bank."""
    statement = (
        select(table.c.bank, table.c.state, func.count())
        .where(table.c.batch_id == batch_id)
        .group_by(table.c.bank, table.c.state)
    )
    rows = tx.connection.execute(statement)
    return {(bank, MakingState(state)): count for bank, state, count in rows}


def change_all(tx: Transaction, changes: Iterable[tuple[Making, Mapping[str, Any]]]) -> None:
    """Change many rows, all in the same columns; a `state` is a MakingState."""
    pairs = list(changes)
    written = [_stored(changed) for _, changed in pairs]
    names = tuple(written[0]) if written else ()
    columns = {name: [one[name] for one in written] for name in names}
    change_columns(tx, [making for making, _ in pairs], columns)


def change_columns(
    tx: Transaction, changed: Sequence[Making], columns: Mapping[str, list[Any]]
) -> None:
    """As `change_all`, of values as they are stored, given column by column."""
    guarded.change_all(tx, table, [making.row for making in changed], columns)


def change(tx: Transaction, making: Making, **changed: Any) -> None:
    guarded.change(tx, table, making.card_id, **_stored(changed))


def sealed_account(tx: Reader, card_id: str, last_digits: str) -> bytes:
    return tx.cipher.seal(table.name, "account", card_id, last_digits.encode("ascii"))


def account_of(tx: Reader, making: Making) -> str | None:
    """The last digits of the account, None where none was opened. Raises TamperedRowError."""
    sealed = making.row.account
    if sealed is None:
        return None
    return tx.cipher.open(table.name, "account", making.card_id, sealed).decode("ascii")


def sealed_chip(tx: Reader, card_id: str, chip: Chip) -> dict[str, bytes]:
    """The columns that say which chip the card has."""
    text = f"{chip.card_identification_code}|{chip.card_reset_information}"
    return {
        "chip": tx.cipher.seal(table.name, "chip", card_id, text.encode("ascii")),
        "code_index": code_index_of(tx, chip.card_identification_code),
    }


def chip_of(tx: Reader, making: Making) -> Chip | None:
    """Which chip the card has, None before it is made. Raises TamperedRowError."""
    sealed = making.row.chip
    if sealed is None:
        return None
    text = tx.cipher.open(table.name, "chip", making.card_id, sealed).decode("ascii")
    return Chip(*text.split("|"))


def codes_there(tx: Reader, codes: Sequence[str]) -> set[str]:
    """Those of the identification codes that a card has already."""
    code_by_index = {code_index_of(tx, code): code for code in codes}
    statement = select(table.c.code_index).where(table.c.code_index.in_(list(code_by_index)))
    return {code_by_index[index] for index in tx.connection.execute(statement).scalars()}


def packed_positions(positions: Iterable[int]) -> bytes:
    """As a making order's ledger keeps them, 4 bytes each."""
    return b"".join(map(_NUMBER.pack, positions))


def unpacked_positions(data: bytes) -> list[int]:
    return [number for (number,) in _NUMBER.iter_unpack(data)]


def _stored(changed: Mapping[str, Any]) -> dict[str, Any]:
    state = changed.get("state")
    return {**changed, "state": state.value} if isinstance(state, MakingState) else dict(changed)


def _record(row: Any) -> Making:
    return Making(
        row.id,
        row.batch_id,
        row.position,
        row.bank,
        row.branch,
        MakingState(row.state),
        row.order_id,
        row.record_number,
        row.reason,
        row,
    )
