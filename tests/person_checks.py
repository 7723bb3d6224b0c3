"""People with a card in their hand that nobody activated yet, and what they prove themselves by."""

import re
from dataclasses import dataclass
from typing import Any

from bureau import Bureau, Person
from scan_service import BASE_URL, ScanService

from card_core.kernel.acts.handing_over import HandOverCard
from card_core.store import cards, holders

OTHER_PASSWORD = "618204"


@dataclass(frozen=True)
class Collected:
    """Somebody who has collected a card: neither it nor its e-card is activated."""

    holder_id: str
    number: str
    name: str
    card_id: str
    card_number: str


def collected(bureau: Bureau) -> Collected:
    (card,) = bureau.issued_cards(1)
    bureau.perform(HandOverCard(card.id), bureau.maker)
    return at_hand(bureau, card.id)


def at_hand(bureau: Bureau, card_id: str) -> Collected:
    """Whose card it is, and what stands on it."""
    with bureau.store.read() as tx:
        card = cards.get(tx, card_id)
        assert card is not None
        person = holders.identity_of(tx, card.holder_id)
    number = person.social_security_number
    return Collected(card.holder_id, number, person.name, card.id, card.card_number)


def claim_of(person: Collected, **other: str) -> dict[str, Any]:
    """What the person types to activate the e-card."""
    claim = {
        "purpose": "activate",
        "social_security_number": person.number,
        "name": person.name,
        "card_number": person.card_number,
    }
    return claim | other


def forgetful(person: Person | Collected, **other: str) -> dict[str, Any]:
    """What somebody types who forgot the password."""
    number, name = person.number, person.name
    claim = {"purpose": "new_password", "social_security_number": number, "name": name}
    return claim | other


def post(service: ScanService, path: str, body: dict[str, Any]) -> Any:
    """From the service's own page, with no session."""
    return service.client().post(f"/v1/holder/{path}", json=body, headers={"Origin": BASE_URL})


def begun(service: ScanService, claim: dict[str, Any]) -> dict[str, str]:
    """The body with which the person says that they did what the simulated check asks."""
    answer = post(service, "person-checks", claim)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    shown = re.search(r"\d{4}", told["message_zh"])
    assert shown is not None
    return {"ticket": told["ticket"], "typed": shown[0]}


def passed(service: ScanService, claim: dict[str, Any]) -> str:
    """The ticket of a check that was passed."""
    body = begun(service, claim)
    answer = post(service, "person-checks/results", body)
    assert answer.json()["outcome"] == "passed", answer.text
    return body["ticket"]
