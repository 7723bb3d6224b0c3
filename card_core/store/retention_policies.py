"""For how long each issuer keeps what."""

from card_core.retention_policy import RetentionPolicy
from card_core.store import guarded
from card_core.store.cipher import Value
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import retention_policies as table


def of(tx: Reader, issuer: int) -> RetentionPolicy:
    """The issuer's policy; the one that RetentionPolicy has by itself until somebody decided."""
    row = guarded.get(tx, table, str(issuer))
    if row is None:
        return RetentionPolicy()
    return RetentionPolicy(row.holder_days, row.refused_days, row.approval_days)


def put(tx: Transaction, issuer: int, policy: RetentionPolicy) -> None:
    values: dict[str, Value] = {
        "holder_days": policy.holder_days,
        "refused_days": policy.refused_days,
        "approval_days": policy.approval_days,
    }
    if guarded.get(tx, table, str(issuer), Lock.OWN) is None:
        guarded.add(tx, table, {"id": str(issuer), **values})
    else:
        guarded.change(tx, table, str(issuer), **values)
