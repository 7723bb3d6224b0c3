"""A chip card for tests: holds its own key and answers internal authentication, like a real one.

Its SM4 is OpenSSL's, and the derivation is written down here a second time from docs/chip-cards.md,
so that it agrees with the service only where both follow that page.
"""

from dataclasses import dataclass, field
from datetime import date

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from card_core.chip_cards import card_authentication_key
from card_core.store import Store, cards
from crypto.keys import KeyProvider, Signer

AUTHENTICATION_KEY = bytes.fromhex("5C0FFEE05C0FFEE15C0FFEE25C0FFEE3")
OK = b"\x90\x00"
WRONG_DATA = b"\x6a\x80"
WRONG_LENGTH = b"\x67\x00"
NOT_SUPPORTED = b"\x6d\x00"
INTERNAL_AUTHENTICATE = bytes.fromhex("00880000")
SERIAL = "0000002A"


class CardKeys(KeyProvider):
    """A key provider with one authentication key, for the cards of one prefecture."""

    def signer(self, name: str) -> Signer:
        raise LookupError(name)

    def secret(self, name: str) -> bytes:
        return {card_authentication_key("440600", 1): AUTHENTICATION_KEY}[name]

    def names(self) -> tuple[str, ...]:
        return (card_authentication_key("440600", 1),)


def sm4(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(SM4(key), ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def diversified(key: bytes, factor: bytes) -> bytes:
    return sm4(key, factor + bytes(byte ^ 0xFF for byte in factor))


def personalised_key(authentication_key: bytes, region: str, card_number: str) -> bytes:
    """What personalisation writes into the card as its internal authentication key."""
    number = 0
    for character in card_number:
        number = number * 36 + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(character)
    region_key = diversified(authentication_key, bytes.fromhex(region + "FFFFFFFFFF"))
    return diversified(region_key, number.to_bytes(8))


@dataclass
class ChipCard:
    """What is written on the chip, and what the chip does with it."""

    region: str
    social_security_number: str
    card_number: str
    name: str
    key: bytes = field(repr=False)
    name_continuation: str = ""
    issued_on: date = date(2026, 3, 2)
    expires_on: date = date(2036, 3, 1)
    spec_version: str = "3.00"

    @property
    def card_identification_code(self) -> str:
        return f"{self.region}D156000005{SERIAL}"

    def transmit(self, command: bytes) -> bytes:
        """Answer an APDU of internal authentication: 00 88 00 00 10, session factor, challenge."""
        if command[:4] != INTERNAL_AUTHENTICATE:
            return NOT_SUPPORTED
        if command[4:5] != b"\x10":
            return WRONG_LENGTH
        data = command[5:]
        if len(data) != 16:
            return WRONG_DATA
        session_key = diversified(self.key, data[:8])
        return sm4(session_key, data[8:] + bytes.fromhex("8000000000000000")) + OK

    def cryptogram(self, session_factor_hex: str, challenge_hex: str) -> str:
        """What a reader asks of the card: 32 hexadecimal digits."""
        data = bytes.fromhex(session_factor_hex + challenge_hex)
        answer = self.transmit(INTERNAL_AUTHENTICATE + b"\x10" + data)
        if answer[-2:] != OK:
            raise ValueError(answer.hex())
        return answer[:-2].hex()

    def text(self, *, whole_name: bool = False) -> str:
        """`iReadCardBas`: 11 fields, each followed by a bar."""
        name = self.name + self.name_continuation if whole_name else self.name
        fields = (
            self.region,
            self.social_security_number,
            self.card_number,
            self.card_identification_code,
            name,
            "00814F4D4331323334353637AA",
            self.spec_version,
            f"{self.issued_on:%Y%m%d}",
            f"{self.expires_on:%Y%m%d}",
            "440600000017",
            "HD-100-00042",
        )
        return "".join(f"{one}|" for one in fields)

    def vendor_text(self) -> str:
        """The vendors' form: 14 fields with colons between them."""
        number = self.social_security_number
        fields = (
            self.card_identification_code + "FFFFFFFF",
            "3",
            self.spec_version,
            f"9156000002{self.region}{self.region}01",
            f"{self.issued_on:%Y%m%d}",
            f"{self.expires_on:%Y%m%d}",
            self.card_number,
            number,
            self.name,
            self.name_continuation,
            "1" if int(number[16]) % 2 else "2",
            "01",
            number[:6],
            number[6:14],
        )
        return ":".join(fields)


def card_of(
    store: Store,
    card_id: str,
    *,
    number: str,
    name: str,
    authentication_key: bytes = AUTHENTICATION_KEY,
) -> ChipCard:
    """The chip card that belongs to a card's row, as a maker would have personalised it."""
    with store.read() as tx:
        card = cards.get(tx, card_id)
    if card is None:
        raise LookupError(card_id)
    return ChipCard(
        card.region,
        number,
        card.card_number,
        name,
        personalised_key(authentication_key, card.region, card.card_number),
        issued_on=card.issued_on,
        expires_on=card.expires_on,
    )
