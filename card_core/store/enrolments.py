"""Enrolments (终端登记): the one-time codes by which terminals bring their keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from card_core.service_channels import ChannelKind
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX
from card_core.store.schema import enrolments as table


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One approved enrolment of one terminal.

    code_name: the code's first group, by which it is found. code_digest: a keyed digest of all of
    it. failures: how often a wrong rest was given. public_key: of the terminal that used the code,
    None while nobody has. ends_at: from then on the code is worth nothing, used or not.
    channel: as what kind of service channel; None: as a terminal.
    """

    id: str
    serial_number: bytes
    institution_id: str
    code_name: str
    code_digest: bytes
    failures: int
    ends_at: datetime
    public_key: bytes | None = None
    channel: ChannelKind | None = None


def find(tx: Reader, serial_number: bytes, code_name: str) -> Enrolment | None:
    """The latest enrolment of this terminal by a code of this name."""
    named = select(table).where(
        table.c.serial_number == serial_number, table.c.code_name == code_name
    )
    row = guarded.first(tx, table, named.order_by(table.c.id.desc()))
    return None if row is None else _record(row)


def lock(tx: Transaction, enrolment_id: str) -> Enrolment | None:
    row = guarded.get(tx, table, enrolment_id, Lock.OWN)
    return None if row is None else _record(row)


def open_of(tx: Transaction, serial_number: bytes, now: datetime) -> list[Enrolment]:
    """The terminal's enrolments whose code nobody has used and whose time has not run out."""
    tx.lock(f"enrolments of {serial_number.hex()}", Lock.OWN)
    return _unused(tx, table.c.serial_number == serial_number, now)


def waiting_at(tx: Reader, institution_id: str, now: datetime) -> list[Enrolment]:
    """An institution's enrolments whose code may still be used, at most PAGE_SIZE_MAX."""
    return _unused(tx, table.c.institution_id == institution_id, now)


def _unused(tx: Reader, whose: ColumnElement[bool], now: datetime) -> list[Enrolment]:
    unused = (
        select(table)
        .where(whose, table.c.public_key.is_(None), table.c.ends_at > now)
        .order_by(table.c.id)
        .limit(PAGE_SIZE_MAX)
    )
    return [_record(row) for row in guarded.rows(tx, table, unused)]


def add(tx: Transaction, new: Enrolment) -> None:
    guarded.add(
        tx,
        table,
        {
            "id": new.id,
            "serial_number": new.serial_number,
            "institution_id": new.institution_id,
            "code_name": new.code_name,
            "code_digest": new.code_digest,
            "failures": new.failures,
            "ends_at": new.ends_at,
            "public_key": new.public_key,
            "channel": None if new.channel is None else new.channel.value,
        },
    )


def count_failure(tx: Transaction, enrolment: Enrolment) -> int:
    """Returns how many there are now."""
    guarded.change(tx, table, enrolment.id, failures=enrolment.failures + 1)
    return enrolment.failures + 1


def use(tx: Transaction, enrolment: Enrolment, public_key: bytes) -> None:
    guarded.change(tx, table, enrolment.id, public_key=public_key)


def end(tx: Transaction, enrolment: Enrolment, now: datetime) -> None:
    guarded.change(tx, table, enrolment.id, ends_at=now)


def _record(row: Row[Any]) -> Enrolment:
    return Enrolment(
        row.id,
        row.serial_number,
        row.institution_id,
        row.code_name,
        row.code_digest,
        row.failures,
        row.ends_at,
        row.public_key,
        None if row.channel is None else ChannelKind(row.channel),
    )
