"""What was done to one person (办理记录): who, when and what, as the audit log has it."""

from typing import Final

from card_core.kernel import ActorKind
from card_core.store import Reader, audit_reading, filings, operators
from card_core.store.holder_trace import HolderTrace
from card_core.store.holders import Holder
from issuance.console import search_models as models

ACTS_PAGE: Final = 50


def acts_on(
    tx: Reader, holder: Holder, trace: HolderTrace, before: int | None
) -> models.ActsOnHolder:
    """The newest page before the event with this number, or of all. What concerned many at once,
    such as the issuing of a batch, stands at the batch."""
    numbers = {one.id: one.card_number for one in trace.cards}
    filed = filings.of_holder(tx, holder.id, holder.social_security_number)
    subjects = [
        *(f"holder/{one}" for one in trace.record_ids),
        *(f"card/{one}" for one in numbers),
        *(f"filing/{one.id}" for one in filed),
        *(f"device/{one.id}" for one in trace.phones),
    ]
    found = audit_reading.about(tx, subjects, before=before, limit=ACTS_PAGE + 1)
    names: dict[str, str | None] = {}
    acts = []
    for event in found[:ACTS_PAGE]:
        kind, _, record_id = event.subject.partition("/")
        acts.append(
            models.ActOnHolder(
                number=event.seq,
                at=event.at,
                act=event.act,
                actor_kind=event.actor_kind,
                by=_name(tx, event.actor_kind, event.actor_id, names),
                about=kind,
                card_number=numbers.get(record_id),
            )
        )
    is_more = len(found) > ACTS_PAGE
    return models.ActsOnHolder(acts=acts, next_before=acts[-1].number if is_more else None)


def _name(tx: Reader, kind: str, actor_id: str, names: dict[str, str | None]) -> str | None:
    """An operator's, also of one who has left."""
    if kind != ActorKind.OPERATOR.value:
        return None
    if actor_id not in names:
        operator = operators.get(tx, actor_id)
        names[actor_id] = None if operator is None else operator.display_name
    return names[actor_id]
