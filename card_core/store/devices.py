"""Phones (设备) of holders, and the device credentials (设备凭证) that they fetched."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, update

from card_core import states
from card_core.errors import StoreConflictError
from card_core.states import CardState, DeviceState, ECardState
from card_core.status_list import CredentialState
from card_core.store import bulk, guarded
from card_core.store.cipher import Value
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import device_credentials, devices

SWEEP_ROWS_MAX = 10_000


class Grade(StrEnum):
    """How well a phone keeps its key: an app's is bound to the phone, a browser's is only kept."""

    APP = "app"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class Device:
    """public_key: SM2, 33 bytes compressed; no other phone has it, nor had it."""

    id: str
    holder_id: str
    grade: Grade
    public_key: bytes
    state: DeviceState
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """One phone's credential for one day. expires_at: Unix seconds, as signed.

    status_index: its position in that day's list. device_key: 33 bytes compressed, for this day
    alone. listed_state: what the last list made says of it.
    """

    id: str
    holder_id: str
    device_id: str
    ecard_id: int
    issuer: int
    expires_at: int
    status_index: int
    device_key: bytes
    state: CredentialState
    listed_state: CredentialState


def get(tx: Reader, device_id: str, lock: Lock = Lock.NONE) -> Device | None:
    row = guarded.get(tx, devices, device_id, lock)
    return None if row is None else _device(row)


def of_holder(tx: Reader, holder_id: str) -> list[Device]:
    """The phones that are in use, those registered first before the others."""
    statement = (
        select(devices)
        .where(devices.c.holder_id == holder_id, devices.c.state == DeviceState.ACTIVE.value)
        .order_by(devices.c.id)
    )
    return [_device(row) for row in guarded.rows(tx, devices, statement)]


def of_records(tx: Reader, holder_ids: Collection[str]) -> list[Device]:
    """All phones of these records, removed ones too, those registered first before the others."""
    statement = select(devices).where(bulk.among(tx, devices.c.holder_id, holder_ids))
    return [_device(row) for row in guarded.rows(tx, devices, statement.order_by(devices.c.id))]


def count_since(tx: Reader, holder_id: str, since: datetime) -> int:
    """How many phones the holder has registered since then, removed ones too."""
    statement = select(func.count()).where(
        devices.c.holder_id == holder_id, devices.c.registered_at >= since
    )
    count: int = tx.connection.execute(statement).scalar_one()
    return count


def has_key(tx: Reader, public_key: bytes) -> bool:
    """Whether any phone has, or had, this key."""
    statement = select(devices.c.id).where(devices.c.public_key == public_key)
    return tx.connection.execute(statement).first() is not None


def add(tx: Transaction, new: Device) -> None:
    guarded.add(
        tx,
        devices,
        {
            "id": new.id,
            "holder_id": new.holder_id,
            "grade": new.grade.value,
            "public_key": new.public_key,
            "state": new.state.value,
            "registered_at": new.registered_at,
        },
    )


def set_state(tx: Transaction, device: Device, state: DeviceState) -> None:
    guarded.change(tx, devices, device.id, state=state.value)


def days_of(tx: Reader, device_id: str, ecard_id: int, days: Iterable[int]) -> set[int]:
    """Those of the days, as Unix seconds of their ends, for which the phone has a credential of
    this e-card."""
    statement = select(device_credentials.c.expires_at).where(
        device_credentials.c.device_id == device_id,
        device_credentials.c.ecard_id == ecard_id,
        device_credentials.c.expires_at.in_(list(days)),
    )
    return set(tx.connection.execute(statement).scalars())


def add_credential(tx: Transaction, new: Credential) -> bool:
    """False, and nothing done, where the position is taken already."""
    values: dict[str, Value] = {
        "id": new.id,
        "holder_id": new.holder_id,
        "device_id": new.device_id,
        "ecard_id": new.ecard_id,
        "issuer": new.issuer,
        "expires_at": new.expires_at,
        "status_index": new.status_index,
        "device_key": new.device_key,
        "state": new.state.value,
        "listed_state": new.listed_state.value,
    }
    row = guarded.values_with_mac(tx, device_credentials, values)
    return guarded.add_if_absent(tx, device_credentials, row)


def find_credential(
    tx: Reader, issuer: int, expires_at: int, status_index: int
) -> Credential | None:
    """The credential at a position of a day's list."""
    table = device_credentials
    statement = select(table).where(
        table.c.issuer == issuer,
        table.c.expires_at == expires_at,
        table.c.status_index == status_index,
    )
    row = guarded.first(tx, table, statement)
    return None if row is None else _credential(row)


