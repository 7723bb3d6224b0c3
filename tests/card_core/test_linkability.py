"""Codes neither name their holder nor give away which other codes are the same holder's.

Every string of eight bytes at every offset is looked for in all the other codes, wherever in them.
Left out are only strings that touch a header: the bytes that say what everybody's code says.
"""

import itertools
import random
import secrets
import struct
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from bureau import ISSUER, KEY_NUMBER, Bureau

from card_core import codes
from card_core.business_types import ALL_PURPOSES
from card_core.codes import DeviceCredential, OfflineCode, OnlineCode, PurposeClass
from card_core.store import cards, holders
from crypto import sm2

STRING = 8
PEOPLE = 100
CREDENTIALS = 7
MIDNIGHT = datetime(2026, 3, 2, 16, tzinfo=UTC)

# What a code has of its own, behind its header: docs/code-format.md, sections 2 and 3.
BOX_AND_SIGNATURE = slice(23, 103)
CREDENTIAL = slice(12, 113)
NONCE, DEVICE_SIGNATURE = slice(120, 128), slice(139, 203)


class Strings:
    """All strings of eight bytes of many pieces of bytes; to be asked for those there twice."""

    def __init__(self) -> None:
        self._numbers = array("Q")

    def add(self, piece: bytes) -> None:
        """Note the string at each offset as a number, eight passes of whole words."""
        for start in range(min(STRING, len(piece) - STRING + 1)):
            words = (len(piece) - start) // STRING
            self._numbers.extend(struct.unpack_from(f">{words}Q", piece, start))

    def __len__(self) -> int:
        return len(self._numbers)

    def repeated(self) -> set[bytes]:
        return {
            one.to_bytes(STRING, "big")
            for one, other in itertools.pairwise(sorted(self._numbers))
            if one == other
        }


def strings_of(pieces: Iterable[bytes]) -> Strings:
    strings = Strings()
    for piece in pieces:
        strings.add(piece)
    return strings


def bytes_of(text: str) -> bytes:
    size = {253: 103, 493: 203}[len(text)]
    return int(text[4:]).to_bytes(size, "big")


def test_the_index_finds_what_two_pieces_share_at_any_offset() -> None:
    chance = random.Random(7406)
    for size, shift in itertools.product((8, 9, 15, 16, 17, 80), (0, 1, 7, 8, 20)):
        shared = chance.randbytes(8)
        one = chance.randbytes(size - 8) + shared
        other = chance.randbytes(shift) + shared + chance.randbytes(30)
        strings = strings_of([one, other])
        assert len(strings) == size - 7 + shift + 31
        assert strings.repeated() == {shared}
        assert strings_of([one, other[: shift + 7], shared[:7]]).repeated() == set()


