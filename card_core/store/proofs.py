"""Nonces of signed requests, each good once."""

from datetime import datetime

from sqlalchemy import delete, select, tuple_

from card_core.errors import ReplayedRequestError
from card_core.store import guarded
from card_core.store.database import Transaction
from card_core.store.schema import proofs as table

SWEEP_ROWS_MAX = 1000


def spend(
    tx: Transaction,
    actor_kind: str,
    actor_id: str,
    *,
    nonce: bytes,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Spend a nonce. Raises ReplayedRequestError if it is spent already, or too old to remember."""
    key = {"actor_kind": actor_kind, "actor_id": actor_id, "nonce": nonce}
    if expires_at < now or not guarded.add_if_absent(tx, table, {**key, "expires_at": expires_at}):
        raise ReplayedRequestError


def sweep(tx: Transaction, now: datetime) -> int:
    """Forget nonces that are too old to be taken anyway, some at a time; how many."""
    key = tuple_(table.c.actor_kind, table.c.actor_id, table.c.nonce)
    old = select(table.c.actor_kind, table.c.actor_id, table.c.nonce)
    old = old.where(table.c.expires_at < now).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(key.in_(old))).rowcount
