"""A trust list as bytes: JSON in an envelope that holds the exact bytes that were signed.

    {"trust_list": base64 of the content, "signature": base64 of r || s}

The signature is SM2 with SM3 under the default signer id, over "sscard/trust-list/v1" LF content.
Nothing in the envelope says whose it is: the reader knows whose lists it takes.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from card_core.codes import KEY_RING_MAX, KeyPurpose, KeyState
from card_core.trust.entries import TrustedIssuer, TrustedKey, TrustList
from card_core.trust.errors import TrustListRefusedError
from card_core.trust.urls import check_url
from crypto import sm2
from crypto.keys import Signer

CONTEXT: Final = b"sscard/trust-list/v1\n"
DOCUMENT_BYTES_MAX: Final = 512 * 1024
NAME_CHARACTERS_MAX: Final = 64
ISSUER_MAX: Final = 0xFFFF
KEY_NUMBER_MAX: Final = 0xFF
EDITION_MAX: Final = 2**53 - 1

_LIST = frozenset({"edition", "issued_at", "expires_at", "issuers"})
_ISSUER = frozenset({"number", "name", "service_url", "status_list_url", "keys"})
_KEY = frozenset({"purpose", "number", "public_key", "state", "not_before", "not_after"})


def sign(trust_list: TrustList, signer: Signer) -> bytes:
    """The signed document. Raises TrustListRefusedError for a list that nobody would take."""
    content = _to_json(_list_to_data(trust_list))
    if _read_list(content) != trust_list:
        raise TrustListRefusedError("malformed")
    envelope = {
        "trust_list": base64.b64encode(content).decode(),
        "signature": base64.b64encode(signer.sign(CONTEXT + content)).decode(),
    }
    return _to_json(envelope)


def verify(document: bytes, authorities: Iterable[sm2.PublicKey]) -> TrustList:
    """What the document says, if one of the authorities signed it; its dates are not looked at.

    Raises TrustListRefusedError.
    """
    content, signature = _open(document)
    for authority in authorities:
        try:
            authority.verify(signature, CONTEXT + content)
        except sm2.InvalidSignatureError:
            continue
        return _read_list(content)
    raise TrustListRefusedError("bad_signature")


# Read again and again from the same row of the database; the key is the whole document.
@lru_cache(maxsize=4)
def read_signed(document: bytes) -> TrustList:
    """What a document says whose signature was checked before. Raises TrustListRefusedError."""
    return _read_list(_open(document)[0])


def write_entry(issuer: TrustedIssuer) -> bytes:
    """One issuer's entry as a file: what it hands to the authority."""
    return _to_json(_issuer_to_data(issuer))


def read_entry(entry: bytes) -> TrustedIssuer:
    """Raises TrustListRefusedError."""
    try:
        return _issuer(_object(_from_json(entry), _ISSUER))
    except (ValueError, TypeError, KeyError):
        raise TrustListRefusedError("malformed") from None


def _open(document: bytes) -> tuple[bytes, bytes]:
    try:
        envelope = _object(_from_json(document), frozenset({"trust_list", "signature"}))
        content = base64.b64decode(envelope["trust_list"], validate=True)
        signature = base64.b64decode(envelope["signature"], validate=True)
    except (ValueError, TypeError, binascii.Error):
        raise TrustListRefusedError("malformed") from None
    return content, signature


def _read_list(content: bytes) -> TrustList:
    try:
        data = _object(_from_json(content), _LIST)
        issuers = tuple(_issuer(_object(one, _ISSUER)) for one in _array(data["issuers"]))
        numbers = [issuer.number for issuer in issuers]
        points = [key.public_key for issuer in issuers for key in issuer.keys]
        if len(set(numbers)) != len(numbers) or len(set(points)) != len(points):
            raise ValueError("twice the same")
        if len(points) > KEY_RING_MAX:
            raise TrustListRefusedError("too_many_keys")
        found = TrustList(
            edition=_number(data["edition"], 1, EDITION_MAX),
            issued_at=_instant(data["issued_at"]),
            expires_at=_instant(data["expires_at"]),
            issuers=issuers,
        )
    except (ValueError, TypeError, KeyError):
        raise TrustListRefusedError("malformed") from None
    if found.expires_at <= found.issued_at:
        raise TrustListRefusedError("malformed")
    return found


def _issuer(data: dict[str, Any]) -> TrustedIssuer:
    keys = tuple(_key(_object(one, _KEY)) for one in _array(data["keys"]))
    if len({(key.purpose, key.number) for key in keys}) != len(keys):
        raise ValueError("a key number is there twice")
    return TrustedIssuer(
        number=_number(data["number"], 1, ISSUER_MAX),
        name=_name(data["name"]),
        service_url=None if data["service_url"] is None else _url(data["service_url"]),
        status_list_url=None if data["status_list_url"] is None else _url(data["status_list_url"]),
        keys=keys,
    )


def _key(data: dict[str, Any]) -> TrustedKey:
    return TrustedKey(
        purpose=KeyPurpose(data["purpose"]),
        number=_number(data["number"], 0, KEY_NUMBER_MAX),
        public_key=sm2.PublicKey.from_bytes(bytes.fromhex(data["public_key"])),
        state=KeyState(data["state"]),
        not_before=None if data["not_before"] is None else _instant(data["not_before"]),
        not_after=None if data["not_after"] is None else _instant(data["not_after"]),
    )


def _list_to_data(trust_list: TrustList) -> dict[str, Any]:
    return {
        "edition": trust_list.edition,
        "issued_at": _text(trust_list.issued_at),
        "expires_at": _text(trust_list.expires_at),
        "issuers": [_issuer_to_data(issuer) for issuer in trust_list.issuers],
    }


def _issuer_to_data(issuer: TrustedIssuer) -> dict[str, Any]:
    return {
        "number": issuer.number,
        "name": issuer.name,
        "service_url": issuer.service_url,
        "status_list_url": issuer.status_list_url,
        "keys": [
            {
                "purpose": key.purpose.value,
                "number": key.number,
                "public_key": key.public_key.to_bytes(compressed=True).hex(),
                "state": key.state.value,
                "not_before": _text(key.not_before),
                "not_after": _text(key.not_after),
            }
            for key in issuer.keys
        ],
    }


def _to_json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=1).encode() + b"\n"


def _from_json(text: bytes) -> Any:
    if len(text) > DOCUMENT_BYTES_MAX:
        raise ValueError("too long")
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ in which of two equal names they take; so there are none."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _object(data: Any, names: frozenset[str]) -> dict[str, Any]:
    if not isinstance(data, dict) or data.keys() != names:
        raise ValueError("other names than these")
    return data


def _array(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError("not a list")
    return data


def _number(value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError("out of range")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or value != value.strip():
        raise ValueError("not a name")
    if not 1 <= len(value) <= NAME_CHARACTERS_MAX:
        raise ValueError("not a name")
    return value


def _url(value: Any) -> str:
    if not isinstance(value, str) or check_url(value) != value:
        raise ValueError("not an address")
    return value


def _instant(value: Any) -> datetime:
    """One spelling: whole seconds, UTC, a Z at the end."""
    at = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if _text(at) != value:
        raise ValueError("not an instant")
    return at


def _text(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
