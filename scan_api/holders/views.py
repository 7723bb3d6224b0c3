"""What a holder sees of the own card and of who scanned it."""

from collections.abc import Sequence
from datetime import datetime

from card_core import business_types
from card_core.identity import mask_name, mask_number
from card_core.kernel import Actor
from card_core.states import CardState, ECardState
from card_core.store import (
    Reader,
    cards,
    holders,
    institutions,
    reversals,
    scan_reports,
    scans,
    trust,
)
from card_core.store.reversals import Reversal
from card_core.store.scans import Scan
from scan_api.holders.models import (
    FullIdentity,
    HolderCard,
    HolderReversal,
    HolderScan,
    HolderScans,
)
from scan_api.services import Services

SCANS_SHOWN_MAX = 50


def view_card(services: Services, holder: Actor) -> HolderCard:
    """A holder whose card is cancelled and who has no new one is told just that."""
    with services.store.read() as tx:
        person = holders.identity_of(tx, holder.id)
        card = cards.live_card_of(tx, holder.id)
        ecard = None if card is None else cards.ecard_of(tx, card.id)
    return HolderCard(
        name=mask_name(person.name),
        social_security_number=mask_number(person.social_security_number),
        card_number=card.card_number if card else None,
        card_state=card.state if card else CardState.CANCELLED,
        e_card_state=ecard.state if ecard else ECardState.CANCELLED,
        issued_on=card.issued_on if card else None,
        expires_on=card.expires_on if card else None,
    )


def view_full_identity(services: Services, holder: Actor) -> FullIdentity:
    with services.store.read() as tx:
        person = holders.identity_of(tx, holder.id)
    return FullIdentity(name=person.name, social_security_number=person.social_security_number)


def view_scans(services: Services, holder: Actor) -> HolderScans:
    """The latest scans of the holder's codes, refused ones too."""
    with services.store.read() as tx:
        found = scans.of_holder(tx, holder.id, limit=SCANS_SHOWN_MAX)
        ids = [scan.id for scan in found]
        taken_back = reversals.of_scans(tx, ids)
        reported = {one.scan_id: one.reported_at for one in scan_reports.of_scans(tx, ids)}
        names = {scan.id: _institution_name(tx, scan) for scan in found}
    return HolderScans(
        scans=[_view(scan, names[scan.id], taken_back, reported.get(scan.id)) for scan in found]
    )


def _institution_name(tx: Reader, scan: Scan) -> str:
    institution = institutions.get_institution(tx, scan.institution_id)
    if institution is not None:
        return institution.name
    elsewhere = trust.peer_scan(tx, scan.id)
    return "" if elsewhere is None else elsewhere.institution_name


def _view(
    scan: Scan,
    institution_name: str,
    taken_back: Sequence[Reversal],
    reported_at: datetime | None,
) -> HolderScan:
    business_type = business_types.get(scan.business_type)
    return HolderScan(
        scan_id=scan.id,
        scanned_at=scan.scanned_at,
        institution_name=institution_name,
        business_type=scan.business_type,
        business_type_zh=business_type.name_zh,
        business_type_en=business_type.name_en,
        consumes=business_type.consumes,
        outcome=scan.reason.outcome,
        reason=scan.reason,
        reason_zh=scan.reason.text_zh,
        reason_en=scan.reason.text_en,
        medium=scan.medium,
        amount_fen=scan.amount_fen,
        reversals=[
            HolderReversal(
                reversal_id=one.id,
                kind=one.kind,
                amount_fen=one.amount_fen,
                reversed_at=one.reversed_at,
            )
            for one in taken_back
            if one.scan_id == scan.id
        ],
        reported_at=reported_at,
    )
