"""Designated institutions (定点医药机构) and their enrolled terminals (终端)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, select

from card_core.business_types import BusinessType
from card_core.service_channels import ChannelKind
from card_core.states import ServiceState
from card_core.store import guarded
from card_core.store.bulk import Pending
from card_core.store.cipher import Value
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import institutions, terminals


@dataclass(frozen=True, slots=True)
class Institution:
    """code: in the national coding, such as H and 11 digits. kind: of `business_types.PLACES`.

    business_types: the codes that it may scan for, of those of its kind; None for all of these.
    """

    id: str
    code: str
    name: str
    kind: str
    region: str
    state: ServiceState
    business_types: frozenset[str] | None = None

    def may_scan_for(self, business_type: BusinessType) -> bool:
        """Whether its terminals may ask for this: its kind may, and it may itself."""
        return business_type.is_offered_at(self.kind) and (
            self.business_types is None or business_type.code in self.business_types
        )


@dataclass(frozen=True, slots=True)
class Terminal:
    """serial_number: 8 bytes, shown as 16 hex digits. public_key: SM2, 33 bytes compressed.

    key_ends_at: None for a key without an end. previous_key: the one before, while both are good.
    channel: what kind of service channel it is; None for a terminal, which scans.
    """

    id: str
    serial_number: bytes
    institution_id: str
    public_key: bytes
    state: ServiceState
    key_ends_at: datetime | None = None
    previous_key: bytes | None = None
    previous_key_ends_at: datetime | None = None
    channel: ChannelKind | None = None

    def speaks_by(self, public_key: bytes, now: datetime) -> bool:
        """Whether this is a key of the terminal, and has not ended."""
        keys = (
            (self.public_key, self.key_ends_at),
            (self.previous_key, self.previous_key_ends_at),
        )
        return any(
            key == public_key and (ends_at is None or now < ends_at) for key, ends_at in keys
        )


def get_institution(tx: Reader, institution_id: str, lock: Lock = Lock.NONE) -> Institution | None:
    row = guarded.get(tx, institutions, institution_id, lock)
    return None if row is None else to_institution(row)


def institution_by_code(tx: Reader, code: str, lock: Lock = Lock.NONE) -> Institution | None:
    row = guarded.first(tx, institutions, select(institutions).where(institutions.c.code == code))
    return None if row is None else get_institution(tx, row.id, lock)


def page(tx: Reader, *, after: str = "", limit: int = PAGE_SIZE_MAX) -> list[Institution]:
    """At most `limit` institutions whose id comes behind `after`."""
    statement = select(institutions).where(institutions.c.id > after).order_by(institutions.c.id)
    found = guarded.rows(tx, institutions, statement.limit(check_limit(limit)))
    return [to_institution(row) for row in found]


def add(tx: Transaction, new: Institution) -> None:
    guarded.add(
        tx,
        institutions,
        {
            "id": new.id,
            "code": new.code,
            "name": new.name,
            "kind": new.kind,
            "region": new.region,
            "state": new.state.value,
            "business_types": _joined(new.business_types),
            "change_number": _next_change(tx, institutions),
        },
    )


def set_state(tx: Transaction, institution: Institution, state: ServiceState) -> None:
    _change(tx, institutions, institution.id, state=state.value)


def set_business_types(
    tx: Transaction, institution: Institution, codes: frozenset[str] | None
) -> None:
    _change(tx, institutions, institution.id, business_types=_joined(codes))


def get_terminal(tx: Reader, terminal_id: str, lock: Lock = Lock.NONE) -> Terminal | None:
    row = guarded.get(tx, terminals, terminal_id, lock)
    return None if row is None else to_terminal(row)


def terminal_by_serial(tx: Reader, serial_number: bytes, lock: Lock = Lock.NONE) -> Terminal | None:
    statement = select(terminals).where(terminals.c.serial_number == serial_number)
    row = guarded.first(tx, terminals, statement)
    if row is None or lock is Lock.NONE:
        return None if row is None else to_terminal(row)
    return get_terminal(tx, row.id, lock)


def terminals_of(
    tx: Reader, institution_id: str, *, after: str = "", limit: int = PAGE_SIZE_MAX
) -> list[Terminal]:
    """At most `limit` terminals of an institution whose id comes behind `after`."""
    statement = (
        select(terminals)
        .where(terminals.c.institution_id == institution_id, terminals.c.id > after)
        .order_by(terminals.c.id)
        .limit(check_limit(limit))
    )
    return [to_terminal(row) for row in guarded.rows(tx, terminals, statement)]


def serving(
    tx: Transaction, terminal_ids: Collection[str], institution_ids: Collection[str]
) -> Pending[dict[str, tuple[Terminal, Institution]]]:
    """Those of the terminals that are in service at one of the institutions that is, all of them
    locked against change.

    A row that fails its HMAC serves nobody, and a service channel never scans.
    """
    tx.lock_all((f"{terminals.name}/{one}" for one in terminal_ids), Lock.SHARED)
    tx.lock_all((f"{institutions.name}/{one}" for one in institution_ids), Lock.SHARED)
    terminal_rows = guarded.find_intact(tx, terminals, "id", terminal_ids)
    institution_rows = guarded.find_intact(tx, institutions, "id", institution_ids)

    def found() -> dict[str, tuple[Terminal, Institution]]:
        designated = {
            row.id: to_institution(row)
            for row in institution_rows()[0]
            if row.state == ServiceState.ACTIVE.value
        }
        return {
            row.id: (to_terminal(row), designated[row.institution_id])
            for row in terminal_rows()[0]
            if row.state == ServiceState.ACTIVE.value
            and row.channel is None
            and row.institution_id in designated
        }

    return found


def add_terminal(tx: Transaction, new: Terminal) -> None:
    guarded.add(
        tx,
        terminals,
        {
            "id": new.id,
            "serial_number": new.serial_number,
            "institution_id": new.institution_id,
            "state": new.state.value,
            "channel": None if new.channel is None else new.channel.value,
            **_keys(new),
            "change_number": _next_change(tx, terminals),
        },
    )


def set_terminal_state(tx: Transaction, terminal: Terminal, state: ServiceState) -> None:
    _change(tx, terminals, terminal.id, state=state.value)


def set_keys(tx: Transaction, terminal: Terminal) -> None:
    """Write the terminal's keys and their ends as they stand in `terminal`."""
    _change(tx, terminals, terminal.id, **_keys(terminal))


