"""The versions of the bundle (离线数据包), and each issuer's policy for offline scans."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select

from card_core.bundles import OfflinePolicy
from card_core.store import guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import bundles as table
from card_core.store.schema import offline_policies


@dataclass(frozen=True, slots=True)
class BundleVersion:
    """content: the JSON inside. to_be_signed: with prefix and head. signature: None at first."""

    issuer: int
    key_number: int
    version: int
    issued_at: datetime
    content: bytes
    to_be_signed: bytes
    signature: bytes | None


def lock(tx: Transaction, issuer: int) -> None:
    """Of those who prepare or publish versions of the bundle, one does so at a time."""
    tx.lock(f"bundles/{issuer}", Lock.OWN)


def latest(tx: Reader, issuer: int) -> BundleVersion | None:
    """The latest version, signed or not."""
    statement = select(table).where(table.c.issuer == issuer)
    row = guarded.first(tx, table, statement.order_by(table.c.bundle_version.desc()).limit(1))
    return None if row is None else _record(row)


def published(tx: Reader, issuer: int) -> BundleVersion | None:
    """The latest version that is signed."""
    statement = select(table).where(table.c.issuer == issuer, table.c.signature.is_not(None))
    row = guarded.first(tx, table, statement.order_by(table.c.bundle_version.desc()).limit(1))
    return None if row is None else _record(row)


def published_version(tx: Reader, issuer: int) -> int | None:
    """The number of `published`; reads nothing else, for whoever keeps what it read before."""
    statement = select(func.max(table.c.bundle_version)).where(
        table.c.issuer == issuer, table.c.signature.is_not(None)
    )
    version: int | None = tx.connection.execute(statement).scalar()
    return version


def add(tx: Transaction, new: BundleVersion) -> None:
    """A version that is prepared and not signed yet."""
    guarded.add(
        tx,
        table,
        {
            "id": f"{new.issuer}.{new.version}",
            "issuer": new.issuer,
            "key_number": new.key_number,
            "bundle_version": new.version,
            "issued_at": new.issued_at,
            "content": new.content,
            "to_be_signed": new.to_be_signed,
            "signature": None,
        },
    )


def drop(tx: Transaction, prepared: BundleVersion) -> None:
    """Delete a version that was never signed, and so never out."""
    tx.connection.execute(
        delete(table).where(
            table.c.id == f"{prepared.issuer}.{prepared.version}", table.c.signature.is_(None)
        )
    )


def publish(tx: Transaction, prepared: BundleVersion, signature: bytes) -> None:
    """Sign a version; those before the one before it are deleted."""
    guarded.change(tx, table, f"{prepared.issuer}.{prepared.version}", signature=signature)
    tx.connection.execute(
        delete(table).where(
            table.c.issuer == prepared.issuer, table.c.bundle_version < prepared.version - 1
        )
    )


def policy_of(tx: Reader, issuer: int) -> OfflinePolicy:
    """What the issuer allows offline; identifying alone until somebody decided otherwise."""
    row = guarded.get(tx, offline_policies, str(issuer))
    if row is None:
        return OfflinePolicy()
    return OfflinePolicy(row.consumes, row.count_max, row.amount_fen_max)


def set_policy(tx: Transaction, issuer: int, policy: OfflinePolicy) -> None:
    values = {
        "consumes": policy.consumes,
        "count_max": policy.count_max,
        "amount_fen_max": policy.amount_fen_max,
    }
    if guarded.get(tx, offline_policies, str(issuer), Lock.OWN) is None:
        guarded.add(tx, offline_policies, {"id": str(issuer), **values})
    else:
        guarded.change(tx, offline_policies, str(issuer), **values)


def _record(row: Row[Any]) -> BundleVersion:
    return BundleVersion(
        row.issuer,
        row.key_number,
        row.bundle_version,
        row.issued_at,
        row.content,
        row.to_be_signed,
        row.signature,
    )
