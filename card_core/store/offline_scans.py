"""Scans that terminals made with no network (离线核验), and the codes that were taken twice."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, text

from card_core.presented import Medium
from card_core.store import guarded, ids, scans
from card_core.store.database import Reader, Transaction
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.scans import Spending
from card_core.store.schema import audit_events, offline_pairs, spent
from card_core.store.schema import offline_scans as table
from card_core.store.schema import scans as online
from card_core.verdicts import Reason

_LOSSES = ("report_temporary_loss", "report_formal_loss", "cancel_card")
_CARD_ACTS = (*_LOSSES, "withdraw_temporary_loss", "activate_card")
# Far more than an online code lives: how far from its making the ids of its scans are looked for.
_ABOUT = timedelta(days=1)


class OfflineOutcome(StrEnum):
    """What became of an uploaded record, in the order in which they decide.

    NOT_GENUINE: the terminal's signature over it does not hold; nothing else was looked at.
    REFUSED: the code does not pass the check of its own time. DOUBLE: it was accepted before.
    CARD_WAS_LOST: lost or cancelled before the scan. KEY_REVOKED: the issuer's key has been revoked
    since. LATE: it came too late to be looked into. OTHER_ISSUER: genuine, of another issuer's
    holder, whose card we know nothing of. UNKNOWN_CARD: it names no card of ours.
    """

    NOT_GENUINE = "not_genuine"
    REFUSED = "refused"
    DOUBLE = "double"
    CARD_WAS_LOST = "card_was_lost"
    KEY_REVOKED = "key_revoked"
    LATE = "late"
    OTHER_ISSUER = "other_issuer"
    UNKNOWN_CARD = "unknown_card"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, repr=False)
class OfflineScan:
    """One record as it was uploaded. scanned_at: by the terminal's clock. sequence: its own count.

    signature: the terminal's (64 bytes). code_digest: SM3 of the code's text. reason: where the
    code itself was refused.
    """

    id: str
    terminal_id: str
    institution_id: str
    request_id: str
    sequence: int
    scanned_at: datetime
    uploaded_at: datetime
    business_type: str
    amount_fen: int | None
    code_digest: bytes
    signature: bytes
    holder_id: str | None
    card_id: str | None
    outcome: OfflineOutcome
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """One code, accepted twice. first: the scan that spent it, offline or online; its evidence is
    its terminal's signature, or the online scan's receipt. second: the record that came later."""

    id: str
    holder_id: str
    first_id: str
    first_is_offline: bool
    first_terminal_id: str
    first_evidence: bytes | None
    second_id: str
    second_terminal_id: str
    second_evidence: bytes
    found_at: datetime


def of_requests(
    tx: Reader, terminal_id: str, request_ids: Collection[str]
) -> dict[str, OfflineScan]:
    """The terminal's records that are here already, by request id."""
    statement = select(table).where(
        table.c.terminal_id == terminal_id, table.c.request_id.in_(list(request_ids))
    )
    return {row.request_id: _record(row) for row in guarded.rows(tx, table, statement)}


def get(tx: Reader, scan_id: str) -> OfflineScan | None:
    row = guarded.get(tx, table, scan_id)
    return None if row is None else _record(row)


def add_all(tx: Transaction, new: Sequence[OfflineScan]) -> None:
    guarded.add_all(
        tx,
        table,
        [
            {
                "id": one.id,
                "terminal_id": one.terminal_id,
                "institution_id": one.institution_id,
                "request_id": one.request_id,
                "sequence": one.sequence,
                "scanned_at": one.scanned_at,
                "uploaded_at": one.uploaded_at,
                "business_type": one.business_type,
                "amount_fen": one.amount_fen,
                "code_digest": one.code_digest,
                "signature": one.signature,
                "holder_id": one.holder_id,
                "card_id": one.card_id,
                "outcome": one.outcome.value,
                "reason": None if one.reason is None else one.reason.value,
            }
            for one in new
        ],
    )


def spend(tx: Transaction, one: Spending) -> str | None:
    """Spend a code's nonce; None where this did it, and otherwise the scan that did it before."""
    if scans.spend_all(tx, [one]):
        return None
    statement = select(spent.c.scan_id).where(
        spent.c.holder_id == one.holder_id,
        spent.c.minted_at == int(one.minted_at.timestamp()),
        spent.c.nonce == one.nonce,
    )
    found: str = tx.connection.execute(statement).scalar_one()
    return found


def scans_of_code(tx: Reader, holder_id: str, minted_at: datetime) -> list[str]:
    """The accepted online scans of a holder's online code of that second."""
    statement = select(online.c.id).where(
        online.c.id.between(ids.earliest(minted_at - _ABOUT), ids.earliest(minted_at + _ABOUT)),
        online.c.holder_id == holder_id,
        online.c.minted_at == minted_at,
        online.c.reason == Reason.ACCEPTED.value,
        online.c.medium.in_([Medium.ONLINE_CODE.value, Medium.SHORT_CODE.value]),
    )
    return list(tx.connection.execute(statement.order_by(online.c.id).limit(1)).scalars())


def add_pairs(tx: Transaction, new: Sequence[Pair]) -> None:
    guarded.add_all(
        tx,
        offline_pairs,
        [
            {
                "id": one.id,
                "holder_id": one.holder_id,
                "first_id": one.first_id,
                "first_is_offline": int(one.first_is_offline),
                "first_terminal_id": one.first_terminal_id,
                "first_evidence": one.first_evidence,
                "second_id": one.second_id,
                "second_terminal_id": one.second_terminal_id,
                "second_evidence": one.second_evidence,
                "found_at": one.found_at,
            }
            for one in new
        ],
    )


def pairs(tx: Reader, *, after: str = "", limit: int = PAGE_SIZE_MAX) -> list[Pair]:
    """At most `limit` pairs whose id comes behind `after`, those found first before the others."""
    statement = (
        select(offline_pairs)
        .where(offline_pairs.c.id > after)
        .order_by(offline_pairs.c.id)
        .limit(check_limit(limit))
    )
    return [_pair(row) for row in guarded.rows(tx, offline_pairs, statement)]


def losses(tx: Reader, card_ids: Collection[str]) -> dict[str, list[tuple[datetime, bool]]]:
    """When these cards were lost or ended (True) and taken back into use (False), in order.

    The audit log has the instants; a card's row has only what it is now.
    """
    subjects = {f"card/{card_id}": card_id for card_id in card_ids}
    if not subjects:
        return {}
    statement = (
        select(audit_events.c.subject, audit_events.c.at, audit_events.c.act)
        .where(
            text("chain = 'bureau'"),  # as text, so that the index over it is seen to fit
            audit_events.c.subject.in_(list(subjects)),
            audit_events.c.act.in_(_CARD_ACTS),
        )
        .order_by(audit_events.c.seq)
    )
    found: dict[str, list[tuple[datetime, bool]]] = {}
    for subject, at, act in tx.connection.execute(statement):
        found.setdefault(subjects[subject], []).append((at, act in _LOSSES))
    return found


def _record(row: Row[Any]) -> OfflineScan:
    values = {name: getattr(row, name) for name in OfflineScan.__slots__}
    values["outcome"] = OfflineOutcome(row.outcome)
    values["reason"] = None if row.reason is None else Reason(row.reason)
    return OfflineScan(**values)


def _pair(row: Row[Any]) -> Pair:
    values = {name: getattr(row, name) for name in Pair.__slots__}
    values["first_is_offline"] = bool(row.first_is_offline)
    return Pair(**values)
