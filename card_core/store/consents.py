"""Consents of holders: given or withdrawn, the last word of each holder on each use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from card_core.data_uses import DataUse
from card_core.store import bulk, guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import consents as table


class ConsentState(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Consent:
    """changed_at: since when it stands so; aware, UTC."""

    holder_id: str
    data_use: DataUse
    state: ConsentState
    changed_at: datetime


def of_records(tx: Reader, record_ids: Collection[str]) -> list[Consent]:
    statement = select(table).where(bulk.among(tx, table.c.holder_id, list(record_ids)))
    return [_record(row) for row in guarded.rows(tx, table, statement.order_by(table.c.id))]


def put(
    tx: Transaction, holder_id: str, data_use: DataUse, state: ConsentState, now: datetime
) -> Consent:
    """The holder's word from now on; one that stands already stays as it is."""
    row_id = f"{holder_id}/{data_use.value}"
    row = guarded.get(tx, table, row_id, Lock.OWN)
    if row is not None and row.state == state.value:
        return _record(row)
    if row is None:
        guarded.add(
            tx,
            table,
            {
                "id": row_id,
                "holder_id": holder_id,
                "data_use": data_use.value,
                "state": state.value,
                "changed_at": now,
            },
        )
    else:
        guarded.change(tx, table, row_id, state=state.value, changed_at=now)
    return Consent(holder_id, data_use, state, now)


def withdraw_all(tx: Transaction, record_ids: Collection[str], now: datetime) -> int:
    """Whatever these records consented to; how many consents it was."""
    given = [one for one in of_records(tx, record_ids) if one.state is ConsentState.GIVEN]
    for one in given:
        put(tx, one.holder_id, one.data_use, ConsentState.WITHDRAWN, now)
    return len(given)


def _record(row: Row[Any]) -> Consent:
    return Consent(row.holder_id, DataUse(row.data_use), ConsentState(row.state), row.changed_at)
