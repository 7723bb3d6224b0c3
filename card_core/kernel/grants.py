"""What an accepted scan gives the institution: a view, a pseudonym, a receipt, perhaps a visit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from card_core import business_types, receipts
from card_core.codes import ForWhom, KeyPurpose, Presence, PurposeClass
from card_core.holder_views import HolderViews
from card_core.presented import Medium, Presented
from card_core.pseudonyms import Pseudonyms
from card_core.receipts import NO_SCAN, ReceiptContent, ReceiptKind
from card_core.signing import SigningKeys
from card_core.store import Reader, audit
from card_core.store.institutions import Institution, Terminal
from card_core.store.visits import Visit
from card_core.visits import VisitPolicy, VisitTokens, opens_visit
from crypto.keys import Signer

CHAIN = "scan"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all receipts of one transaction share: the key, and the audit log's head."""

    issuer: int
    key_number: int
    signer: Signer
    audit_seq: int
    audit_link: bytes


class ReceiptFacts(NamedTuple):
    """What one receipt is about; as in ReceiptContent, with the clerk's own words."""

    kind: ReceiptKind
    at: datetime
    id: str
    business_type: str
    amount_fen: int | None
    medium: Medium
    presence: Presence
    for_whom: ForWhom
    holder_id: str
    terminal: Terminal
    institution: Institution
    operator: str
    department: str
    original_scan_id: str = NO_SCAN

    def __repr__(self) -> str:
        return f"ReceiptFacts(id={self.id!r})"


class ReceiptMaker:
    """Makes receipts under the issuer's active receipt key; safe in many threads."""

    def __init__(self, keys: SigningKeys, pseudonyms: Pseudonyms) -> None:
        self._keys = keys
        self._pseudonyms = pseudonyms

    def make(self, tx: Reader, facts: Iterable[ReceiptFacts]) -> list[bytes]:
        """A receipt for each, all under one signature; for none, InvalidContentError.

        Raises NoSigningKeyError, CryptoError.
        """
        key = self._keys.current(KeyPurpose.RECEIPT)
        stamp = Stamp(self._keys.issuer, key.number, key.signer, *audit.head(tx, CHAIN))
        return receipts.make_receipts((self._content(one, stamp) for one in facts), stamp.signer)

    def _content(self, one: ReceiptFacts, stamp: Stamp) -> ReceiptContent:
        clerk = receipts.NO_CLERK
        if one.operator or one.department:
            salt = self._pseudonyms.clerk_salt(one.id)
            clerk = receipts.commit_to_clerk(one.operator, one.department, salt)
        return ReceiptContent(
            kind=one.kind,
            issuer=stamp.issuer,
            key_number=stamp.key_number,
            at=one.at,
            scan_id=one.id,
            original_scan_id=one.original_scan_id,
            business_type=one.business_type,
            amount_fen=one.amount_fen,
            medium=one.medium,
            presence=one.presence,
            for_whom=one.for_whom,
            pseudonym=self._pseudonyms.of(one.holder_id, one.institution.id),
            clerk=clerk,
            terminal=one.terminal.serial_number,
            institution_code=one.institution.code,
            audit_chain=CHAIN,
            audit_seq=stamp.audit_seq,
            audit_link=stamp.audit_link,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Grants:
    """What the composition root gives the kernel to answer accepted scans with."""

    receipts: ReceiptMaker
    pseudonyms: Pseudonyms
    visit_tokens: VisitTokens
    visit_policy: VisitPolicy
    views: HolderViews


def new_visit(
    policy: VisitPolicy,
    *,
    visit_id: str,
    facts: ReceiptFacts,
    card_id: str,
    presented: Presented,
) -> Visit | None:
    """The visit that an accepted scan opens; None where it opens none.

    A step of a visit opens none, or a visit would never have to end; nor does a code on which no
    money or goods may move, or its holder would have agreed to more than they did.
    """
    steps = opens_visit(business_types.get(facts.business_type), facts.institution.kind)
    if (
        not steps
        or presented.medium is Medium.VISIT_TOKEN
        or presented.purpose_class is not PurposeClass.ANY_USE
    ):
        return None
    return Visit(
        id=visit_id,
        holder_id=facts.holder_id,
        card_id=card_id,
        ecard_id=presented.ecard_id,
        institution_id=facts.institution.id,
        scan_id=facts.id,
        business_types=steps,
        opened_at=facts.at,
        ends_at=facts.at + timedelta(hours=policy.hours),
        issuer=presented.issuer,
        presence=facts.presence,
        for_whom=facts.for_whom,
        steps_max=policy.steps_max,
        consuming_max=policy.consuming_max,
        amount_max_fen=policy.amount_max_fen,
    )
