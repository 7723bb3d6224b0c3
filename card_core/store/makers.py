"""Card makers (卡商): who gets maker files, and the key that these are encrypted to."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from card_core.states import ServiceState
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import makers as table


@dataclass(frozen=True, slots=True)
class Maker:
    """code: 1 to 16 of 0-9 and A-Z, as in files. public_key: SM2, 33 bytes compressed."""

    id: str
    code: str
    name: str
    public_key: bytes
    state: ServiceState


def get(tx: Reader, maker_id: str, lock: Lock = Lock.NONE) -> Maker | None:
    row = guarded.get(tx, table, maker_id, lock)
    return None if row is None else _record(row)


def by_code(tx: Reader, code: str, lock: Lock = Lock.NONE) -> Maker | None:
    row = guarded.first(tx, table, select(table).where(table.c.code == code))
    return None if row is None else get(tx, row.id, lock)


def page(tx: Reader, *, after: str = "", limit: int = PAGE_SIZE_MAX) -> list[Maker]:
    """At most `limit` makers whose id comes behind `after`."""
    statement = select(table).where(table.c.id > after).order_by(table.c.id)
    found = guarded.rows(tx, table, statement.limit(check_limit(limit)))
    return [_record(row) for row in found]


def add(tx: Transaction, new: Maker) -> None:
    guarded.add(
        tx,
        table,
        {
            "id": new.id,
            "code": new.code,
            "name": new.name,
            "public_key": new.public_key,
            "state": new.state.value,
        },
    )


def set_state(tx: Transaction, maker: Maker, state: ServiceState) -> None:
    guarded.change(tx, table, maker.id, state=state.value)


def set_key(tx: Transaction, maker: Maker, public_key: bytes) -> None:
    guarded.change(tx, table, maker.id, public_key=public_key)


def _record(row: Any) -> Maker:
    return Maker(row.id, row.code, row.name, row.public_key, ServiceState(row.state))
