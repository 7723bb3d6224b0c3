"""Cryptograms: the documented example, a chip with another implementation, and what is refused."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chip_card import ChipCard, diversified, personalised_key
from hypothesis import given
from hypothesis import strategies as st

from card_core.chip_cards import (
    CHALLENGE_LIFE_SECONDS,
    CardNotGenuineError,
    Challenge,
    ChallengeError,
    Challenges,
    SoftwareCardAuthentication,
    card_authentication_key,
    card_key,
    cryptogram_of,
)
from card_core.chip_cards.challenges import CLOCK_SKEW_SECONDS

PAGE = Path(__file__).parents[3] / "docs" / "chip-cards.md"
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
TERMINAL, OTHER_TERMINAL = bytes(7) + b"\xa1", bytes(7) + b"\xb2"
KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
OTHER_KEY = KEY[::-1]
RANDOM = bytes(range(16))
REGION, CARD_NUMBER = "440604", "GD0000017"
challenges = Challenges(bytes(32))


class Secrets:
    """As much of a key provider as is needed here."""

    def __init__(self, secrets: dict[str, bytes]) -> None:
        self._secrets = secrets

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._secrets))

    def secret(self, name: str) -> bytes:
        return self._secrets[name]

    def signer(self, name: str) -> object:
        raise LookupError(name)


def authentication(**scopes: bytes) -> SoftwareCardAuthentication:
    """Keys by scope, each word of the form k440604 or k440604_2."""
    secrets = {"field": bytes(16)}
    for word, key in scopes.items():
        scope, _, number = word.removeprefix("k").partition("_")
        secrets[card_authentication_key(scope, int(number or 1))] = key
    return SoftwareCardAuthentication(Secrets(secrets))  # type: ignore[arg-type]


def challenge(random: bytes = RANDOM) -> Challenge:
    return challenges.make(TERMINAL, NOW, random)


def chip(key: bytes = KEY, card_number: str = CARD_NUMBER, region: str = REGION) -> ChipCard:
    return ChipCard(region, "", card_number, "", personalised_key(key, region, card_number))


def answer(card: ChipCard, asked: Challenge) -> bytes:
    return bytes.fromhex(card.cryptogram(asked.session_factor.hex(), asked.value.hex()))


def test_the_example_of_the_page_holds() -> None:
    page = PAGE.read_text()
    told = dict(re.findall(r"^\| `([a-z_]+)` \| `([0-9A-Za-z]+)` \|$", page, re.MULTILINE))
    key = card_key(bytes.fromhex(told["authentication_key"]), told["region"], told["card_number"])
    asked = Challenge(
        "", bytes.fromhex(told["session_factor"]), bytes.fromhex(told["challenge"]), NOW
    )
    region_factor, card_factor = (
        bytes.fromhex(told[f"{one}_factor"]) for one in ("region", "card")
    )
    region_key = diversified(bytes.fromhex(told["authentication_key"]), region_factor)
    assert region_key.hex() == told["region_key"]
    assert diversified(region_key, card_factor) == key
    assert diversified(key, asked.session_factor).hex() == told["session_key"]
    assert key.hex() == told["card_key"]
    assert cryptogram_of(key, asked).hex() == told["cryptogram"]
    card = chip(bytes.fromhex(told["authentication_key"]), told["card_number"], told["region"])
    assert answer(card, asked).hex() == told["cryptogram"]


@given(
    st.binary(min_size=16, max_size=16),
    st.from_regex("[0-9]{6}", fullmatch=True),
    st.from_regex("[0-9A-Z]{9}", fullmatch=True),
    st.binary(min_size=16, max_size=16),
)
def test_a_chip_with_another_sm4_is_taken(
    key: bytes, region: str, card_number: str, random: bytes
) -> None:
    asked = challenge(random)
    given_key = authentication(**{f"k{region}": key})
    given_key.verify(region, card_number, asked, answer(chip(key, card_number, region), asked))


def test_no_two_cards_or_regions_share_a_key() -> None:
    numbers = ["GD0000017", "GE0000017", "0D0000017", "D0000017Z", "000000000", "ZZZZZZZZZ"]
    keys = {card_key(KEY, region, number) for region in ("440604", "440605") for number in numbers}
    assert len(keys) == 12


def test_any_other_cryptogram_is_refused() -> None:
    asked = challenge()
    right = answer(chip(), asked)
    keys = authentication(k440604=KEY)
    for bit in range(128):
        wrong = (int.from_bytes(right) ^ 1 << bit).to_bytes(16)
        with pytest.raises(CardNotGenuineError):
            keys.verify(REGION, CARD_NUMBER, asked, wrong)
    for wrong in (b"", right[:15], right + b"\0", bytes(16)):
        with pytest.raises(CardNotGenuineError):
            keys.verify(REGION, CARD_NUMBER, asked, wrong)


@pytest.mark.parametrize(
    ("card", "region", "card_number"),
    [
        (chip(OTHER_KEY), REGION, CARD_NUMBER),  # another key
        (chip(card_number="GD0000018"), REGION, CARD_NUMBER),  # another card's chip
        (chip(region="440605"), REGION, CARD_NUMBER),  # another region's
        (chip(), "440605", CARD_NUMBER),
    ],
)
def test_another_chip_is_refused(card: ChipCard, region: str, card_number: str) -> None:
    asked = challenge()
    with pytest.raises(CardNotGenuineError):
        authentication(k440600=KEY).verify(region, card_number, asked, answer(card, asked))


def test_a_cryptogram_answers_one_challenge_only() -> None:
    recorded = answer(chip(), challenge())
    for fresh in (challenge(bytes(16)), challenge(RANDOM[:8] + bytes(8))):
        with pytest.raises(CardNotGenuineError):
            authentication(k440604=KEY).verify(REGION, CARD_NUMBER, fresh, recorded)


def test_a_stranger_without_a_key_here_is_refused_even_with_the_key_of_zeros() -> None:
    asked = challenge()
    for keys in (authentication(), authentication(k330100=KEY)):
        with pytest.raises(CardNotGenuineError):
            keys.verify(REGION, CARD_NUMBER, asked, answer(chip(bytes(16)), asked))


@pytest.mark.parametrize("scope", ["k440604", "k440600", "k440000", "k000000"])
def test_the_narrowest_scope_with_keys_decides(scope: str) -> None:
    asked = challenge()
    right = answer(chip(), asked)
    authentication(**{scope: KEY}).verify(REGION, CARD_NUMBER, asked, right)
    if scope != "k440604":
        with pytest.raises(CardNotGenuineError):
            authentication(**{scope: KEY, "k440604": OTHER_KEY}).verify(
                REGION, CARD_NUMBER, asked, right
            )


def test_cards_of_several_generations_of_keys_are_in_use_at_once() -> None:
    asked = challenge()
    keys = authentication(k440604_1=KEY, k440604_2=OTHER_KEY)
    for key in (KEY, OTHER_KEY):
        keys.verify(REGION, CARD_NUMBER, asked, answer(chip(key), asked))


def test_keys_of_another_size_and_too_many_of_them_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        authentication(k440604=bytes(32))
    with pytest.raises(ValueError, match="at most 8"):
        authentication(**{f"k440604_{number}": KEY for number in range(1, 10)})


def test_no_key_is_in_a_repr() -> None:
    assert KEY.hex() not in repr(authentication(k440604=KEY))


def test_a_challenge_comes_back_as_it_was_made() -> None:
    made = challenge()
    assert challenges.open(made.name, TERMINAL, NOW) == made
    assert (made.session_factor, made.value) == (RANDOM[:8], RANDOM[8:])
    assert made.expires_at == NOW + timedelta(seconds=CHALLENGE_LIFE_SECONDS)


def test_a_challenge_is_good_for_its_own_terminal_and_its_own_service() -> None:
    name = challenge().name
    with pytest.raises(ChallengeError):
        challenges.open(name, OTHER_TERMINAL, NOW)
    with pytest.raises(ChallengeError):
        Challenges(bytes(31) + b"\1").open(name, TERMINAL, NOW)


def test_a_challenge_with_any_bit_changed_is_refused() -> None:
    name = challenge().name
    for bit in range(len(name) * 4):
        changed = f"{int(name, 16) ^ 1 << bit:072x}"
        with pytest.raises(ChallengeError):
            challenges.open(changed, TERMINAL, NOW)


@pytest.mark.parametrize("name", ["", "0" * 72, "0" * 71, "g" * 72, "０" * 72])
def test_what_is_no_challenge_is_refused(name: str) -> None:
    with pytest.raises(ChallengeError):
        challenges.open(name, TERMINAL, NOW)


def test_a_challenge_has_one_spelling() -> None:
    with pytest.raises(ChallengeError):
        challenges.open(challenge().name.upper(), TERMINAL, NOW)


def test_a_challenge_ends_at_its_sixtieth_second() -> None:
    name = challenge().name
    last = NOW + timedelta(seconds=CHALLENGE_LIFE_SECONDS)
    challenges.open(name, TERMINAL, last - timedelta(microseconds=1))
    with pytest.raises(ChallengeError):
        challenges.open(name, TERMINAL, last)


def test_a_challenge_from_a_clock_ahead_is_taken_within_the_skew_only() -> None:
    name = challenge().name
    challenges.open(name, TERMINAL, NOW - timedelta(seconds=CLOCK_SKEW_SECONDS))
    with pytest.raises(ChallengeError):
        challenges.open(name, TERMINAL, NOW - timedelta(seconds=CLOCK_SKEW_SECONDS + 1))
