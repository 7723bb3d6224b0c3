"""All that is kept of one person, for that person (个人信息保护法, article 45).

From the record that stays, with what stands under records that were merged into it. Of others there
is nothing in it: no operator, no clerk's word, no terminal.
"""

from typing import Any, Final

from card_core.store import (
    cards,
    consents,
    family_members,
    filings,
    guardianships,
    holders,
    institutions,
    scan_reports,
    scans,
    visits,
)
from card_core.store.database import Reader
from card_core.store.holder_trace import trace_of
from card_core.store.holders import Holder
from card_core.store.paging import PAGE_SIZE_MAX

FORMAT: Final = "sscard/holder-export/v1"
_OF_THE_HOLDER: Final = (
    "social_security_number",
    "name",
    "sex",
    "birth_on",
    "ethnic_group",
    "phone",
    "address",
    "region",
    "guardian_name",
    "guardian_number",
)


def export(tx: Reader, holder_id: str) -> dict[str, Any]:
    """As JSON with instants in UTC. holder_id: of a record that stays.

    Raises NotFoundError; TamperedRowError where a row does not fit its HMAC, and gives nothing.
    """
    trace = trace_of(tx, holder_id)
    holder = holders.get(tx, holder_id)
    return {
        "format": FORMAT,
        "holder": _holder(holder) if holder is not None else {},
        "changes": [
            {"kind": one.kind.value, "at": one.changed_at.isoformat(), "content": one.content}
            for one in trace.changes
        ],
        "applications": [{"id": one.id, "state": one.state.value} for one in trace.applications],
        "filings": _filings(tx, holder_id, holder),
        "guardianships": [
            {
                "as": "ward" if one.ward_id in trace.record_ids else "guardian",
                "state": one.state.value,
                "evidence": one.evidence.value,
                "began_at": one.began_at.isoformat(),
                "ends_on": one.ends_on.isoformat(),
            }
            for one in guardianships.of_holder(tx, holder_id)
        ],
        "family_members": [
            {
                "as": "holder" if one.holder_id in trace.record_ids else "shower",
                "relation": one.relation.value,
                "state": one.state.value,
                "offered_at": one.offered_at.isoformat(),
            }
            for one in family_members.of_holder(tx, holder_id)
        ],
        "cards": [_card(tx, card) for card in trace.cards],
        "phones": [
            {
                "id": one.id,
                "grade": one.grade.value,
                "state": one.state.value,
                "registered_at": one.registered_at.isoformat(),
            }
            for one in trace.phones
        ],
        "consents": [
            {
                "data_use": one.data_use.value,
                "state": one.state.value,
                "changed_at": one.changed_at.isoformat(),
            }
            for one in consents.of_records(tx, trace.record_ids)
        ],
        "scans": _scans(tx, holder_id),
        "visits": _visits(tx, trace.record_ids),
    }


def _holder(holder: Holder) -> dict[str, str]:
    return {name: str(getattr(holder, name)) for name in _OF_THE_HOLDER}


def _filings(tx: Reader, holder_id: str, holder: Holder | None) -> list[dict[str, Any]]:
    """Applications by themselves: for this person, or by them for a child."""
    if holder is None:
        return []
    return [
        {
            "id": one.id,
            "kind": one.kind.value,
            "channel": one.channel.value,
            "state": one.state.value,
            "filed_at": one.filed_at.isoformat(),
        }
        for one in filings.of_holder(tx, holder_id, holder.social_security_number)
    ]


def _card(tx: Reader, card: cards.Card) -> dict[str, Any]:
    ecard = cards.ecard_of(tx, card.id)
    return {
        "card_number": card.card_number,
        "state": card.state.value,
        "region": card.region,
        "issued_on": card.issued_on.isoformat(),
        "expires_on": card.expires_on.isoformat(),
        "ecard": {"sign_number": ecard.sign_number, "state": ecard.state.value},
    }


def _scans(tx: Reader, holder_id: str) -> list[dict[str, Any]]:
    """Every scan, the newest first."""
    found: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    page = scans.of_holder(tx, holder_id)
    while page:
        reports = scan_reports.of_scans(tx, [one.id for one in page])
        reported = {one.scan_id: one.reported_at.isoformat() for one in reports}
        found += [
            {
                "at": one.scanned_at.isoformat(),
                "institution": _name(tx, names, one.institution_id),
                "business_type": one.business_type,
                "reason": one.reason.value,
                "amount_fen": one.amount_fen,
                "medium": None if one.medium is None else one.medium.value,
                "reported_at": reported.get(one.id),
            }
            for one in page
        ]
        if len(page) < PAGE_SIZE_MAX:
            break
        page = scans.of_holder(tx, holder_id, before=page[-1].id)
    return found


def _visits(tx: Reader, record_ids: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every visit, record by record, the newest first."""
    found: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for record_id in record_ids:
        page = visits.of_holder(tx, record_id)
        while page:
            found += [
                {
                    "opened_at": one.opened_at.isoformat(),
                    "ends_at": one.ends_at.isoformat(),
                    "institution": _name(tx, names, one.institution_id),
                    "state": one.state.value,
                    "steps": one.steps,
                    "amount_fen": one.amount_fen,
                }
                for one in page
            ]
            if len(page) < PAGE_SIZE_MAX:
                break
            page = visits.of_holder(tx, record_id, before=page[-1].id)
    return found


def _name(tx: Reader, names: dict[str, str], institution_id: str) -> str:
    if institution_id not in names:
        institution = institutions.get_institution(tx, institution_id)
        names[institution_id] = "" if institution is None else institution.name
    return names[institution_id]