def to_institution(row: Any) -> Institution:
    """The record in a row that was checked."""
    codes = None if row.business_types is None else frozenset(row.business_types.split(",")) - {""}
    state = ServiceState(row.state)
    return Institution(row.id, row.code, row.name, row.kind, row.region, state, codes)


def to_terminal(row: Any) -> Terminal:
    """The record in a row that was checked."""
    return Terminal(
        row.id,
        row.serial_number,
        row.institution_id,
        row.public_key,
        ServiceState(row.state),
        row.key_ends_at,
        row.previous_key,
        row.previous_key_ends_at,
        None if row.channel is None else ChannelKind(row.channel),
    )


def _keys(terminal: Terminal) -> dict[str, Value]:
    return {
        "public_key": terminal.public_key,
        "key_ends_at": terminal.key_ends_at,
        "previous_key": terminal.previous_key,
        "previous_key_ends_at": terminal.previous_key_ends_at,
    }


def _joined(codes: frozenset[str] | None) -> str | None:
    return None if codes is None else ",".join(sorted(codes))


def _change(tx: Transaction, table: Table, row_id: str, **changes: Value) -> None:
    # The row's own lock comes first in every act, the table's numbers last: no two acts cross.
    tx.lock(f"{table.name}/{row_id}", Lock.OWN)
    guarded.change(tx, table, row_id, **changes, change_number=_next_change(tx, table))


def _next_change(tx: Transaction, table: Table) -> int:
    """The next number of this table's changes.

    The lock is kept until the commit, so that numbers become visible in their order.
    """
    tx.lock(f"{table.name} changes", Lock.OWN)
    last = tx.connection.execute(select(func.max(table.c.change_number))).scalar_one()
    return 1 if last is None else int(last) + 1
