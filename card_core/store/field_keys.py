"""Versions of the field key: which one seals, and the sealing of rows anew under it.

Version 1 is there from the start and has no row until the second one comes. What is sealed under
which version says each value's first byte.

    RESEALED   is sealed anew, some rows at a time
    EXPIRING   goes by itself, within a day or when its making order is answered; it is waited for
    KEPT       stays as it was written: a digest in the audit log is over it. The table's own key
               outlives the version that it was derived from (`FieldCipher.table_key`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, func, or_, select, update

from card_core.errors import FieldKeyDiffersError
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import (
    GUARDED,
    answers,
    applications,
    approvals,
    credentials,
    field_keys,
    field_reseals,
    filings,
    guardianships,
    holder_changes,
    holders,
    making_chunks,
    makings,
    operators,
    person_checks,
    printed_codes,
    reversals,
    scans,
    short_codes,
    stock_cards,
)

FIRST_VERSION: Final = 1
VERSION_MAX: Final = 255
ROWS_A_STEP: Final = 200

RESEALED: Final[Mapping[Table, tuple[str, ...]]] = {
    holders: (
        "social_security_number",
        "name",
        "sex",
        "birth_on",
        "ethnic_group",
        "phone",
        "address",
        "guardian_name",
        "guardian_number",
    ),
    applications: ("content",),
    stock_cards: ("content",),
    holder_changes: ("content",),
    approvals: ("content",),
    operators: ("display_name",),
    credentials: ("password_hash",),
    reversals: ("operator", "department"),
    makings: ("account", "chip"),
    filings: ("content", "evidence_reference"),
    guardianships: ("evidence_reference",),
}
EXPIRING: Final[Mapping[Table, tuple[str, ...]]] = {
    answers: ("answer",),
    short_codes: ("code",),
    printed_codes: ("code",),
    person_checks: ("content",),
    making_chunks: ("content",),
}
KEPT: Final[Mapping[Table, tuple[str, ...]]] = {scans: ("operator", "department")}
TABLES: Final = tuple(str(table.name) for table in RESEALED)


class FieldKeyState(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class FieldKey:
    """check_value: tells two keys of one version apart. since: when it came into its state."""

    version: int
    state: FieldKeyState
    check_value: bytes
    since: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """after: the id of the last row that was looked at."""

    table: str
    version: int
    after: str
    is_done: bool


def follow(tx: Transaction) -> None:
    """Seal under the active version from here on. Raises FieldKeyDiffersError where this process
    has no key of that version, or another one; TamperedRowError."""
    active = next((key for key in versions(tx) if key.state is FieldKeyState.ACTIVE), None)
    if active is not None and tx.cipher.check_value(active.version) != active.check_value:
        raise FieldKeyDiffersError(active.version)
    tx.cipher.seal_under(FIRST_VERSION if active is None else active.version)


def versions(tx: Reader) -> list[FieldKey]:
    """All that are known, in their order; none before the first rotation."""
    rows = guarded.rows(tx, field_keys, select(field_keys))
    found = [
        FieldKey(int(row.id), FieldKeyState(row.state), row.check_value, row.since) for row in rows
    ]
    return sorted(found, key=lambda key: key.version)


def lock(tx: Transaction) -> None:
    """Of acts on field keys, and steps of sealing anew, one goes on at a time."""
    tx.lock("field_keys", Lock.OWN)


def add(tx: Transaction, key: FieldKey) -> None:
    values = {"state": key.state.value, "check_value": key.check_value, "since": key.since}
    guarded.add(tx, field_keys, {"id": str(key.version), **values})


def set_state(tx: Transaction, version: int, state: FieldKeyState, now: datetime) -> None:
    guarded.change(tx, field_keys, str(version), state=state.value, since=now)


def progress(tx: Reader) -> list[Progress]:
    """Of the tables that were begun, in the order of their names."""
    rows = tx.connection.execute(select(field_reseals).order_by(field_reseals.c.id))
    return [Progress(*row) for row in rows]


def reseal(tx: Transaction, table_name: str, version: int) -> int:
    """Look at the next ROWS_A_STEP rows of a table and seal anew what is sealed under another
    version; how many rows were. The table's progress is noted; one that was through is begun
    again."""
    table = next(one for one in RESEALED if one.name == table_name)
    noted = next((one for one in progress(tx) if one.table == table_name), None)
    goes_on = noted is not None and noted.version == version and not noted.is_done
    after = noted.after if noted is not None and goes_on else ""
    # Locked: whoever changes one of them meanwhile waits, and finds what is written here.
    statement = select(table).where(table.c.id > after).order_by(table.c.id)
    rows = tx.connection.execute(statement.limit(ROWS_A_STEP).with_for_update()).all()
    done = sum(_reseal_row(tx, table, row, version) for row in rows)
    values: dict[str, Any] = {
        "key_version": version,
        "after": str(rows[-1].id) if rows else after,
        "is_done": len(rows) < ROWS_A_STEP,
    }
    if not guarded.add_if_absent(tx, field_reseals, {"id": table_name, **values}):
        tx.connection.execute(
            update(field_reseals).where(field_reseals.c.id == table_name).values(**values)
        )
    return done


def tables_under(tx: Reader, version: int) -> Iterator[str]:
    """The tables with a value that has to be gone, and is sealed under this version. Reads them
    whole where there is none."""
    for table, columns in (*RESEALED.items(), *EXPIRING.items()):
        under = or_(*(_is_under(table, column, version) for column in columns))
        if tx.connection.execute(select(1).where(under).limit(1)).first() is not None:
            yield str(table.name)


def _reseal_row(tx: Transaction, table: Table, row: Any, version: int) -> bool:
    old = {name: getattr(row, name) for name in RESEALED[table]}
    if all(value is None or value[0] == version for value in old.values()):
        return False
    new = {
        name: value
        if value is None
        else tx.cipher.seal(
            str(table.name), name, row.id, tx.cipher.open(str(table.name), name, row.id, value)
        )
        for name, value in old.items()
    }
    if table in GUARDED:
        guarded.change(tx, table, row.id, **new)
    else:
        tx.connection.execute(update(table).where(table.c.id == row.id).values(**new))
    return True


def _is_under(table: Table, column: str, version: int) -> ColumnElement[bool]:
    return func.substr(table.c[column], 1, 1) == bytes([version])
