"""A card maker's program, written from docs/files.md alone, as a check of that page.

It shares nothing with the service: SM2 and SM3 are GmSSL's (gmssl_pyx), SM4 is OpenSSL's
(cryptography). The sections named below are those of the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB, GCM
from gmssl_pyx import GmsslInnerError, sm2_decrypt, sm2_verify, sm3_hash

MARK = b"SSCMAKER"
CHUNK_MAX = 3_555_410

# Section 4: tag, size, what the value is called, and its type.
ELEMENTS = (
    (0x02, 1, "card_class", "an"),
    (0x03, 4, "spec_version", "an"),
    (0x04, 12, "organisation", "cn"),
    (0x05, 4, "issued_on", "cn"),
    (0x06, 4, "expires_on", "cn"),
    (0x07, 9, "card_number", "an"),
    (0x08, 18, "social_security_number", "an"),
    (0x09, 30, "name", "raw"),
    (0x4E, 20, "continuation", "raw"),
    (0x0A, 1, "sex", "an"),
    (0x0B, 1, "ethnic_group", "cn"),
    (0x0C, 3, "birthplace", "cn"),
    (0x0D, 4, "born_on", "cn"),
)


class RefusedError(Exception):
    """The file is not what the page says."""


class Card(NamedTuple):
    """What is written into one chip. keys: by kind, unwrapped."""

    number: int
    region: str
    elements: Mapping[str, str]
    keys: Mapping[int, bytes]


class Reader:
    """Takes fields from the front of some bytes, and nothing beyond their end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        part = self.data[self.at : self.at + size]
        if len(part) < size:
            raise RefusedError("cut off")
        self.at += size
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def end(self) -> None:
        if self.at != len(self.data):
            raise RefusedError("surplus")


def read_file(
    data: bytes, *, issuer_key: bytes, private_key: bytes, public_key: bytes, transport_key: bytes
) -> list[Card]:
    """All cards of a maker file (sections 1 to 5), or RefusedError.

    issuer_key, public_key: 04, x, y. private_key: 32 bytes. transport_key: 16 bytes.
    """
    reader = Reader(data)
    if reader.take(8) != MARK or reader.number(1) != 1:
        raise RefusedError("mark or version")
    size = reader.number(2)
    issuer, key_number = reader.take(2), reader.take(1)
    reader.take(8)
    records, chunks = reader.number(4), reader.number(4)
    if reader.take(8) != sm3_hash(compressed(public_key))[:8]:
        raise RefusedError("not for this maker")
    batch = reader.take(reader.number(1))
    envelope = reader.take(reader.number(2))
    if reader.at != size or not (1 <= records <= 1_000_000 and 1 <= chunks <= records):
        raise RefusedError("header")
    header = data[:size]
    sealed = [reader.take(_at_most(reader.number(4), CHUNK_MAX)) for _ in range(chunks)]
    signed = data[: reader.at]
    check_signature(issuer_key, b"sscard/maker-file/v1\0" + sm3_hash(signed), reader.take(64))
    reader.end()

    try:
        file_key = sm2_decrypt(private_key, envelope)
    except GmsslInnerError:
        raise RefusedError("envelope") from None
    cards: list[Card] = []
    for number, one in enumerate(sealed, 1):
        opened = open_chunk(file_key, number.to_bytes(12, "big"), one,
                            sm3_hash(header) + number.to_bytes(4, "big"))  # fmt: skip
        place = issuer + key_number + bytes([len(batch)]) + batch + number.to_bytes(4, "big")
        for record in read_chunk(opened, place, issuer_key):
            cards.append(read_record(record, transport_key))
            if cards[-1].number != len(cards):
                raise RefusedError("number")
    if len(cards) != records:
        raise RefusedError("count")
    return cards


def compressed(public_key: bytes) -> bytes:
    return bytes([2 + public_key[64] % 2]) + public_key[1:33]