def follow_card(
    tx: Transaction, ecard_id: int, card_state: CardState, ecard_state: ECardState
) -> None:
    """Give every credential of an e-card the state that follows from card and e-card.

    One that was withdrawn stays so. Called wherever either state is set, so that no act can leave
    it out; under the card's lock.
    """
    target = state_of(card_state, ecard_state)
    rows = guarded.rows(
        tx,
        device_credentials,
        select(device_credentials).where(
            device_credentials.c.ecard_id == ecard_id,
            device_credentials.c.state.not_in(
                [target.value, CredentialState.WITHDRAWN.value],
            ),
        ),
    )
    _change_all(tx, rows, lambda row: {"state": target.value})


def state_of(card_state: CardState, ecard_state: ECardState) -> CredentialState:
    """What a status list says of an e-card that is not withdrawn from its phone."""
    match states.ecard_amounts_to(card_state, ecard_state):
        case ECardState.ACTIVE:
            return CredentialState.GOOD
        case ECardState.CANCELLED:
            return CredentialState.CANCELLED
    return CredentialState.SUSPENDED


def withdraw(tx: Transaction, device_id: str) -> int:
    """Withdraw all that a phone has, and return how many they are; cancelled ones stay so."""
    table = device_credentials
    kept = [CredentialState.WITHDRAWN.value, CredentialState.CANCELLED.value]
    statement = select(table).where(table.c.device_id == device_id, table.c.state.not_in(kept))
    rows = guarded.rows(tx, table, statement)
    _change_all(tx, rows, lambda row: {"state": CredentialState.WITHDRAWN.value})
    return len(rows)


def to_be_listed(tx: Reader, issuer: int, expires_at: int, *, limit: int) -> list[Row[Any]]:
    """At most `limit` checked rows of a day whose state its list does not say yet."""
    table = device_credentials
    statement = (
        select(table)
        .where(
            table.c.issuer == issuer,
            table.c.expires_at == expires_at,
            table.c.state != table.c.listed_state,
        )
        .limit(limit)
    )
    return guarded.rows(tx, table, statement)


def has_to_be_listed(tx: Reader, issuer: int, expires_at: int) -> bool:
    table = device_credentials
    statement = select(table.c.id).where(
        table.c.issuer == issuer,
        table.c.expires_at == expires_at,
        table.c.state != table.c.listed_state,
    )
    return tx.connection.execute(statement.limit(1)).first() is not None


def set_listed(tx: Transaction, rows: Sequence[Row[Any]]) -> None:
    """Note that the list being made says what these rows of `to_be_listed` say."""
    _change_all(tx, rows, lambda row: {"listed_state": row.state})


def sweep(tx: Transaction, before: int) -> int:
    """Delete credentials of days that ended before then, some at a time; how many."""
    table = device_credentials
    old = select(table.c.id).where(table.c.expires_at < before).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(table.c.id.in_(old))).rowcount


def _change_all(
    tx: Transaction, rows: Sequence[Row[Any]], change: Callable[[Row[Any]], dict[str, int]]
) -> None:
    """Change many rows that this transaction has read and checked.

    They are bound to the versions that were read and not locked before: thousands of locks are
    more than a database holds. A row that another transaction was faster with is a conflict, after
    which the kernel does the act anew.
    """
    if not rows:
        return
    table = device_credentials
    changed = []
    for row in sorted(rows, key=lambda one: str(one.id)):
        values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        del values["mac"]
        values |= {**change(row), "version": row.version + 1}
        mac = tx.cipher.row_mac(table.name, values)
        changed.append(
            {
                "its_id": row.id,
                "its_version": row.version,
                "its_state": values["state"],
                "its_listed_state": values["listed_state"],
                "its_mac": mac,
            }
        )
    statement = (
        update(table)
        .where(table.c.id == bindparam("its_id"), table.c.version == bindparam("its_version"))
        .values(
            state=bindparam("its_state"),
            listed_state=bindparam("its_listed_state"),
            version=table.c.version + 1,
            mac=bindparam("its_mac"),
        )
    )
    if tx.connection.execute(statement, changed).rowcount != len(changed):
        raise StoreConflictError


def _device(row: Row[Any]) -> Device:
    return Device(
        row.id,
        row.holder_id,
        Grade(row.grade),
        row.public_key,
        DeviceState(row.state),
        row.registered_at,
    )


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        row.id,
        row.holder_id,
        row.device_id,
        row.ecard_id,
        row.issuer,
        row.expires_at,
        row.status_index,
        row.device_key,
        CredentialState(row.state),
        CredentialState(row.listed_state),
    )
