"""What a reader says and what is registered: names that one part of the chip does not hold."""

import dataclasses

import pytest
from bureau import Bureau, Person, make_application
from chip_card import CardKeys, ChipCard, card_of

from card_core.card_reading import CardRead, CardReading
from card_core.chip_cards import Challenges, SoftwareCardAuthentication, parse_card_text
from card_core.codes import RefusedError
from card_core.identity import chip_name
from card_core.kernel.acts.batches import IssueChunk
from card_core.presented import Medium, Presented
from card_core.store import cards

TERMINAL = bytes(7) + b"\xa1"
LONG_NAME = "阿卜杜热合曼江·买买提明伊力哈木江·图尔迪"


@pytest.fixture
def reading(bureau: Bureau) -> CardReading:
    return CardReading(
        bureau.store,
        challenges=Challenges(bytes(32)),
        authentication=SoftwareCardAuthentication(CardKeys()),
        random_bytes=bureau.kernel.random_bytes,
    )


@pytest.fixture
def long_named(bureau: Bureau) -> ChipCard:
    """A card whose holder's name goes on in the continuation."""
    application = make_application(2_000_001)._replace(name=LONG_NAME)
    imported = bureau.import_roster((application,))
    bureau.approve(imported)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        (card,) = cards.page(tx, batch_id=imported["batch_id"])
    first, continuation = (part.decode("gb18030") for part in chip_name(LONG_NAME))
    assert continuation
    found = card_of(bureau.store, card.id, number=application.number.text, name=first)
    return dataclasses.replace(found, name_continuation=continuation)


def present(bureau: Bureau, reading: CardReading, card: ChipCard, text: str) -> Presented:
    asked = reading.challenge(TERMINAL, bureau.clock())
    cryptogram = bytes.fromhex(card.cryptogram(asked.session_factor.hex(), asked.value.hex()))
    read = CardRead(asked.name, parse_card_text(text), cryptogram)
    return reading.present(read, terminal=TERMINAL, now=bureau.clock())


def chip_of(bureau: Bureau, person: Person) -> ChipCard:
    return card_of(bureau.store, person.card_id, number=person.number, name=person.name)


def test_what_is_presented_is_the_card_and_the_challenge(
    bureau: Bureau, reading: CardReading
) -> None:
    person = bureau.person()
    card = chip_of(bureau, person)
    asked = reading.challenge(TERMINAL, bureau.clock())
    cryptogram = bytes.fromhex(card.cryptogram(asked.session_factor.hex(), asked.value.hex()))
    read = CardRead(asked.name, parse_card_text(card.text()), cryptogram)
    bureau.clock.advance(59.9)
    presented = reading.present(read, terminal=TERMINAL, now=bureau.clock())
    assert (presented.medium, presented.card_id) == (Medium.CHIP_CARD, person.card_id)
    assert (presented.nonce, presented.minted_at) == (asked.value, asked.issued_at)
    assert presented.usable_until == asked.expires_at
    assert presented.ecard_id is None


def test_a_long_name_is_taken_in_every_way_that_readers_tell_it(
    bureau: Bureau, reading: CardReading, long_named: ChipCard
) -> None:
    for text in (
        long_named.text(),
        long_named.text(whole_name=True),
        long_named.vendor_text(),
    ):
        assert present(bureau, reading, long_named, text).card_id


def test_a_long_name_that_is_cut_elsewhere_or_goes_on_otherwise_is_refused(
    bureau: Bureau, reading: CardReading, long_named: ChipCard
) -> None:
    shorter = dataclasses.replace(long_named, name=long_named.name[:-1])
    alone = dataclasses.replace(long_named, name_continuation="")
    other = dataclasses.replace(long_named, name_continuation="图尔")
    for text in (shorter.text(), alone.vendor_text(), other.vendor_text(), shorter.vendor_text()):
        with pytest.raises(RefusedError) as caught:
            present(bureau, reading, long_named, text)
        assert caught.value.reason == "card_data_mismatch"


def test_a_name_that_only_begins_like_the_holders_is_refused(
    bureau: Bureau, reading: CardReading
) -> None:
    card = chip_of(bureau, bureau.person())
    cut = dataclasses.replace(card, name=card.name[:-1])
    with pytest.raises(RefusedError):
        present(bureau, reading, card, cut.text())
