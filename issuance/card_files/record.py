"""The record of one card: what a maker writes into it, as the bytes that the issuer signs.

    1  version, 1
    4  number of the record in its maker file, from 1
    3  region of the issuer, six digits packed
    p  elements of EF05 and EF06 (personalisation)
    1  number of keys
    k  keys (card_keys)

The same application under the same card number gives the same bytes each time.
"""

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from issuance.card_files.card_keys import (
    KEYS_OF_A_CARD_MAX,
    WRAPPED_KEY_SIZE_BYTES,
    WrappedKey,
    decode_keys,
    encode_keys,
)
from issuance.card_files.charset import Charset
from issuance.card_files.element_reading import decode_elements
from issuance.card_files.elements import ELEMENTS_SIZE_BYTES
from issuance.card_files.errors import ElementError
from issuance.card_files.personalisation import Personalisation, encode_elements

RECORDS_MAX: Final = 1_000_000
VERSION: Final = 1

_HEAD: Final = struct.Struct(">BI3s")
_KEYS_AT: Final = _HEAD.size + ELEMENTS_SIZE_BYTES
RECORD_BYTES_MAX: Final = _KEYS_AT + 1 + KEYS_OF_A_CARD_MAX * WRAPPED_KEY_SIZE_BYTES

_is_region = re.compile("[0-9]{6}").fullmatch


@dataclass(frozen=True, slots=True, repr=False)
class CardRecord:
    """number: from 1, without gaps in a file. region: six digits, of the issuer (发卡地区)."""

    number: int
    region: str
    card: Personalisation
    keys: tuple[WrappedKey, ...]

    def __repr__(self) -> str:
        return f"CardRecord(number={self.number})"


def encode_record(record: CardRecord, charset: Charset = Charset.GB18030) -> bytes:
    """At most RECORD_BYTES_MAX. Raises ElementError for a value that can't be written."""
    keys = encode_keys(record.keys)
    return encode_record_of(record.number, record.region, record.card, keys, charset)


def encode_record_of(
    number: int,
    region: str,
    card: Personalisation,
    encoded_keys: bytes,
    charset: Charset = Charset.GB18030,
) -> bytes:
    """As `encode_record`, of a record whose keys are encoded already. Raises ElementError."""
    if not 1 <= number <= RECORDS_MAX:
        raise _unfit("number", "序号", f"应为1至{RECORDS_MAX}", f"must be 1 to {RECORDS_MAX}")
    return b"".join(
        (
            _HEAD.pack(VERSION, number, _packed_region(region)),
            encode_elements(card, charset),
            bytes((len(encoded_keys) // WRAPPED_KEY_SIZE_BYTES,)),
            encoded_keys,
        )
    )


@lru_cache(maxsize=64)
def _packed_region(region: str) -> bytes:
    if not _is_region(region):
        raise _unfit("region", "发卡地区", "应为6位数字", "must be six digits")
    return bytes.fromhex(region)


def decode_record(data: bytes) -> CardRecord:
    """The inverse of `encode_record`. Raises ValueError for bytes that it would not write."""
    if not _KEYS_AT < len(data) <= RECORD_BYTES_MAX:
        raise ValueError("the record is cut off or too long")
    version, number, region = _HEAD.unpack_from(data)
    if version != VERSION or not 1 <= number <= RECORDS_MAX or not region.hex().isdecimal():
        raise ValueError("version, number or region is out of range")
    keys = decode_keys(data[_KEYS_AT + 1 :])
    if data[_KEYS_AT] != len(keys):
        raise ValueError("the number of keys is wrong")
    card = decode_elements(data[_HEAD.size : _KEYS_AT])
    return CardRecord(number, region.hex(), card, keys)


def record_number(data: bytes) -> int:
    """The number of an encoded record. Raises ValueError where it is cut off before it."""
    if len(data) < _HEAD.size:
        raise ValueError("the record is cut off")
    number: int = _HEAD.unpack_from(data)[1]
    return number


def _unfit(field: str, title_zh: str, reason_zh: str, reason_en: str) -> ElementError:
    return ElementError("element_unfit", field, title_zh, reason_zh, reason_en)
