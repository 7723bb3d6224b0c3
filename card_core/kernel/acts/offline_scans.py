"""The act of taking in what a terminal scanned with no network: settle it, and find doubles.

Everything that a terminal uploads was served already; nothing here undoes that. What is decided is
whether the code was the first of its kind, and what the bureau has to look into.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from card_core.codes import AMOUNT_FEN_MAX, CheckedCode, CodeKind, PurposeClass
from card_core.errors import InvalidActError, NotAllowedError, TamperedRowError
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.strangers import stranger_spending
from card_core.presented import Presented
from card_core.states import CardState
from card_core.store import Lock, Transaction, cards, devices, issuers, offline_scans, scans
from card_core.store.institutions import Institution, Terminal
from card_core.store.offline_scans import OfflineOutcome, OfflineScan, Pair
from card_core.store.scans import Spending
from card_core.verdicts import Reason

RECORDS_MAX: Final = 64
LATE_AFTER: Final = timedelta(days=3)
_SIGNATURE_SIZE: Final = 64


@dataclass(frozen=True, slots=True, repr=False)
class Uploaded:
    """One record, after what needs no transaction: the terminal's signature, and steps 1 to 6 with
    the record's own time.

    checked: of a code that passed. presented: of an online code of ours. refusal: where it did not
    pass. is_genuine: whether the terminal's signature over the record holds. key_revoked: the code
    passed under a key that has been revoked since.
    """

    request_id: str
    sequence: int
    scanned_at: datetime
    business_type: str
    amount_fen: int | None
    code_digest: bytes
    signature: bytes
    is_genuine: bool
    checked: CheckedCode | None = None
    presented: Presented | None = None
    refusal: Reason | None = None
    key_revoked: bool = False

    def __post_init__(self) -> None:
        """Raises InvalidActError."""
        limits.check_request_id(self.request_id)
        limits.check_range("sequence", self.sequence, 1, (1 << 63) - 1)
        limits.check_size("code_digest", self.code_digest, 32)
        limits.check_size("signature", self.signature, _SIGNATURE_SIZE)
        if self.amount_fen is not None:
            limits.check_range("amount_fen", self.amount_fen, 0, AMOUNT_FEN_MAX)

    def sent(self) -> list[Any]:
        """What the terminal sent, by which a retry is known."""
        return [self.request_id, self.sequence, self.code_digest.hex(), self.signature.hex()]


@dataclass(frozen=True, slots=True, repr=False)
class RecordOfflineScans(Act):
    """Settle at most RECORDS_MAX records. A record that is here already keeps its outcome.

    Answer: records, a list of request_id, outcome, reason, in the order given.
    """

    act: ClassVar[str] = "record_offline_scans"
    chain: ClassVar[str] = "scan"

    records: tuple[Uploaded, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.records) <= RECORDS_MAX:
            raise InvalidActError(
                "records", f"应为 1 至 {RECORDS_MAX} 条", f"must be 1 to {RECORDS_MAX}"
            )
        if len({one.request_id for one in self.records}) != len(self.records):
            raise InvalidActError("records", "请求号重复", "has a request id twice")

    def request(self) -> Any:
        return [one.sent() for one in self.records]

    def apply(self, scene: Scene) -> Done:
        terminal, institution = scene.standing.terminal, scene.standing.institution
        if terminal is None or institution is None:
            raise NotAllowedError
        known = offline_scans.of_requests(
            scene.tx, terminal.id, {one.request_id for one in self.records}
        )
        new = [
            _Settling(one, scene.new_id()) for one in self.records if one.request_id not in known
        ]
        _read_cards(scene.tx, new)
        spent_by = _spend(scene.tx, new)
        _decide(scene, new, spent_by)
        made = [_row(one, terminal, institution, scene.now) for one in new]
        offline_scans.add_all(scene.tx, made)
        found = _pair(scene, new, spent_by, terminal)
        settled = {**known, **{one.request_id: one for one in made}}
        answer = [_told(one, settled[one.request_id]) for one in self.records]
        detail = {
            "terminal_id": terminal.id,
            "records": len(made),
            "pairs": [
                {"pair_id": one.id, "first_id": one.first_id, "second_id": one.second_id}
                for one in found
            ],
        }
        return Done({"records": answer}, f"terminal/{terminal.id}", detail)


@dataclass(slots=True, repr=False)
class _Settling:
    record: Uploaded
    id: str
    ecard_id: int | None = None
    card: cards.Card | None = None
    holder_id: str | None = None
    outcome: OfflineOutcome = OfflineOutcome.CONFIRMED
    events: Sequence[tuple[datetime, bool]] = field(default_factory=list)


def _read_cards(tx: Transaction, new: Sequence[_Settling]) -> None:
    for one in new:
        if one.record.is_genuine and one.record.checked is not None:
            one.ecard_id = _named_ecard(tx, one.record, one.record.checked)
    by_ecard = cards.card_ids_of(tx, {one.ecard_id for one in new if one.ecard_id is not None})()
    card_ids = set(by_ecard.values())
    # Under this lock a loss that is being reported is either seen here or comes after.
    tx.lock_all((f"cards/{card_id}" for card_id in card_ids), Lock.SHARED)
    pairs = cards.pairs_of(tx, card_ids)()
    for one in new:
        checked = one.record.checked
        if checked is None or one.ecard_id is None:
            continue
        pair = pairs.by_card_id.get(by_ecard.get(one.ecard_id, ""))
        if pair is not None and pair[0].issuer == checked.issuer:
            one.card = pair[0]
    lost = {one.card.id for one in new if one.card and one.card.state is not CardState.NORMAL}
    events = offline_scans.losses(tx, lost)
    for one in new:
        if one.card is not None:
            one.events = events.get(one.card.id, [])


def _named_ecard(tx: Transaction, record: Uploaded, checked: CheckedCode) -> int | None:
    """The e-card of a code of ours. That its phone was removed since changes nothing about whose
    code it was, so that a double of it is still found."""
    if checked.kind is CodeKind.ONLINE:
        return None if record.presented is None else record.presented.ecard_id
    if checked.credential_expires_at is None or checked.status_index is None:
        return None
    try:
        credential = devices.find_credential(
            tx, checked.issuer, int(checked.credential_expires_at.timestamp()), checked.status_index
        )
    except TamperedRowError:
        return None  # the records beside it must not wait for it
    if credential is None or credential.device_key != checked.device_key:
        return None
    return credential.ecard_id


def _spend(tx: Transaction, new: Sequence[_Settling]) -> dict[str, str]:
    """Spend every code that passed, whatever else is against it; for each double, who was first.

    Each is spent under its holder, as scans do, and under a name made of the code alone: so that it
    is found again when its credential's row is gone, and where it is another issuer's.
    """
    spent_by: dict[str, str] = {}
    for one in new:
        checked = one.record.checked
        if not one.record.is_genuine or checked is None:
            continue
        spendings = [stranger_spending(checked, one.id)]
        if one.card is not None:
            presented = one.record.presented
            nonce = checked.nonce or (presented.nonce if presented else spendings[0].nonce)
            spendings.insert(0, Spending(one.card.holder_id, checked.minted_at, nonce, one.id))
        one.holder_id = spendings[0].holder_id
        found = [by for each in spendings if (by := offline_scans.spend(tx, each)) is not None]
        found += _identified(tx, one, checked)
        if found:
            spent_by[one.id] = found[0]
    return spent_by


def _identified(tx: Transaction, one: _Settling, checked: CheckedCode) -> list[str]:
    """The online scan of an online code that identifies only: those are spent in the fast store,
    which forgets, so the scan itself is looked for."""
    is_such = checked.kind is CodeKind.ONLINE and (
        checked.purpose_class is PurposeClass.IDENTIFY_ONLY
    )
    if not is_such or one.card is None:
        return []
    return offline_scans.scans_of_code(tx, one.card.holder_id, checked.minted_at)


def _decide(scene: Scene, new: Sequence[_Settling], spent_by: Mapping[str, str]) -> None:
    own = issuers.own(scene.tx)
    for one in new:
        checked = one.record.checked
        is_ours = checked is None or (own is not None and checked.issuer == own.number)
        one.outcome = _outcome(one, one.id in spent_by, scene.now, is_ours=is_ours)


def _outcome(one: _Settling, is_double: bool, now: datetime, *, is_ours: bool) -> OfflineOutcome:
    """The first that holds, in the order of `OfflineOutcome`."""
    record = one.record
    holds = {
        OfflineOutcome.NOT_GENUINE: not record.is_genuine,
        OfflineOutcome.REFUSED: record.checked is None,
        OfflineOutcome.DOUBLE: is_double,
        OfflineOutcome.CARD_WAS_LOST: _was_lost(one),
        OfflineOutcome.KEY_REVOKED: record.key_revoked,
        OfflineOutcome.LATE: now - record.scanned_at > LATE_AFTER,
        OfflineOutcome.OTHER_ISSUER: not is_ours,
        OfflineOutcome.UNKNOWN_CARD: one.card is None,
        OfflineOutcome.CONFIRMED: True,
    }
    return next(outcome for outcome, so in holds.items() if so)


def _was_lost(one: _Settling) -> bool:
    before = [lost for at, lost in one.events if at <= one.record.scanned_at]
    return bool(before) and before[-1]


def _row(
    one: _Settling, terminal: Terminal, institution: Institution, now: datetime
) -> OfflineScan:
    record = one.record
    return OfflineScan(
        id=one.id,
        terminal_id=terminal.id,
        institution_id=institution.id,
        request_id=record.request_id,
        sequence=record.sequence,
        scanned_at=record.scanned_at,
        uploaded_at=now,
        business_type=record.business_type,
        amount_fen=record.amount_fen,
        code_digest=record.code_digest,
        signature=record.signature,
        holder_id=None if one.card is None else one.card.holder_id,
        card_id=None if one.card is None else one.card.id,
        outcome=one.outcome,
        reason=record.refusal if one.outcome is OfflineOutcome.REFUSED else None,
    )


def _pair(
    scene: Scene, new: Sequence[_Settling], spent_by: Mapping[str, str], terminal: Terminal
) -> list[Pair]:
    """One pair for each double: the scan that spent the code, and this record."""
    made = []
    for one in new:
        if one.id not in spent_by or one.holder_id is None:
            continue
        pair = Pair(
            id=scene.new_id(),
            holder_id=one.holder_id,
            first_id=spent_by[one.id],
            first_is_offline=False,
            first_terminal_id="",
            first_evidence=None,
            second_id=one.id,
            second_terminal_id=terminal.id,
            second_evidence=one.record.signature,
            found_at=scene.now,
        )
        made.append(_with_first(scene.tx, pair))
    offline_scans.add_pairs(scene.tx, made)
    return made


def _with_first(tx: Transaction, pair: Pair) -> Pair:
    offline = offline_scans.get(tx, pair.first_id)
    if offline is not None:
        return replace(
            pair,
            first_is_offline=True,
            first_terminal_id=offline.terminal_id,
            first_evidence=offline.signature,
        )
    online = scans.get(tx, pair.first_id)
    if online is None:
        return pair
    return replace(pair, first_terminal_id=online.terminal_id, first_evidence=online.receipt)


def _told(sent: Uploaded, kept: OfflineScan) -> dict[str, Any]:
    """A request id that comes again with something else is answered as what it is: no record."""
    same = (sent.code_digest, sent.signature) == (kept.code_digest, kept.signature)
    outcome = kept.outcome if same else OfflineOutcome.NOT_GENUINE
    reason = kept.reason.value if same and kept.reason is not None else None
    return {"request_id": sent.request_id, "outcome": outcome.value, "reason": reason}
