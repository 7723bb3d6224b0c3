"""The keys of one card: diversified from the master keys, wrapped for the way to the maker.

    region key   card_core.chip_cards.region_key(master key of the kind, region)
    card key     diversify(region key, card_core.chip_cards.card_factor(card number))
    wrapped      SM4(transport key, card key), one block
    check value  the first 3 bytes of SM4(card key, 16 zero bytes)

Master keys (发卡主密钥), one for each kind of key and region, are the province's or the ministry's;
the one of internal authentication makes what docs/chip-cards.md calls the authentication key. The
transport key (传输密钥) is agreed between bureau and maker by a ceremony, 16 bytes. One block under
it hides a key that nobody can guess, and gives the same bytes each time, so that a chunk made again
is the same chunk; what holds it in its place is the signature over the record.
"""

import hmac
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, Protocol

from card_core.chip_cards import card_factor, region_key
from crypto import sm4
from issuance.card_files.errors import CardFileError

CHECK_VALUE_SIZE_BYTES: Final = 3
WRAPPED_KEY_SIZE_BYTES: Final = 1 + 1 + sm4.KEY_SIZE + CHECK_VALUE_SIZE_BYTES
KEYS_OF_A_CARD_MAX: Final = 16

_ZEROS: Final = bytes(16)
_REGIONS_KEPT_MAX: Final = 64
_MADE_SIZE_BYTES: Final = sm4.KEY_SIZE + CHECK_VALUE_SIZE_BYTES


class CardKeyKind(IntEnum):
    """What a key of a card is for (LD/T 32-2015, part 4). The numbers are this layout's."""

    APPLICATION_MASTER = 1  # 应用主控密钥
    APPLICATION_MAINTENANCE = 2  # 应用维护密钥
    EXTERNAL_AUTHENTICATION = 3  # 外部认证密钥
    INTERNAL_AUTHENTICATION = 4  # 内部认证密钥
    LOCK = 5  # 应用锁定密钥
    UNLOCK = 6  # 应用解锁密钥
    DATA_UPDATE = 7  # 数据更新密钥
    READ = 8  # 读取密钥
    PIN_UNBLOCK = 9  # PIN 解锁密钥
    PIN_RELOAD = 10  # PIN 重装密钥


class WrappedKey(NamedTuple):
    """number: of the master key. wrapped: 16 bytes. check_value: 3 bytes."""

    kind: CardKeyKind
    number: int
    wrapped: bytes
    check_value: bytes


class CardKeyMaker(Protocol):
    """Makes the wrapped keys of a card. A hardware module is another one of these."""

    def keys_of(self, region: str, card_number: str) -> tuple[WrappedKey, ...]:
        """region: six digits. card_number: 9 characters of A-Z and 0-9.

        In the order of their kinds, the same bytes each time. May be called by many threads.
        """
        ...

    def encoded_keys_of(self, region: str, card_number: str) -> bytes:
        """The same, as `encode_keys` has them."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """One master key of a region. number: 0 to 255, its version. value: 16 bytes."""

    number: int
    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != sm4.KEY_SIZE or not 0 <= self.number <= 255:
            raise ValueError("a master key has 16 bytes and a number of one byte")


class _RegionKeys(NamedTuple):
    """keys: the region keys behind each other. parts: takes what is made of them apart. places:
    kind and number of each, as they are encoded, with a place (%b) for what was made."""

    keys: bytes
    parts: struct.Struct
    places: bytes


class SoftwareCardKeys:
    """Makes card keys from master keys in memory; a `CardKeyMaker`.

    For demonstration, and where the master keys are the bureau's own.
    """

    def __init__(self, masters: Mapping[CardKeyKind, MasterKey], transport_key: bytes) -> None:
        """Raises ValueError for no key at all and for a transport key of another size."""
        if not masters:
            raise ValueError("a card has at least one key")
        self._masters = sorted(masters.items())
        self._transport = sm4.Cipher(transport_key)
        self._of_regions: dict[str, _RegionKeys] = {}

    def keys_of(self, region: str, card_number: str) -> tuple[WrappedKey, ...]:
        return decode_keys(self.encoded_keys_of(region, card_number))

    def encoded_keys_of(self, region: str, card_number: str) -> bytes:
        of_region = self._region_keys(region)
        made = sm4.wrap_diversified(of_region.keys, card_factor(card_number), self._transport)
        return of_region.places % of_region.parts.unpack(made)

    def _region_keys(self, region: str) -> "_RegionKeys":
        """Kept, as a batch is one region's."""
        found = self._of_regions.get(region)
        if found is None:
            heads = [bytes((kind, master.number)) for kind, master in self._masters]
            found = _RegionKeys(
                b"".join(region_key(master.value, region) for _, master in self._masters),
                struct.Struct(f"{_MADE_SIZE_BYTES}s" * len(heads)),
                b"".join(head.replace(b"%", b"%%") + b"%b" for head in heads),
            )
            if len(self._of_regions) >= _REGIONS_KEPT_MAX:
                self._of_regions.clear()
            self._of_regions[region] = found
        return found

    def __repr__(self) -> str:
        return f"<SoftwareCardKeys of {len(self._masters)} kinds>"


def check_value(key: bytes) -> bytes:
    """What tells two keys apart without showing either, 3 bytes."""
    return sm4.encrypt_block(key, _ZEROS)[:CHECK_VALUE_SIZE_BYTES]


def unwrap(key: WrappedKey, transport: sm4.Cipher) -> bytes:
    """The card key, 16 bytes. Raises CardFileError, transport_key_wrong."""
    found = transport.decrypt_block(key.wrapped)
    if not hmac.compare_digest(check_value(found), key.check_value):
        raise CardFileError("transport_key_wrong")
    return found


def encode_keys(keys: Iterable[WrappedKey]) -> bytes:
    """Kind, number, wrapped key and check value of each, WRAPPED_KEY_SIZE_BYTES.

    keys: one of a kind, in the order of kinds. Raises ValueError.
    """
    keys = tuple(keys)
    _check_order(keys)
    return b"".join([b"%c%c%b%b" % key for key in keys])


def decode_keys(data: bytes) -> tuple[WrappedKey, ...]:
    """The inverse of `encode_keys`. Raises ValueError for any other shape or order."""
    if len(data) % WRAPPED_KEY_SIZE_BYTES:
        raise ValueError("a key is cut off")
    keys = tuple(
        WrappedKey(
            CardKeyKind(data[at]),
            data[at + 1],
            data[at + 2 : at + 18],
            data[at + 18 : at + WRAPPED_KEY_SIZE_BYTES],
        )
        for at in range(0, len(data), WRAPPED_KEY_SIZE_BYTES)
    )
    _check_order(keys)
    return keys


def _check_order(keys: Sequence[WrappedKey]) -> None:
    kinds = [key.kind for key in keys]
    if not 1 <= len(keys) <= KEYS_OF_A_CARD_MAX or kinds != sorted(set(kinds)):
        raise ValueError("one key of a kind, in their order")
