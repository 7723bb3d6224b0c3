"""Cards from before this service (存量卡): the rows of a stock, each sealed whole.

A row that is open or taken holds its card number and its chip: no other row, and no new card, gets
them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from card_core.states import StockCardState
from card_core.store import bulk
from card_core.store.database import Reader, Transaction
from card_core.store.holders import index_of
from card_core.store.schema import stock_cards as table

_IN_MAX = 500
_HELD = (StockCardState.OPEN.value, StockCardState.TAKEN.value)


@dataclass(frozen=True, slots=True, repr=False)
class NewStockCard:
    """position: from 1 within the stock. row: of the file. number: the social security number.
    content: JSON, in its one form."""

    id: str
    position: int
    row: int
    number: str
    card_number: str
    identification_code: str
    is_live: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A row that holds its number and chip. code_index: of its card identification code."""

    card_number: str
    code_index: bytes


def code_index_of(tx: Reader, identification_code: str) -> bytes:
    return tx.cipher.blind_index("card_identification_code", identification_code)


def last_number_held(tx: Reader, first: str, last: str) -> str | None:
    """The greatest of these card numbers that a card of a stock has, taken over or waiting."""
    statement = select(func.max(table.c.card_number)).where(
        table.c.card_number.between(first, last), table.c.state.in_(_HELD)
    )
    found: str | None = tx.connection.scalar(statement)
    return found


def held_by_number(tx: Reader, batch_id: str, card_numbers: Collection[str]) -> dict[str, Held]:
    """By card number, the rows of other stocks than this that hold one of these."""
    statement = select(table.c.card_number, table.c.code_index).where(
        bulk.among(tx, table.c.card_number, card_numbers),
        table.c.state.in_(_HELD),
        table.c.batch_id != batch_id,
    )
    found = tx.connection.execute(statement)
    return {row.card_number: Held(row.card_number, row.code_index) for row in found}


def codes_held(tx: Reader, batch_id: str, codes: Sequence[str]) -> set[str]:
    """Those of the identification codes that a row of another stock than this holds."""
    code_by_index = {code_index_of(tx, code): code for code in codes}
    statement = select(table.c.code_index).where(
        table.c.code_index.in_(list(code_by_index)),
        table.c.state.in_(_HELD),
        table.c.batch_id != batch_id,
    )
    return {code_by_index[index] for index in tx.connection.execute(statement).scalars()}


def numbers_with_open_card(
    tx: Reader, numbers: Sequence[str], *, live_only: bool = False, before: str = ""
) -> set[str]:
    """Those of the social security numbers with a card that waits to be taken over.

    live_only: of cards that are not cancelled. before: in the stocks that came in before the one
    with this id; empty for any stock.
    """
    number_by_index = {index_of(tx, number): number for number in numbers}
    indexes = list(number_by_index)
    found: set[str] = set()
    for at in range(0, len(indexes), _IN_MAX):
        statement = select(table.c.number_index).where(
            bulk.among_indexes(tx, table.c.number_index, indexes[at : at + _IN_MAX]),
            table.c.state == StockCardState.OPEN.value,
        )
        if before:
            statement = statement.where(table.c.batch_id < before)
        if live_only:
            statement = statement.where(table.c.is_live.is_(True))
        rows = tx.connection.execute(statement).scalars()
        found |= {number_by_index[index] for index in rows}
    return found


def add_all(tx: Transaction, batch_id: str, new: Sequence[NewStockCard]) -> None:
    bulk.insert(
        tx,
        table,
        [
            {
                "id": one.id,
                "batch_id": batch_id,
                "position": one.position,
                "row": one.row,
                "number_index": index_of(tx, one.number),
                "card_number": one.card_number,
                "code_index": code_index_of(tx, one.identification_code),
                "is_live": one.is_live,
                "content": tx.cipher.seal(table.name, "content", one.id, one.content),
                "state": StockCardState.OPEN.value,
            }
            for one in new
        ],
    )


def between(tx: Reader, batch_id: str, first: int, last: int) -> list[tuple[str, bytes]]:
    """Row id and content of the open rows in these positions, in their order."""
    statement = (
        select(table.c.id, table.c.content)
        .where(
            table.c.batch_id == batch_id,
            table.c.position.between(first, last),
            table.c.state == StockCardState.OPEN.value,
        )
        .order_by(table.c.position)
    )
    return [
        (row.id, tx.cipher.open(table.name, "content", row.id, row.content))
        for row in tx.connection.execute(statement)
    ]


def of_people_elsewhere(
    tx: Reader, batch_id: str, numbers: Sequence[str], first: int, last: int
) -> list[tuple[int, bytes]]:
    """Position and content of the rows of a stock that people with these social security numbers
    have outside of these positions, whatever became of them. Raises TamperedRowError."""
    found = []
    for at in range(0, len(numbers), _IN_MAX):
        indexes = [index_of(tx, number) for number in numbers[at : at + _IN_MAX]]
        statement = select(table.c.id, table.c.position, table.c.content).where(
            bulk.among_indexes(tx, table.c.number_index, indexes),
            table.c.batch_id == batch_id,
            ~table.c.position.between(first, last),
        )
        for row in tx.connection.execute(statement):
            content = tx.cipher.open(table.name, "content", row.id, row.content)
            found.append((row.position, content))
    return found


def mark_taken(tx: Transaction, ids: Collection[str]) -> None:
    _mark(tx, ids, StockCardState.TAKEN, None)


def mark_refused(tx: Transaction, ids: Collection[str], refusal: str) -> None:
    _mark(tx, ids, StockCardState.REFUSED, refusal)


def withdraw_all(tx: Transaction, batch_id: str) -> None:
    """Let the cards of a rejected stock be imported again."""
    tx.connection.execute(
        update(table)
        .where(table.c.batch_id == batch_id, table.c.state == StockCardState.OPEN.value)
        .values(state=StockCardState.WITHDRAWN.value)
    )


def count_refused(tx: Reader, batch_id: str, first: int, last: int) -> int:
    """How many rows in these positions were refused when they were to be taken over."""
    statement = select(func.count()).where(
        table.c.batch_id == batch_id,
        table.c.position.between(first, last),
        table.c.state == StockCardState.REFUSED.value,
    )
    count: int = tx.connection.execute(statement).scalar_one()
    return count


def refusals(tx: Reader, batch_id: str, limit: int) -> list[tuple[int, str]]:
    """At most `limit` rows of the file that were refused when they were taken over, and why."""
    statement = (
        select(table.c.row, table.c.refusal)
        .where(table.c.batch_id == batch_id, table.c.state == StockCardState.REFUSED.value)
        .order_by(table.c.position)
        .limit(limit)
    )
    return [(row.row, row.refusal) for row in tx.connection.execute(statement)]


def content_of_card(tx: Reader, card_number: str) -> bytes | None:
    """What a stock said of a card that was taken over; None for any other card."""
    statement = select(table.c.id, table.c.content).where(
        table.c.card_number == card_number, table.c.state == StockCardState.TAKEN.value
    )
    row = tx.connection.execute(statement).first()
    return None if row is None else tx.cipher.open(table.name, "content", row.id, row.content)


def _mark(
    tx: Transaction, ids: Collection[str], state: StockCardState, refusal: str | None
) -> None:
    if ids:
        changed = {"state": state.value, "refusal": refusal}
        tx.connection.execute(
            update(table).where(bulk.among(tx, table.c.id, ids)).values(**changed)
        )
