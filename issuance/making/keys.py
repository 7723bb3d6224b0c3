"""The keys of cards at the key provider: master keys (发卡主密钥) and transport keys (传输密钥).

    card_master.<kind>.<scope>.<number>           16 bytes, of a kind but internal authentication
    card_authentication.<scope>.<number>          16 bytes, of internal authentication
    card_transport.<maker's code>.<number>        16 bytes, agreed with that maker by a ceremony

scope: the region whose cards it serves, as for authentication keys: 440604 a county, 440600 a
prefecture, 440000 a province, 000000 everywhere; the narrowest that has any is taken, and of its
keys of a kind the one with the highest number. In production the master keys are the province's or
the ministry's and stay in its module, which is another `CardKeyMaker`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from card_core.chip_cards import card_authentication_key
from crypto.keys import KeyProvider
from issuance.card_files import CardKeyKind, MasterKey, SoftwareCardKeys
from issuance.errors import IssuanceError

EVERYWHERE: Final = "000000"
KEYS_NUMBER_MAX: Final = 255

_MASTER: Final = re.compile(r"card_master\.([a-z_]+)\.([0-9]{6})\.([0-9]{1,3})")
_AUTHENTICATION: Final = re.compile(r"card_authentication\.([0-9]{6})\.([0-9]{1,3})")
_TRANSPORT: Final = re.compile(r"card_transport\.([0-9a-z]{1,16})\.([0-9]{1,3})")
_KINDS: Final = {kind.name.lower(): kind for kind in CardKeyKind}


def master_key_name(kind: CardKeyKind, scope: str, number: int) -> str:
    """The key provider's name for a master key. scope: six digits. number: 0 to 255."""
    if kind is CardKeyKind.INTERNAL_AUTHENTICATION:
        return card_authentication_key(scope, number)
    return f"card_master.{kind.name.lower()}.{scope}.{number}"


def transport_key_name(maker: str, number: int) -> str:
    """The key provider's name for a transport key. maker: its code. number: 0 to 255."""
    return f"card_transport.{maker.lower()}.{number}"


def next_transport_number(keys: KeyProvider, maker: str) -> int:
    """The number of a maker's next transport key, from 1."""
    return max(_transport_numbers(keys, maker), default=0) + 1


class CardKeys:
    """Makes the keys of cards from what a key provider has; reads each key once.

    Its names are read when it is made: a key that is added later counts for the next process.
    """

    def __init__(self, keys: KeyProvider) -> None:
        self._keys = keys
        self._names = _names_by_scope(keys.names())
        self._makers: dict[tuple[str, str], SoftwareCardKeys] = {}
        self._scope_of = lru_cache(maxsize=1024)(self._find_scope)

    def encoded_keys_of(self, maker: str, region: str, card_number: str) -> bytes:
        """One of each kind, wrapped under the maker's transport key, as a record has them.

        Raises IssuanceError, card_keys_missing and transport_key_missing; KeyFileError.
        """
        place = maker, self._scope_of(region)
        found = self._makers.get(place)
        if found is None:
            found = self._makers[place] = SoftwareCardKeys(
                self._masters(place[1]), self._transport_key(maker)
            )
        return found.encoded_keys_of(region, card_number)

    def _find_scope(self, region: str) -> str:
        """The narrowest scope that has a master key: county, prefecture, province, everywhere."""
        for digits in (6, 4, 2, 0):
            scope = region[:digits].ljust(6, "0")
            if set(self._names.get(scope, ())) - {CardKeyKind.INTERNAL_AUTHENTICATION}:
                return scope
        raise IssuanceError(
            "card_keys_missing",
            "本机没有制卡主密钥。请先运行 sscard upgrade，或导入省级主密钥。",
            "There are no card master keys here. Run sscard upgrade, or import the province's.",
        )

    def _masters(self, scope: str) -> Mapping[CardKeyKind, MasterKey]:
        return {
            kind: MasterKey(number, self._keys.secret(master_key_name(kind, scope, number)))
            for kind, number in self._names[scope].items()
        }

    def _transport_key(self, maker: str) -> bytes:
        numbers = _transport_numbers(self._keys, maker)
        if not numbers:
            raise IssuanceError(
                "transport_key_missing",
                f"没有与卡商 {maker} 约定的传输密钥。请先运行 sscard maker transport-key。",
                f"No transport key was agreed with maker {maker}. First run sscard maker "
                "transport-key.",
            )
        return self._keys.secret(transport_key_name(maker, max(numbers)))

    def __repr__(self) -> str:
        return f"<CardKeys of {len(self._names)} scopes>"


def _transport_numbers(keys: KeyProvider, maker: str) -> list[int]:
    found = (_TRANSPORT.fullmatch(name) for name in keys.names())
    return [int(match[2]) for match in found if match and match[1] == maker.lower()]


def _names_by_scope(names: tuple[str, ...]) -> dict[str, dict[CardKeyKind, int]]:
    """Of each scope and kind the highest number."""
    found: dict[str, dict[CardKeyKind, int]] = {}
    for name in names:
        if match := _MASTER.fullmatch(name):
            kind, scope, number = _KINDS.get(match[1]), match[2], int(match[3])
        elif match := _AUTHENTICATION.fullmatch(name):
            kind, scope, number = CardKeyKind.INTERNAL_AUTHENTICATION, match[1], int(match[2])
        else:
            continue
        if kind is not None and number <= KEYS_NUMBER_MAX:
            kinds = found.setdefault(scope, {})
            kinds[kind] = max(number, kinds.get(kind, 0))
    return found
