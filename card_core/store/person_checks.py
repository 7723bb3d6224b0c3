"""Checks of a person that are under way: who is claimed to be there, and how far it is.

A row goes when what it was for is done, and by itself when its time is over: one that is put back
by hand serves no longer than it would have.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, func, select

from card_core.store import bulk, guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.holders import index_of
from card_core.store.schema import person_checks as table

SWEEP_ROWS_MAX = 1000


class CheckPurpose(StrEnum):
    """What the person is checked for. activate: 开通电子社保卡; new_password: 忘记密码."""

    ACTIVATE = "activate"
    NEW_PASSWORD = "new_password"  # noqa: S105 - what is wanted, not what it is


class CheckState(StrEnum):
    STARTED = "started"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, repr=False)
class Claim:
    """Who somebody says they are, as it was typed. card_number: empty where none is asked for."""

    social_security_number: str
    name: str
    card_number: str


@dataclass(frozen=True, slots=True, repr=False)
class PersonCheck:
    """id: keyed digest of the ticket, hex. reference: the provider's. holder_id: once passed.

    failures: how often the provider said no. created_at, expires_at: aware, UTC.
    """

    id: str
    purpose: CheckPurpose
    claim: Claim
    reference: str
    provider: str
    created_at: datetime
    expires_at: datetime
    state: CheckState = CheckState.STARTED
    failures: int = 0
    holder_id: str | None = None


def add(tx: Transaction, new: PersonCheck) -> None:
    content = json.dumps({"reference": new.reference, **asdict(new.claim)}, ensure_ascii=False)
    guarded.add(
        tx,
        table,
        {
            "id": new.id,
            "purpose": new.purpose.value,
            "number_index": index_of(tx, new.claim.social_security_number),
            "content": tx.cipher.seal(table.name, "content", new.id, content.encode()),
            "provider": new.provider,
            "state": new.state.value,
            "failures": new.failures,
            "holder_id": new.holder_id,
            "created_at": new.created_at,
            "expires_at": new.expires_at,
        },
    )


def get(tx: Reader, check_id: str, lock: Lock = Lock.NONE) -> PersonCheck | None:
    row = guarded.get(tx, table, check_id, lock)
    return None if row is None else _record(tx, row)


def count_since(tx: Reader, social_security_number: str, since: datetime) -> int:
    """How many were begun for this number that are not done."""
    statement = select(func.count()).where(
        table.c.number_index == index_of(tx, social_security_number), table.c.created_at > since
    )
    count: int = tx.connection.execute(statement).scalar_one()
    return count


def set_failures(tx: Transaction, check: PersonCheck, failures: int) -> None:
    guarded.change(tx, table, check.id, failures=failures)


def set_passed(tx: Transaction, check: PersonCheck, holder_id: str, expires_at: datetime) -> None:
    state = CheckState.PASSED.value
    guarded.change(tx, table, check.id, state=state, holder_id=holder_id, expires_at=expires_at)


def remove(tx: Transaction, check_id: str) -> None:
    tx.connection.execute(delete(table).where(table.c.id == check_id))


def remove_of(tx: Transaction, number_indexes: Collection[bytes]) -> None:
    """Those of these numbers, whoever began them."""
    among = bulk.among_indexes(tx, table.c.number_index, number_indexes)
    tx.connection.execute(delete(table).where(among))


def sweep(tx: Transaction, now: datetime) -> int:
    """Delete those whose time is over, some at a time; how many."""
    old = select(table.c.id).where(table.c.expires_at < now).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(table.c.id.in_(old))).rowcount


def _record(tx: Reader, row: Row[Any]) -> PersonCheck:
    content = json.loads(tx.cipher.open(table.name, "content", row.id, row.content))
    reference = content.pop("reference")
    return PersonCheck(
        row.id,
        CheckPurpose(row.purpose),
        Claim(**content),
        reference,
        row.provider,
        row.created_at,
        row.expires_at,
        CheckState(row.state),
        row.failures,
        row.holder_id,
    )
