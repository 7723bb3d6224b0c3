"""Passwords, as sealed hashes bound to their person, and the count of failed sign-ins."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select

from card_core.errors import StoreConflictError
from card_core.store import guarded
from card_core.store.cipher import Value
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import credentials, sign_in_attempts
from crypto import sm3

SWEEP_ROWS_MAX = 1000


class SubjectKind(StrEnum):
    """Who signs in."""

    HOLDER = "holder"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """password_hash: of `sign_in.hash_password`."""

    password_hash: str

    @property
    def digest(self) -> bytes:
        """SM3 of the hash, 32 bytes: another one means another password. The row's version says
        less, since it also changes where the field key does."""
        return sm3.digest(self.password_hash.encode())


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures in a row for one name that was typed, and until when it is locked."""

    id: str
    failures: int
    locked_until: datetime | None


def get(tx: Reader, kind: SubjectKind, subject_id: str) -> Credential | None:
    row = guarded.get(tx, credentials, _id(kind, subject_id))
    if row is None:
        return None
    opened = tx.cipher.open(credentials.name, "password_hash", row.id, row.password_hash)
    return Credential(opened.decode())


def put(
    tx: Transaction, kind: SubjectKind, subject_id: str, password_hash: str, now: datetime
) -> None:
    """Set a password, for the first time or anew."""
    row_id = _id(kind, subject_id)
    sealed = tx.cipher.seal(credentials.name, "password_hash", row_id, password_hash.encode())
    if guarded.get(tx, credentials, row_id) is None:
        guarded.add(tx, credentials, {"id": row_id, "password_hash": sealed, "changed_at": now})
    else:
        guarded.change(tx, credentials, row_id, password_hash=sealed, changed_at=now)


def remove(tx: Transaction, kind: SubjectKind, subject_id: str) -> None:
    """Let nobody sign in as this subject any more."""
    tx.connection.execute(delete(credentials).where(credentials.c.id == _id(kind, subject_id)))


def attempts_of(tx: Reader, name_index: bytes) -> Attempts | None:
    row = guarded.get(tx, sign_in_attempts, name_index.hex())
    return None if row is None else Attempts(row.id, row.failures, row.locked_until)


def lock_attempts(tx: Transaction, name_index: bytes, now: datetime) -> Attempts:
    """The count for this name, made if there is none, and locked until the transaction ends."""
    new: dict[str, Value] = {
        "id": name_index.hex(),
        "failures": 0,
        "locked_until": None,
        "last_at": now,
    }
    guarded.add_if_absent(tx, sign_in_attempts, guarded.values_with_mac(tx, sign_in_attempts, new))
    row = guarded.get(tx, sign_in_attempts, name_index.hex(), Lock.OWN)
    if row is None:
        raise StoreConflictError
    return Attempts(row.id, row.failures, row.locked_until)


def set_attempts(
    tx: Transaction,
    attempts: Attempts,
    failures: int,
    locked_until: datetime | None,
    now: datetime,
) -> None:
    guarded.change(
        tx,
        sign_in_attempts,
        attempts.id,
        failures=failures,
        locked_until=locked_until,
        last_at=now,
    )


def sweep_attempts(tx: Transaction, before: datetime) -> int:
    """Forget the counts whose last attempt was before `before`, some at a time; how many."""
    old = select(sign_in_attempts.c.id).where(sign_in_attempts.c.last_at < before)
    return tx.connection.execute(
        delete(sign_in_attempts).where(sign_in_attempts.c.id.in_(old.limit(SWEEP_ROWS_MAX)))
    ).rowcount


def _id(kind: SubjectKind, subject_id: str) -> str:
    return f"{kind.value}/{subject_id}"
