"""Sessions: the keyed digest of each token, whose it is, and how long it lasts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select

from card_core.store import guarded
from card_core.store.credentials import SWEEP_ROWS_MAX, SubjectKind
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import sessions as table


@dataclass(frozen=True, slots=True)
class Session:
    """channel_id: of the service channel at which alone it is good; None for one of a browser's."""

    subject_kind: SubjectKind
    subject_id: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    channel_id: str | None = None


def find(tx: Reader, token_digest: bytes) -> Session | None:
    row = guarded.get(tx, table, token_digest.hex())
    return None if row is None else _record(row)


def add(tx: Transaction, token_digest: bytes, session: Session) -> None:
    guarded.add(
        tx,
        table,
        {
            "id": token_digest.hex(),
            "subject_kind": session.subject_kind.value,
            "subject_id": session.subject_id,
            "created_at": session.created_at,
            "last_seen_at": session.last_seen_at,
            "expires_at": session.expires_at,
            "channel_id": session.channel_id,
        },
    )


def touch(tx: Transaction, token_digest: bytes, now: datetime) -> None:
    """Note that the session is in use; one that has ended meanwhile stays ended."""
    if guarded.get(tx, table, token_digest.hex(), Lock.OWN) is not None:
        guarded.change(tx, table, token_digest.hex(), last_seen_at=now)


def end(tx: Transaction, token_digest: bytes, subject_id: str) -> bool:
    """End this subject's session; False if there is none."""
    ended = tx.connection.execute(
        delete(table).where(table.c.id == token_digest.hex(), table.c.subject_id == subject_id)
    )
    return ended.rowcount == 1


def end_all(tx: Transaction, kind: SubjectKind, subject_id: str) -> None:
    tx.connection.execute(
        delete(table).where(table.c.subject_kind == kind.value, table.c.subject_id == subject_id)
    )


def sweep(tx: Transaction, now: datetime) -> int:
    """Delete sessions that have expired, some at a time; how many."""
    old = select(table.c.id).where(table.c.expires_at < now).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(table.c.id.in_(old))).rowcount


def _record(row: Row[Any]) -> Session:
    return Session(
        SubjectKind(row.subject_kind),
        row.subject_id,
        row.created_at,
        row.last_seen_at,
        row.expires_at,
        row.channel_id,
    )
