"""Blank cards (空白卡) at branches: how many came, and where each of them is."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from card_core.errors import TamperedRowError
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX
from card_core.store.schema import blank_cards as table


@dataclass(frozen=True, slots=True)
class Blanks:
    """Of one branch: received = on_hand + in_device + used + spoiled."""

    branch: str
    received: int = 0
    on_hand: int = 0
    in_device: int = 0
    used: int = 0
    spoiled: int = 0

    def moved(self, **by: int) -> "Blanks":
        """The same blanks elsewhere. Raises ValueError where one would be lost or made up."""
        new = replace(self, **{name: getattr(self, name) + more for name, more in by.items()})
        places = (new.on_hand, new.in_device, new.used, new.spoiled)
        if min(places) < 0 or sum(places) != new.received:
            raise ValueError("blanks")
        return new


def of(tx: Reader, branch: str, lock: Lock = Lock.NONE) -> Blanks:
    """A branch that never had any has none."""
    row = guarded.get(tx, table, branch, lock)
    return Blanks(branch) if row is None else _record(row)


def page(tx: Reader, *, after: str = "") -> list[Blanks]:
    """At most a page of branches, in the order of their codes."""
    statement = select(table).where(table.c.id > after).order_by(table.c.id).limit(PAGE_SIZE_MAX)
    return [_record(row) for row in guarded.rows(tx, table, statement)]


def put(tx: Transaction, blanks: Blanks) -> None:
    values = {
        "received": blanks.received,
        "on_hand": blanks.on_hand,
        "in_device": blanks.in_device,
        "used": blanks.used,
        "spoiled": blanks.spoiled,
    }
    if guarded.get(tx, table, blanks.branch, Lock.OWN) is None:
        guarded.add(tx, table, {"id": blanks.branch, **values})
    else:
        guarded.change(tx, table, blanks.branch, **values)


def _record(row: Any) -> Blanks:
    found = Blanks(row.id, row.received, row.on_hand, row.in_device, row.used, row.spoiled)
    if found.on_hand + found.in_device + found.used + found.spoiled != found.received:
        raise TamperedRowError(table.name, row.id)
    return found
