"""Second factors of operators: an SM2 public key, or the secret of a dynamic password (TOTP).

An operator has one or none. A row stays when its factor is taken away, with kind `none`, so that
an old one put back in its place is seen (`guarded`); and the operator's own row says that there is
one, so that a row that was deleted does not open the way to enrolling another.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from card_core.errors import TamperedRowError
from card_core.store import guarded
from card_core.store.cipher import Value
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import operator_factors as table
from card_core.store.schema import operators


class FactorKind(StrEnum):
    SM2 = "sm2"
    DYNAMIC = "dynamic"
    NONE = "none"


@dataclass(frozen=True, slots=True, repr=False)
class Factor:
    """public_key: 33 bytes, of SM2. secret: of a dynamic password. last_step: the latest time step
    whose dynamic password was used; none of it or before is taken again."""

    kind: FactorKind
    public_key: bytes | None = None
    secret: bytes | None = None
    last_step: int | None = None


def get(tx: Reader, operator_id: str) -> Factor | None:
    """The operator's factor; None where there is none. Raises TamperedRowError."""
    return _read(tx, operator_id, Lock.NONE)


def lock(tx: Transaction, operator_id: str) -> Factor | None:
    """As `get`, locked until the transaction ends."""
    return _read(tx, operator_id, Lock.OWN)


def put(tx: Transaction, operator_id: str, factor: Factor, now: datetime) -> None:
    """Set the operator's factor, for the first time or anew."""
    secret = factor.secret
    sealed = None if secret is None else tx.cipher.seal(table.name, "secret", operator_id, secret)
    values: dict[str, Value] = {
        "kind": factor.kind.value,
        "public_key": factor.public_key,
        "secret": sealed,
        "last_step": factor.last_step,
        "enrolled_at": now,
    }
    if guarded.get(tx, table, operator_id) is None:
        guarded.add(tx, table, {"id": operator_id, **values})
    else:
        guarded.change(tx, table, operator_id, **values)
    guarded.change(tx, operators, operator_id, factor=factor.kind.value)


def forget(tx: Transaction, operator_id: str, now: datetime) -> None:
    """Take the operator's factor away, if there is one."""
    if get(tx, operator_id) is not None:
        put(tx, operator_id, Factor(FactorKind.NONE), now)


def use_step(tx: Transaction, operator_id: str, step: int) -> None:
    """Note that the dynamic password of this time step was used."""
    guarded.change(tx, table, operator_id, last_step=step)


def has_key(tx: Reader, public_key: bytes) -> bool:
    """Whether any operator's factor is this key."""
    return (
        guarded.first(tx, table, select(table).where(table.c.public_key == public_key)) is not None
    )


def _read(tx: Reader, operator_id: str, how: Lock) -> Factor | None:
    row = guarded.get(tx, table, operator_id, how)
    if row is None:
        operator = guarded.get(tx, operators, operator_id)
        if operator is not None and operator.factor is not None:
            raise TamperedRowError(table.name, operator_id)
        return None
    if row.kind == FactorKind.NONE.value:
        return None
    secret = row.secret
    opened = None if secret is None else tx.cipher.open(table.name, "secret", operator_id, secret)
    return Factor(FactorKind(row.kind), row.public_key, opened, row.last_step)
