"""What a bundle says: keys, business types, policy, and which status lists to carry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from card_core import checkpoint
from card_core.bundles.errors import InvalidBundleError, MalformedBundleError
from card_core.business_types import PLACES, BusinessType, HolderView, Purpose
from card_core.checkpoint import Head
from card_core.codes import CodeKey, KeyPurpose, KeyState
from crypto import sm2

KEYS_MAX: Final = 4096
BUSINESS_TYPES_MAX: Final = 1024
TRUST_LISTS_MAX: Final = 64
TRUST_AUTHORITIES_MAX: Final = 16
# Two days of as many issuers as a key ring has room for, with a status and a credential key each.
STATUS_LISTS_MAX: Final = 512
COUNT_MAX: Final = 1000
AMOUNT_FEN_MAX: Final = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class OfflinePolicy:
    """What a terminal of this issuer may do with no network. Identifying is always allowed.

    consumes: whether money or goods may move. count_max: how many consuming scans of one device
    credential one terminal accepts until it has uploaded them; amount_fen_max: how much they may
    sum up to. Both are 0 where nothing is consumed.
    """

    consumes: bool = False
    count_max: int = 0
    amount_fen_max: int = 0

    def __post_init__(self) -> None:
        """Raises InvalidBundleError."""
        if not 0 <= self.count_max <= COUNT_MAX or bool(self.count_max) != self.consumes:
            raise InvalidBundleError("count_max")
        if not 0 <= self.amount_fen_max <= AMOUNT_FEN_MAX:
            raise InvalidBundleError("amount_fen_max")
        if self.amount_fen_max and not self.consumes:
            raise InvalidBundleError("amount_fen_max")


@dataclass(frozen=True, slots=True)
class CarriedList:
    """A status list that a terminal carries. day_ends_at: aware, as in its head."""

    issuer: int
    day_ends_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """keys: all that are known of the issuer, revoked ones too. trust_lists: signed lists of other
    issuers, each as its own format has it; they are verified by that, with trust_authorities, and
    not by this bundle's signature alone. status_lists: the issuer's own and those of the others.
    audit_heads: where the issuer's audit log stood, by chain, so that bundles that were carried
    away show a log that was rewritten.
    """

    keys: tuple[CodeKey, ...]
    business_types: tuple[BusinessType, ...]
    policy: OfflinePolicy
    status_lists: tuple[CarriedList, ...]
    trust_lists: tuple[bytes, ...] = ()
    trust_authorities: tuple[sm2.PublicKey, ...] = ()
    audit_heads: Mapping[str, Head] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """JSON with sorted keys and no spaces, so that equal content has equal bytes."""
        document = {
            "keys": [_key_document(key) for key in self.keys],
            "business_types": [_type_document(one) for one in self.business_types],
            "policy": {
                "consumes": self.policy.consumes,
                "count_max": self.policy.count_max,
                "amount_fen_max": self.policy.amount_fen_max,
            },
            "status_lists": [
                {"issuer": one.issuer, "day_ends_at": int(one.day_ends_at.timestamp())}
                for one in self.status_lists
            ],
            "trust_lists": [one.hex() for one in self.trust_lists],
            "trust_authorities": [
                one.to_bytes(compressed=True).hex() for one in self.trust_authorities
            ],
        }
        if self.audit_heads:
            document["audit_heads"] = checkpoint.heads_to_data(self.audit_heads)
        return _to_json(document)

    @classmethod
    def parse(cls, data: bytes) -> "Content":
        """Members that this version does not know are passed over. Raises MalformedBundleError."""
        try:
            document = json.loads(data)
            return cls(
                keys=tuple(_key(one) for one in _some(document, "keys", KEYS_MAX)),
                business_types=tuple(
                    _business_type(one)
                    for one in _some(document, "business_types", BUSINESS_TYPES_MAX)
                ),
                policy=_policy(document["policy"]),
                status_lists=tuple(
                    CarriedList(
                        _number(one["issuer"]),
                        datetime.fromtimestamp(_number(one["day_ends_at"]), UTC),
                    )
                    for one in _some(document, "status_lists", STATUS_LISTS_MAX)
                ),
                trust_lists=tuple(
                    bytes.fromhex(one) for one in _some(document, "trust_lists", TRUST_LISTS_MAX)
                ),
                trust_authorities=tuple(
                    sm2.PublicKey.from_bytes(bytes.fromhex(one))
                    # Absent in bundles of a service that is older than the terminal.
                    for one in _some(
                        {"trust_authorities": [], **document},
                        "trust_authorities",
                        TRUST_AUTHORITIES_MAX,
                    )
                ),
                audit_heads=checkpoint.heads_of_data(document.get("audit_heads", {})),
            )
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError, OSError):
            raise MalformedBundleError from None
        except (InvalidBundleError, sm2.InvalidKeyError):
            raise MalformedBundleError from None


def without_heads(content: bytes) -> bytes:
    """A content without what grows with every act: what has to change for a bundle to be due."""
    document = json.loads(content)
    document.pop("audit_heads", None)
    return _to_json(document)


def _to_json(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _key_document(key: CodeKey) -> dict[str, Any]:
    return {
        "issuer": key.issuer,
        "number": key.number,
        "purpose": key.purpose.value,
        "state": key.state.value,
        "public_key": key.public_key.to_bytes(compressed=True).hex(),
        "signs_from": _seconds(key.signs_from),
        "signs_until": _seconds(key.signs_until),
    }


def _type_document(one: BusinessType) -> dict[str, Any]:
    return {
        "code": one.code,
        "name_zh": one.name_zh,
        "name_en": one.name_en,
        "places": sorted(one.places),
        "purpose": one.purpose.value,
        "consumes": one.consumes,
        "view": one.view.value,
    }


def _key(document: Mapping[str, Any]) -> CodeKey:
    return CodeKey(
        _number(document["issuer"]),
        _number(document["number"]),
        sm2.PublicKey.from_bytes(bytes.fromhex(document["public_key"])),
        KeyState(document["state"]),
        KeyPurpose(document["purpose"]),
        _instant(document["signs_from"]),
        _instant(document["signs_until"]),
    )


def _seconds(at: datetime | None) -> int | None:
    """Rounded down: a key is believed for long after it has ceased to sign."""
    return None if at is None else int(at.timestamp())


def _instant(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(_number(seconds), UTC)


def _business_type(document: Mapping[str, Any]) -> BusinessType:
    code, places = document["code"], frozenset(document["places"])
    if not (isinstance(code, str) and len(code) == 5 and code.isascii() and code.isdigit()):
        raise MalformedBundleError
    if not places <= set(PLACES):
        raise MalformedBundleError
    return BusinessType(
        code=code,
        name_zh=str(document["name_zh"]),
        name_en=str(document["name_en"]),
        places=places,
        purpose=Purpose(_number(document["purpose"])),
        consumes=_truth(document["consumes"]),
        view=HolderView(document["view"]),
    )


def _policy(document: Mapping[str, Any]) -> OfflinePolicy:
    return OfflinePolicy(
        _truth(document["consumes"]),
        _number(document["count_max"]),
        _number(document["amount_fen_max"]),
    )


def _some(document: Mapping[str, Any], name: str, most: int) -> list[Any]:
    found = document[name]
    if not isinstance(found, list) or len(found) > most:
        raise MalformedBundleError
    return found


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 32:
        raise MalformedBundleError
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise MalformedBundleError
    return value
