"""What service channels ask: a kiosk for its holder, a counter and a tablet for a clerk. See
`asks`."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from bureau import HOLDER_PASSWORD, OPERATOR_PASSWORD, signing_key
from clerks import CLERK, adult_fields, new_attempt, waiting
from contract_town import Town, signing
from one_ask import Ask, post, request_id
from scan_service import TerminalDevice

from card_core.kernel.acts.handing_over import HandOverCard
from card_core.sign_in import challenge_of

_people = itertools.count(1)


def get_channel(town: Town) -> Ask:
    return Ask(signing(town.kiosk))


def open_channel_session(town: Town) -> Ask:
    body = {"social_security_number": town.holder.number, "password": HOLDER_PASSWORD}
    return Ask(signing(town.kiosk), body=body)


def at_kiosk(town: Town) -> Ask:
    """With the holder before it."""
    town.find(town.holder)
    body = open_channel_session(town).body or {}
    session = post(town, town.kiosk, "/v1/channel/sessions", body)["session"]
    return Ask(signing(town.kiosk), body={"session": session})


def report_loss_at_channel(town: Town) -> Ask:
    ask = at_kiosk(town)
    return Ask(ask.rightful, body={**(ask.body or {}), "request_id": request_id()})


def clerk_attempt(town: Town) -> Ask:
    return Ask(signing(town.bank_counter), body={"name": CLERK, "attempt": new_attempt()})


def open_clerk_session(town: Town, device: TerminalDevice | None = None) -> Ask:
    """With the clerk's own key."""
    attempt = new_attempt()
    challenge = challenge_of(town.bureau.kernel, CLERK, attempt)
    body = {
        "name": CLERK,
        "password": OPERATOR_PASSWORD,
        "attempt": attempt,
        "signature": signing_key(CLERK).sign(challenge).hex(),
    }
    return Ask(signing(device or town.bank_counter), body=body)


def by_clerk(town: Town, device: TerminalDevice, **fields: Any) -> Ask:
    """Of a clerk who is signed in at this channel."""
    body = open_clerk_session(town, device).body or {}
    session = post(town, device, "/v1/channel/clerk/sessions", body)["session"]
    return Ask(signing(device), body={"session": session, "request_id": request_id(), **fields})


def activate_at_channel(town: Town) -> Ask:
    """A card that was collected."""
    (card,) = town.bureau.issued_cards(1)
    town.bureau.perform(HandOverCard(card.id), town.bureau.maker)
    found = waiting(town.bureau, card)
    return by_clerk(
        town,
        town.bank_counter,
        person={"social_security_number": found.number, "name": found.name},
        card_number=card.card_number,
        evidence="identity_document",
    )


def report_loss_by_clerk(town: Town) -> Ask:
    town.find(town.holder)
    person = {"social_security_number": town.holder.number, "name": town.holder.name}
    return by_clerk(town, town.bank_counter, person=person)


def apply_at_visit(town: Town) -> Ask:
    applicant = adult_fields(next(_people))
    return by_clerk(town, town.tablet, applicant=applicant, evidence="identity_document")


CHANNEL_ASKS: Mapping[str, Callable[[Town], Ask]] = {
    "getChannel": get_channel,
    "openChannelSession": open_channel_session,
    "endChannelSession": at_kiosk,
    "reportLossAtChannel": report_loss_at_channel,
    "printCode": at_kiosk,
    "seeApplicationsAtChannel": at_kiosk,
    "challengeClerk": clerk_attempt,
    "openClerkSession": open_clerk_session,
    "activateAtChannel": activate_at_channel,
    "reportLossByClerk": report_loss_by_clerk,
    "applyAtVisit": apply_at_visit,
}
