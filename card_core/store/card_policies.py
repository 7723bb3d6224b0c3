"""What each issuer decided for its cards."""

from card_core.card_policy import FAMILY_MAX, CardNumberKept, CardPolicy
from card_core.store import guarded
from card_core.store.cipher import Value
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import card_policies as table


def of(tx: Reader, issuer: int) -> CardPolicy:
    """The issuer's policy; the one that CardPolicy has by itself until somebody decided."""
    row = guarded.get(tx, table, str(issuer))
    if row is None:
        return CardPolicy()
    return CardPolicy(
        row.loss_days,
        row.withdraws_formal_loss,
        CardNumberKept(row.on_replacement),
        CardNumberKept(row.on_exchange),
        FAMILY_MAX if row.family_max is None else row.family_max,
    )


def put(tx: Transaction, issuer: int, policy: CardPolicy) -> None:
    values: dict[str, Value] = {
        "loss_days": policy.loss_days,
        "withdraws_formal_loss": policy.withdraws_formal_loss,
        "on_replacement": policy.on_replacement.value,
        "on_exchange": policy.on_exchange.value,
        "family_max": policy.family_max,
    }
    if guarded.get(tx, table, str(issuer), Lock.OWN) is None:
        guarded.add(tx, table, {"id": str(issuer), **values})
    else:
        guarded.change(tx, table, str(issuer), **values)