def minted_codes(count: int) -> dict[int, list[bytes]]:
    """So many online codes of each of a hundred people, by e-card id, as `Minter` makes them."""
    issuer, box_key = sm2.PrivateKey.generate(), secrets.token_bytes(16)
    minted: dict[int, list[bytes]] = {secrets.randbits(63): [] for _ in range(PEOPLE)}
    for number, (ecard_id, own) in itertools.product(range(count), minted.items()):
        to_be_signed = OnlineCode(
            ISSUER,
            KEY_NUMBER,
            MIDNIGHT + timedelta(seconds=number // 2),
            PurposeClass.ANY_USE,
            ALL_PURPOSES,
            codes.seal_box(box_key, ecard_id, secrets.token_bytes(8)),
        ).to_be_signed()
        own.append(bytes_of(codes.assemble(to_be_signed, issuer.sign(to_be_signed))))
    return minted


def check_online(count: int) -> None:
    minted = minted_codes(count)
    strings = strings_of(data[BOX_AND_SIGNATURE] for own in minted.values() for data in own)
    assert len(strings) == PEOPLE * count * 73
    assert strings.repeated() == set()
    # The header is that of everybody whose code was minted in the same second.
    assert len({tuple(data[:23] for data in own) for own in minted.values()}) == 1


def test_online_codes_of_a_hundred_people_share_nothing() -> None:
    check_online(20)


@pytest.mark.long
def test_a_hundred_thousand_online_codes_share_nothing() -> None:
    check_online(1_000)


def test_a_code_does_not_lie_nearer_to_its_holders_others() -> None:
    """Who knows the holders of half of the codes names no more of the rest than chance does."""
    known, asked = [], []
    for ecard_id, own in minted_codes(20).items():
        numbers = [int.from_bytes(data[BOX_AND_SIGNATURE], "big") for data in own]
        known += [(number, ecard_id) for number in numbers[:10]]
        asked += [(number, ecard_id) for number in numbers[10:]]
    right = sum(
        ecard_id == min(known, key=lambda other: (number ^ other[0]).bit_count())[1]
        for number, ecard_id in asked
    )
    # Chance names 1 in 100; 2 in 100 more would be six standard deviations.
    assert right <= 0.03 * len(asked)


def test_what_the_holder_service_mints_shares_nothing_and_names_nobody(bureau: Bureau) -> None:
    people = [person.holder_id for person in bureau.people(PEOPLE)]
    minted = [bytes_of(bureau.minter.mint(one).text) for one in 2 * people]
    assert strings_of(data[BOX_AND_SIGNATURE] for data in minted).repeated() == set()
    assert len({data[:23] for data in minted}) == 1
    assert not any(known in data for known in personal(bureau, people) for data in minted)


def personal(bureau: Bureau, holder_ids: Iterable[str]) -> set[bytes]:
    """What is known of these people, in the forms in which it might stand in bytes."""
    known = set()
    with bureau.store.read() as tx:
        for holder_id in holder_ids:
            card = cards.live_card_of(tx, holder_id)
            assert card is not None
            holder = holders.get(tx, holder_id)
            assert holder is not None
            words = [holder.social_security_number, holder.name, card.card_number]
            known |= {word.encode() for word in [*words, card.id, holder_id]}
            known |= {bytes.fromhex(card.id), bytes.fromhex(holder_id)}
            known.add(cards.ecard_of(tx, card.id).id.to_bytes(8, "big"))
    assert len(known) == 8 * PEOPLE
    return known


def credentials_of(
    issuer: sm2.PrivateKey, chance: random.Random
) -> list[tuple[sm2.PrivateKey, bytes]]:
    """A week's credentials of one person, each with a key and a status index of its own."""
    fetched = []
    for day in range(CREDENTIALS):
        device = sm2.PrivateKey.generate()
        to_be_signed = DeviceCredential(
            ISSUER,
            KEY_NUMBER,
            MIDNIGHT + timedelta(days=day),
            PurposeClass.IDENTIFY_ONLY,
            ALL_PURPOSES,
            status_index=chance.randrange(2**32),
            device_key=device.public_key().to_bytes(compressed=True),
        ).to_be_signed()
        signature = issuer.sign(to_be_signed)
        fetched.append((device, codes.assemble_credential(to_be_signed, signature)))
    return fetched


def offline_code(
    device: sm2.PrivateKey, credential: bytes, minted_at: datetime, chance: random.Random
) -> bytes:
    to_be_signed = OfflineCode(
        credential, minted_at, PurposeClass.IDENTIFY_ONLY, ALL_PURPOSES, chance.randbytes(8)
    ).to_be_signed()
    text = codes.assemble(to_be_signed, device.sign(to_be_signed))
    assert len(text) == 493
    return bytes_of(text)


def check_offline(people: int, count: int) -> None:
    issuer, chance = sm2.PrivateKey.generate(), random.Random(7406)
    of_each_credential: list[Sequence[bytes]] = [
        [
            offline_code(device, credential, MIDNIGHT + timedelta(days=day), chance)
            for _ in range(count)
        ]
        for _ in range(people)
        for day, (device, credential) in enumerate(credentials_of(issuer, chance))
    ]
    strings = Strings()
    for minted in of_each_credential:
        (credential,) = {data[CREDENTIAL] for data in minted}
        strings.add(credential)
        for data in minted:
            strings.add(data[NONCE])
            strings.add(data[DEVICE_SIGNATURE])
    assert len(strings) == people * CREDENTIALS * (94 + count * 58)
    assert strings.repeated() == set()
    # Behind the credential there is its codes' header, which says the time and no more.
    own = {data[113:120] + data[128:139] for minted in of_each_credential for data in minted}
    assert len(own) == CREDENTIALS


def test_offline_codes_share_their_credential_and_credentials_share_nothing() -> None:
    check_offline(people=10, count=5)


@pytest.mark.long
def test_ten_thousand_offline_codes_share_no_more() -> None:
    check_offline(people=PEOPLE, count=15)