def open_chunk(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    opener = Cipher(SM4(key), GCM(nonce, sealed[-16:])).decryptor()
    opener.authenticate_additional_data(associated)
    try:
        return opener.update(sealed[:-16]) + opener.finalize()
    except InvalidTag:
        raise RefusedError("chunk") from None


def read_chunk(data: bytes, place: bytes, issuer_key: bytes) -> list[bytes]:
    """Section 2: the records, each followed up to the root by itself."""
    reader = Reader(data)
    size = reader.number(2)
    signature = reader.take(64)
    if not 1 <= size <= 4096:
        raise RefusedError("size of the chunk")
    found, roots = [], set()
    for index in range(size):
        record = reader.take(_at_most(reader.number(2), 482))
        roots.add(follow(record, index, size, reader))
        found.append(record)
    reader.end()
    if len(roots) != 1:
        raise RefusedError("path")
    signed = b"sscard/card-records/v1\0" + place + size.to_bytes(2, "big") + roots.pop()
    check_signature(issuer_key, signed, signature)
    return found


def follow(record: bytes, index: int, size: int, reader: Reader) -> bytes:
    found, last = sm3_hash(b"\0" + record), size - 1
    while last > 0:
        if index % 2:
            found = sm3_hash(b"\1" + reader.take(32) + found)
        elif index < last:
            found = sm3_hash(b"\1" + found + reader.take(32))
        index, last = index // 2, last // 2
    return found


def read_record(data: bytes, transport_key: bytes) -> Card:
    """Sections 3 to 5."""
    reader = Reader(data)
    if reader.number(1) != 1:
        raise RefusedError("version of the record")
    number, region = reader.number(4), reader.take(3).hex()
    values: dict[str, str] = {}
    name = b""
    for tag, size, field, kind in ELEMENTS:
        if reader.take(2) != bytes([tag, size]):
            raise RefusedError("element")
        value = reader.take(size)
        if kind == "raw":
            name += value.rstrip(b"\0")
        elif kind == "an":
            values[field] = value.rstrip(b"\0").decode("ascii")
        else:
            values[field] = value.hex().upper().rstrip("F")
    values["name"] = name.decode("gb18030")
    keys = {}
    for _ in range(reader.number(1)):
        kind_of_key, _, wrapped, check = (
            reader.number(1), reader.number(1), reader.take(16), reader.take(3),
        )  # fmt: skip
        keys[kind_of_key] = one_block(transport_key, wrapped, decrypt=True)
        if one_block(keys[kind_of_key], bytes(16))[:3] != check:
            raise RefusedError("check value")
    reader.end()
    return Card(number, region, values, keys)


def card_key(master: bytes, region: str, card_number: str) -> bytes:
    """Section 5, from the master key: what the maker never does, and a test does."""
    region_key = diversify(master, bytes.fromhex(region) + b"\xff" * 5)
    return diversify(region_key, int(card_number, 36).to_bytes(8, "big"))


def diversify(key: bytes, factor: bytes) -> bytes:
    return one_block(key, factor + bytes(255 - byte for byte in factor))


def one_block(key: bytes, block: bytes, *, decrypt: bool = False) -> bytes:
    cipher = Cipher(SM4(key), ECB())
    return (cipher.decryptor() if decrypt else cipher.encryptor()).update(block)


def check_signature(public_key: bytes, message: bytes, signature: bytes) -> None:
    numbers = b"".join(der_integer(signature[at : at + 32]) for at in (0, 32))
    der = b"\x30" + bytes([len(numbers)]) + numbers
    try:
        right = sm2_verify(public_key[1:], message, der)
    except GmsslInnerError:
        right = False
    if not right:
        raise RefusedError("signature")


def der_integer(value: bytes) -> bytes:
    digits = value.lstrip(b"\0") or b"\0"
    digits = digits if digits[0] < 0x80 else b"\0" + digits
    return bytes([2, len(digits)]) + digits


def answer(
    cards: Sequence[Card],
    *,
    batch: str,
    issuer: int,
    failed: Mapping[int, str],
    first_serial: int = 0,
) -> bytes:
    """Section 8: a maker return file. failed: reasons by number of the record.

    first_serial: what the serials of these chips begin behind: no two chips have one.
    """
    lines = [f"H|SSCCARDBACK|1|GB18030|{batch}|{issuer}|M01|{len(cards)}|20261201120000"]
    for card in cards:
        number = card.elements["card_number"]
        if card.number in failed:
            lines.append(f"D|{card.number}|{number}|0|||{failed[card.number]}")
            continue
        code = f"{card.region}D156000005{first_serial + card.number:08X}"
        reset = f"{card.number:026X}"
        lines.append(f"D|{card.number}|{number}|1|{code}|{reset}|")
    body = "".join(line + "\r\n" for line in lines).encode("gb18030")
    return body + f"T|{len(cards)}|{sm3_hash(body).hex()}\r\n".encode("ascii")


def _at_most(size: int, size_max: int) -> int:
    if size > size_max:
        raise RefusedError("too long")
    return size
