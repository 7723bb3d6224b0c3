"""The act of taking a consumed scan back: 退费, 退药, 冲正."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from card_core import business_types, codes, receipts
from card_core.codes import KeyPurpose, KeyState
from card_core.errors import (
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    NotReversibleError,
    TamperedRowError,
)
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.grants import ReceiptFacts
from card_core.receipts import InvalidReceiptError, ReceiptKey, ReceiptKind
from card_core.store import Lock, issuers, reversals, scans
from card_core.store.institutions import Institution, Terminal
from card_core.store.reversals import Reversal, ReversalKind
from card_core.store.scans import Scan
from card_core.verdicts import Reason

REVERSIBLE = timedelta(days=90)
REVERSALS_MAX = 100

_RECEIPT_KIND = {
    ReversalKind.REFUND: ReceiptKind.REFUND,
    ReversalKind.RETURN: ReceiptKind.RETURN,
    ReversalKind.VOID: ReceiptKind.VOID,
}


@dataclass(frozen=True, slots=True, repr=False)
class ReverseScan(Act):
    """Take back what an accepted, consuming scan of the same institution moved.

    kind: refund 退费 gives money back, return 退药 takes medicine back and its money if any, void
    冲正 takes all of it back and leaves nothing. amount_fen: how much, at most what is left; None
    for a void, and where the scan moved no money. The code of the scan stays spent.
    Answer: reversal_id, scan_id, kind, amount_fen, left_fen (None where no money moved),
    reversed_at, receipt (text, naming the scan), clerk_salt.
    Raises: NotFoundError for another institution's scan, too; NotReversibleError; TamperedRowError
    where the scan's row is not what its receipt says.
    """

    act: ClassVar[str] = "reverse_scan"
    chain: ClassVar[str] = "scan"

    scan_id: str
    kind: ReversalKind
    amount_fen: int | None = None
    operator: str = ""
    department: str = ""

    def __post_init__(self) -> None:
        limits.check_id("scan_id", self.scan_id)
        if self.amount_fen is not None:
            limits.check_range("amount_fen", self.amount_fen, 1, codes.AMOUNT_FEN_MAX)
        if self.kind is ReversalKind.VOID and self.amount_fen is not None:
            raise InvalidActError(
                "amount_fen",
                "冲正是全额的，不填金额",
                "is not given for a void, which takes all back",
            )
        for field, value in (("operator", self.operator), ("department", self.department)):
            if value:
                limits.check_text(field, value, characters_max=limits.REMARK_MAX)

    def apply(self, scene: Scene) -> Done:
        terminal, institution = scene.standing.terminal, scene.standing.institution
        if terminal is None or institution is None or scene.grants is None:
            raise NotAllowedError
        # Under this lock the reversals of one scan follow each other, and their sum holds.
        scene.tx.lock(f"scans/{self.scan_id}", Lock.OWN)
        scan = scans.get(scene.tx, self.scan_id)
        if scan is None or scan.institution_id != institution.id or scan.holder_id is None:
            raise NotFoundError("scan")
        before = reversals.of_scan(scene.tx, scan.id)
        _check_reversible(scan, before, scene.now)
        _check_receipt(scene, scan)
        amount_fen = self._amount(scan, before)
        reversal = self._reversal(scene, scan, terminal, amount_fen)
        reversals.add(scene.tx, reversal)
        left_fen = None if amount_fen is None else _left(scan, [*before, reversal])
        detail = {
            "reversal_id": reversal.id,
            "scan_id": scan.id,
            "card_id": scan.card_id,
            "terminal_id": terminal.id,
            "institution_id": institution.id,
            "kind": self.kind.value,
        }
        told = {
            "reversal_id": reversal.id,
            "scan_id": scan.id,
            "kind": self.kind.value,
            "amount_fen": amount_fen,
            "left_fen": left_fen,
            "reversed_at": scene.now.isoformat(),
        }
        proof = _prove(scene, scan, reversal, terminal, institution)
        return Done({**told, **proof}, f"card/{scan.card_id}", detail)

    def _amount(self, scan: Scan, before: list[Reversal]) -> int | None:
        """How much goes back. Raises NotReversibleError, InvalidActError."""
        if self.kind is ReversalKind.VOID:
            if before:
                raise NotReversibleError(
                    "部分已退，不能冲正，请改用退费或退药",
                    "Some of it was taken back already, so it can't be voided; refund the rest",
                )
            return scan.amount_fen
        if scan.amount_fen is None:
            if self.kind is ReversalKind.REFUND or self.amount_fen is not None:
                raise InvalidActError(
                    "amount_fen",
                    "该笔业务未收费，没有可退金额",
                    "can't be given back: this scan moved no money",
                )
            return None
        if self.amount_fen is None:
            raise InvalidActError("amount_fen", "必填", "is needed")
        left = _left(scan, before)
        if self.amount_fen > left:
            raise InvalidActError(
                "amount_fen",
                f"超过可退金额 {left} 分",
                f"is more than the {left} fen that are left",
            )
        return self.amount_fen

    def _reversal(
        self, scene: Scene, scan: Scan, terminal: Terminal, amount_fen: int | None
    ) -> Reversal:
        return Reversal(
            id=scene.new_id(),
            scan_id=scan.id,
            kind=self.kind,
            amount_fen=amount_fen,
            reversed_at=scene.now,
            terminal_id=terminal.id,
            institution_id=terminal.institution_id,
            holder_id=scan.holder_id or "",
            operator=self.operator,
            department=self.department,
        )


def _check_reversible(scan: Scan, before: list[Reversal], now: datetime) -> None:
    """Raises NotReversibleError."""
    if scan.reason is not Reason.ACCEPTED or not business_types.get(scan.business_type).consumes:
        raise NotReversibleError(
            "该笔核验未通过或不涉及收费、发药，没有可撤销的内容",
            "The scan was refused or moved neither money nor goods; there is nothing to take back",
        )
    if now >= scan.scanned_at + REVERSIBLE:
        raise NotReversibleError(
            f"已超过 {REVERSIBLE.days} 天，请到社保经办机构办理",
            f"It is more than {REVERSIBLE.days} days ago; ask the card bureau",
        )
    if any(one.kind is ReversalKind.VOID for one in before):
        raise NotReversibleError("该笔业务已冲正", "It has been voided already")
    is_returned = scan.amount_fen is None and before
    if is_returned or (scan.amount_fen is not None and _left(scan, before) == 0 and before):
        raise NotReversibleError("该笔业务已全部退回", "All of it was taken back already")
    if len(before) >= REVERSALS_MAX:
        raise NotReversibleError(
            f"同一笔业务最多退 {REVERSALS_MAX} 次", f"It was taken back in {REVERSALS_MAX} parts"
        )


def _check_receipt(scene: Scene, scan: Scan) -> None:
    """The scan's own receipt says the same as its row, which anybody with the database could edit.

    A key that was revoked since counts as well: it is our own row that is compared, under our own
    list of keys. Raises TamperedRowError.
    """
    keys = [
        ReceiptKey(key.issuer, key.number, key.public_key, KeyState.VERIFY_ONLY)
        for key in issuers.keys(scene.tx)
        if key.purpose is KeyPurpose.RECEIPT
    ]
    try:
        content = receipts.verify_receipt(scan.receipt or b"", keys)
    except InvalidReceiptError:
        raise TamperedRowError("scans", scan.id) from None
    said = (content.kind, content.scan_id, content.business_type, content.amount_fen)
    if said != (ReceiptKind.SCAN, scan.id, scan.business_type, scan.amount_fen):
        raise TamperedRowError("scans", scan.id)


def _left(scan: Scan, taken: list[Reversal]) -> int:
    return (scan.amount_fen or 0) - sum(one.amount_fen or 0 for one in taken)


def _prove(
    scene: Scene, scan: Scan, reversal: Reversal, terminal: Terminal, institution: Institution
) -> dict[str, Any]:
    """The reversal's own receipt: of what was shown then, by the terminal that takes it back."""
    grants = scene.grants
    if grants is None or scan.medium is None or scan.presence is None or scan.for_whom is None:
        raise NotAllowedError
    facts = ReceiptFacts(
        kind=_RECEIPT_KIND[reversal.kind],
        at=reversal.reversed_at,
        id=reversal.id,
        business_type=scan.business_type,
        amount_fen=reversal.amount_fen,
        medium=scan.medium,
        presence=codes.Presence(scan.presence),
        for_whom=codes.ForWhom(scan.for_whom),
        holder_id=reversal.holder_id,
        terminal=terminal,
        institution=institution,
        operator=reversal.operator,
        department=reversal.department,
        original_scan_id=scan.id,
    )
    (receipt,) = grants.receipts.make(scene.tx, [facts])
    named = reversal.operator or reversal.department
    return {
        "receipt": receipts.to_text(receipt),
        "clerk_salt": grants.pseudonyms.clerk_salt(reversal.id).hex() if named else None,
    }
