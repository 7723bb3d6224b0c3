"""Nonces of signed requests, each good once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, tuple_

from card_core.errors import ReplayedRequestError
from card_core.store import bulk, guarded
from card_core.store.bulk import Pending
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


@dataclass(frozen=True, slots=True)
class Nonce:
    """A signed request's nonce (16 bytes), whose it is, and until when it must be remembered."""

    actor_kind: str
    actor_id: str
    nonce: bytes
    expires_at: datetime


def spend_all(
    tx: Transaction, nonces: Sequence[Nonce], now: datetime
) -> Pending[set[tuple[Any, ...]]]:
    """Spend many nonces; (actor id, nonce) of those that were not spent and are not too old."""
    rows = [
        {
            "actor_kind": one.actor_kind,
            "actor_id": one.actor_id,
            "nonce": one.nonce,
            "expires_at": one.expires_at,
        }
        for one in nonces
        if one.expires_at >= now
    ]
    return bulk.insert_new(tx, table, rows, ("actor_id", "nonce"))


def sweep(tx: Transaction, now: datetime) -> int:
    """Forget nonces that are too old to be taken anyway, some at a time; how many."""
    key = tuple_(table.c.actor_kind, table.c.actor_id, table.c.nonce)
    old = select(table.c.actor_kind, table.c.actor_id, table.c.nonce)
    old = old.where(table.c.expires_at < now).limit(SWEEP_ROWS_MAX)
    return tx.connection.execute(delete(table).where(key.in_(old))).rowcount
