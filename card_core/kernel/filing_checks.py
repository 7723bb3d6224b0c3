"""What is asked about an applicant in the holder base, whenever an application goes on."""

from dataclasses import dataclass
from datetime import date

from card_core import applying
from card_core.application import Application, ApplicationKind
from card_core.application_errors import ApplicationRefusedError
from card_core.applying import GUARDIAN_EVIDENCE, FilingEvidence, Ineligible, MakingMode
from card_core.states import CardState
from card_core.store import (
    Reader,
    applications,
    cards,
    holder_base,
    holders,
    stock_cards,
)
from card_core.store.cards import Card


@dataclass(frozen=True, slots=True)
class Applicant:
    """holder_id: None for somebody who is new here. card: the one that is not cancelled."""

    holder_id: str | None
    card: Card | None


def look_up(tx: Reader, application: Application) -> Applicant:
    """Whom the number finds. Raises ApplicationRefusedError where the name is another's."""
    holder = holders.find_by_number(tx, application.number.text)
    if holder is None:
        return Applicant(None, None)
    if holder.name != application.name:
        raise refused(applying.NAME_DIFFERS)
    return Applicant(holder.id, cards.live_card_of(tx, holder.id))


def check_eligible(
    tx: Reader, application: Application, mode: MakingMode, *, is_filed: bool
) -> Applicant:
    """Raises ApplicationRefusedError with the first reason why this person may not have it.

    is_filed: whether one open filing is this application's own.
    """
    number = [application.number.text]
    if application.kind is ApplicationKind.EXCHANGE and mode is not MakingMode.AT_ONCE:
        raise refused(applying.NOT_IN_BATCHES)
    # Applications and stocks before cards, as in `acts.batches.sort_out`.
    asked = applications.numbers_in_open_batch if is_filed else applications.numbers_with_open_one
    if asked(tx, number):
        raise refused(applying.OPEN_APPLICATION)
    is_in_stock = bool(stock_cards.numbers_with_open_card(tx, number, live_only=True))
    if holder_base.merged_numbers(tx, number):
        raise refused(applying.RECORD_MERGED)
    applicant = look_up(tx, application)
    if is_in_stock:
        raise refused(applying.STOCK_CARD)
    why = applying.refusal(application.kind, _state(applicant))
    if why is not None:
        raise refused(why)
    return applicant


def check_guardian(
    application: Application,
    evidence: FilingEvidence | None,
    reference: str | None,
    *,
    today: date,
) -> None:
    """For somebody under 16 there is a guardian, and what shows it. Raises
    ApplicationRefusedError."""
    if applying.is_guarded(application, today) and (
        application.guardian_number is None
        or not application.guardian_name
        or evidence not in GUARDIAN_EVIDENCE
        or not reference
    ):
        raise refused(applying.GUARDIAN_MISSING)


def refused(why: Ineligible) -> ApplicationRefusedError:
    return ApplicationRefusedError(why.code, why.zh, why.en)


def _state(applicant: Applicant) -> CardState | None:
    return None if applicant.card is None else applicant.card.state
