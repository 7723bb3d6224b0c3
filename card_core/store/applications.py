"""Applications (申领): the rows of a batch, each sealed whole, with a blind index of its person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import delete, select, update

from card_core.states import ApplicationState
from card_core.store import bulk, filings
from card_core.store.database import Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX
from card_core.store.schema import applications as table

_IN_MAX = 500
# Of a whole roster, whose nonces are more than are drawn at once.
_ADDED_AT_ONCE = 5000


class NewApplication(NamedTuple):
    """position: from 1 within the batch. row: of the roster. content: JSON, in its one form."""

    id: str
    position: int
    row: int
    number: str
    content: bytes

    def __repr__(self) -> str:
        return f"NewApplication(row={self.row})"


@dataclass(frozen=True, slots=True)
class Filed:
    """An application, without what stands in it."""

    id: str
    batch_id: str
    state: ApplicationState


def numbers_with_open_one(tx: Reader, numbers: Sequence[str]) -> set[str]:
    """Those of the social security numbers with an application that is neither issued nor gone:
    in a batch, or by itself and not taken in yet."""
    return numbers_in_open_batch(tx, numbers) | filings.numbers_with_open_one(tx, numbers)


def numbers_in_open_batch(tx: Reader, numbers: Sequence[str]) -> set[str]:
    """As `numbers_with_open_one`, of those in batches alone."""
    number_by_index = {_index(tx, number): number for number in numbers}
    indexes = list(number_by_index)
    found: set[str] = set()
    for at in range(0, len(indexes), _IN_MAX):
        statement = select(table.c.number_index).where(
            bulk.among_indexes(tx, table.c.number_index, indexes[at : at + _IN_MAX]),
            table.c.state == ApplicationState.OPEN.value,
        )
        found |= {number_by_index[row.number_index] for row in tx.connection.execute(statement)}
    return found


def numbers_in_batch(tx: Reader, batch_id: str, numbers: Sequence[str]) -> set[str]:
    """Those of the social security numbers, some hundreds, with an application in this batch."""
    number_by_index = {_index(tx, number): number for number in numbers}
    statement = select(table.c.number_index).where(
        table.c.batch_id == batch_id,
        bulk.among_indexes(tx, table.c.number_index, number_by_index),
    )
    return {number_by_index[index] for index in tx.connection.execute(statement).scalars()}


def of_numbers(tx: Reader, numbers: Sequence[str]) -> list[Filed]:
    """The applications for these social security numbers, the oldest first; at most a page."""
    statement = select(table).where(table.c.number_index.in_([_index(tx, one) for one in numbers]))
    rows = tx.connection.execute(statement.order_by(table.c.id).limit(PAGE_SIZE_MAX))
    return [Filed(row.id, row.batch_id, ApplicationState(row.state)) for row in rows]


def add_all(tx: Transaction, batch_id: str, new: Sequence[NewApplication]) -> None:
    for at in range(0, len(new), _ADDED_AT_ONCE):
        _add(tx, batch_id, new[at : at + _ADDED_AT_ONCE])


def _add(tx: Transaction, batch_id: str, new: Sequence[NewApplication]) -> None:
    ids = [one.id for one in new]
    contents = {"content": [one.content for one in new]}
    bulk.load(
        tx,
        table,
        {
            "id": ids,
            "batch_id": [batch_id] * len(new),
            "position": [one.position for one in new],
            "row": [one.row for one in new],
            "number_index": [_index(tx, one.number) for one in new],
            **tx.cipher.seal_table(table.name, ids, contents),
            "state": [ApplicationState.OPEN.value] * len(new),
        },
    )


def between(tx: Reader, batch_id: str, first: int, last: int) -> list[tuple[str, bytes]]:
    """Row id and content of the open applications in these positions, in their order."""
    columns, places = ("id", "content", "state"), ("position", first, last)
    found = bulk.select_between(tx, table, columns, ("batch_id", batch_id), places)
    rows = [row for row in found if row.state == ApplicationState.OPEN.value]
    ids = [row.id for row in rows]
    contents = {"content": [row.content for row in rows]}
    opened = tx.cipher.open_table(table.name, ids, contents)["content"]
    return list(zip(ids, opened, strict=True))


def of_person(tx: Reader, batch_id: str, number: str) -> bytes | None:
    """The content of a person's application in a batch, None where there is none."""
    statement = select(table.c.id, table.c.content).where(
        table.c.batch_id == batch_id, table.c.number_index == _index(tx, number)
    )
    row = tx.connection.execute(statement).first()
    return None if row is None else tx.cipher.open(table.name, "content", row.id, row.content)


def mark_issued(tx: Transaction, batch_id: str, first: int, last: int) -> int:
    """The open applications in these positions are no longer open; how many there were."""
    done = tx.connection.execute(
        update(table)
        .where(
            table.c.batch_id == batch_id,
            table.c.position.between(first, last),
            table.c.state == ApplicationState.OPEN.value,
        )
        .values(state=ApplicationState.ISSUED.value)
    )
    return done.rowcount


def delete_behind(tx: Transaction, batch_id: str, position: int) -> None:
    """Delete a batch's applications behind this position, of a batch that never came in whole."""
    tx.connection.execute(
        delete(table).where(table.c.batch_id == batch_id, table.c.position > position)
    )


def withdraw_all(tx: Transaction, batch_id: str) -> None:
    """Let the people of a rejected batch apply again."""
    tx.connection.execute(
        update(table)
        .where(table.c.batch_id == batch_id, table.c.state == ApplicationState.OPEN.value)
        .values(state=ApplicationState.WITHDRAWN.value)
    )


def _index(tx: Reader, number: str) -> bytes:
    return tx.number_index(number)
