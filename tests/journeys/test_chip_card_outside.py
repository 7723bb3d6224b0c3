"""Chip cards on a service that runs: a challenge, the chip's cryptogram, a verdict.

The chip (`chip_card`) is written from docs/chip-cards.md on OpenSSL's SM4.
"""

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from chip_card import ChipCard, card_of
from installation import Installation, Person
from outside import Answer, Terminal


def chip_of(embedded: Installation, person: Person, key: bytes | None = None) -> ChipCard:
    """key: of another maker than the bureau's."""
    site = embedded.ground.site
    bureaus = site.keys.secret("card_authentication.000000.1")
    return card_of(
        site.store,
        person.card_id,
        number=person.number,
        name=person.name,
        authentication_key=key or bureaus,
    )


def challenged(terminal: Terminal) -> dict[str, Any]:
    answer = terminal.ask("POST", "/v1/card-challenges")
    assert answer.status == 201, answer
    return answer.body


def read(terminal: Terminal, card_text: str, challenge_id: str, cryptogram: str) -> Answer:
    return terminal.post(
        "/v1/card-reads",
        card_text=card_text,
        challenge_id=challenge_id,
        cryptogram=cryptogram,
        business_type="01101",
    )


@pytest.mark.parametrize("form", [ChipCard.text, ChipCard.vendor_text], ids=["bars", "colons"])
def test_a_card_answers_its_challenge_once(
    embedded: Installation, form: Callable[[ChipCard], str]
) -> None:
    terminal, person = embedded.hospital, embedded.person()
    chip = chip_of(embedded, person)
    asked = challenged(terminal)
    cryptogram = chip.cryptogram(asked["session_factor"], asked["challenge"])
    verdict = read(terminal, form(chip), asked["challenge_id"], cryptogram).body
    assert (verdict["outcome"], verdict["holder"]["name"]) == ("accepted", person.name)
    assert verdict["card_state"] == "normal"
    assert verdict["receipt"]
    # Whoever recorded all of it has nothing: here, at another terminal, on another challenge.
    recorded = (form(chip), asked["challenge_id"], cryptogram)
    assert read(terminal, *recorded).word == "already_used"
    assert read(embedded.other_hospital, *recorded).word == "challenge_invalid"
    fresh = challenged(terminal)
    assert read(terminal, form(chip), fresh["challenge_id"], cryptogram).word == "card_not_genuine"


def test_counterfeits_and_strangers_are_not_genuine(embedded: Installation) -> None:
    terminal, person = embedded.other_hospital, embedded.person()
    genuine = chip_of(embedded, person)
    counterfeit = chip_of(embedded, person, key=secrets.token_bytes(16))
    foreign = chip_of(embedded, embedded.person())
    # Printed data copied onto a chip without keys; another card's chip under this card's data.
    for chip in (counterfeit, foreign):
        asked = challenged(terminal)
        cryptogram = chip.cryptogram(asked["session_factor"], asked["challenge"])
        refused = read(terminal, genuine.text(), asked["challenge_id"], cryptogram).body
        assert (refused["outcome"], refused["reason"]) == ("refused", "card_not_genuine")
        assert refused["holder"] is None
    # A genuine chip whose data was altered, at the number of its holder, is found out behind that.
    asked = challenged(terminal)
    cryptogram = genuine.cryptogram(asked["session_factor"], asked["challenge"])
    altered = genuine.text().replace(person.number, embedded.person().number)
    assert read(terminal, altered, asked["challenge_id"], cryptogram).word == "card_data_mismatch"


def test_a_lost_card_is_refused_whatever_its_chip_says(embedded: Installation) -> None:
    person = embedded.person()
    assert embedded.sign_in(person).report_loss().status == 200
    asked = challenged(embedded.hospital)
    chip = chip_of(embedded, person)
    cryptogram = chip.cryptogram(asked["session_factor"], asked["challenge"])
    refused = read(embedded.hospital, chip.text(), asked["challenge_id"], cryptogram)
    assert refused.word == "card_lost"
