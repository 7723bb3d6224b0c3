"""Downgrades: codes that ask the verifier for less than the format demands. None is accepted.

Each row is a forgery that some verifier of tokens has believed: another version, kind, algorithm or
key chosen by the token, a signature that is none, a purpose that grows. Each has its own reason,
and a verifier written from the page alone gives the same one.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace

import make_vectors
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from raw_codes import (
    CREDENTIAL_CONTEXT,
    GX,
    NOW,
    OFFLINE_CONTEXT,
    ONLINE_CONTEXT,
    TERMINAL,
    N,
    RawCredential,
    RawOffline,
    RawOnline,
    at,
    code_keys,
    hash_to_sign,
    private_key,
    sign,
    sign_without_z,
    text_of,
    z_of,
)

from card_core import business_types, codes
from card_core.codes import KeyRing
from card_core.verdicts import Reason
from crypto import sm2, sm3
from tests.stranger.verifier import verify as verify_as_a_stranger

CODE_KEY, CREDENTIAL_KEY, DEVICE = "code_signing.1.1", "device_credential.1.1", "device.a"
ONLINE, OFFLINE = RawOnline(), RawOffline()
MESSAGE = ONLINE.message()
CREDENTIAL_MESSAGE = OFFLINE.credential.message()


@dataclass(frozen=True)
class Attempt:
    """`text` makes the forgery; `business_type` is what it is shown for."""

    name: str
    text: Callable[[], str]
    reason: Reason
    business_type: str = "01101"


def online_signature(name: str, make: Callable[[], bytes]) -> Attempt:
    """A good online code with another signature."""
    return Attempt(f"online: {name}", lambda: ONLINE.text(make()), Reason.BAD_SIGNATURE)


def credential_signature(name: str, make: Callable[[], bytes]) -> Attempt:
    """A good offline code, signed by its device, whose credential has another signature."""
    return Attempt(
        f"credential: {name}",
        lambda: RawOffline(credential_signature=make()).text(),
        Reason.BAD_SIGNATURE,
    )


def device_signature(name: str, make: Callable[[bytes], bytes]) -> Attempt:
    """A good offline code with another device's signature, made of the bytes that it covers."""

    def text() -> str:
        body = OFFLINE.body()
        return text_of(body + make(body), 489)

    return Attempt(f"device: {name}", text, Reason.BAD_SIGNATURE)


def ecdsa_on_the_same_curve(name: str, message: bytes) -> bytes:
    """r and s of ECDSA under this SM2 key, over the same e; the nonce is 1."""
    d = int.from_bytes(private_key(name).to_bytes(), "big")
    r = GX % N
    s = (hash_to_sign(name, message) + r * d) % N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def p256() -> bytes:
    """ECDSA with SHA-256 on P-256, as most other tokens are signed."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    r, s = utils.decode_dss_signature(key.sign(MESSAGE, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def with_sha256() -> bytes:
    """SM2 over SHA-256 of Z and the message in SM3's place."""
    key = private_key(CODE_KEY)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(z_of(key.public_key().to_bytes()[1:]) + MESSAGE)
    return key.sign_digest(digest.finalize())


def mac(digestmod: str) -> bytes:
    """A MAC whose key is the public key, which everybody has."""
    public = private_key(CODE_KEY).public_key().to_bytes()
    return hmac.digest(public, MESSAGE, digestmod)


def mac_with_sm3() -> bytes:
    public = private_key(CODE_KEY).public_key().to_bytes()
    return bytes(sm3.hmac(public, MESSAGE)) * 2


def signed_version(version_kind: int, context: bytes) -> str:
    """A code of another version or kind, signed under a context by the right key."""
    body = replace(ONLINE, version_kind=version_kind).body()
    return text_of(body + sign(CODE_KEY, context + body), 249)


def der_in_place() -> str:
    """The signature as DER, and the code longer by what DER is longer."""
    return text_of(ONLINE.body() + sm2.signature_to_der(sign(CODE_KEY, MESSAGE)), 267)


def unsigned() -> str:
    return text_of(ONLINE.body(), 94)


def credential_alone() -> str:
    return text_of(OFFLINE.credential.signed(), 273)


def wider_than_its_credential() -> str:
    return RawOffline(RawCredential(purposes=0x0001), purposes=0x0003).text()


VERSIONS = [
    Attempt(
        f"version {number}", lambda byte=number << 4 | 1: signed_version(byte, ONLINE_CONTEXT), why
    )
    for number, why in [
        (0, Reason.UNKNOWN_VERSION),
        (2, Reason.UNKNOWN_VERSION),
        (15, Reason.UNKNOWN_VERSION),
    ]
] + [
    Attempt(
        "version 2 under a context of its own",
        lambda: signed_version(0x21, b"sscard/online-code/v2\n"),
        Reason.UNKNOWN_VERSION,
    ),
    Attempt(
        "offline code, version 2",
        lambda: RawOffline(RawCredential(version_kind=0x22)).text(),
        Reason.UNKNOWN_VERSION,
    ),
    Attempt("kind 0", lambda: signed_version(0x10, ONLINE_CONTEXT), Reason.MALFORMED),
    Attempt("kind 3", lambda: signed_version(0x13, ONLINE_CONTEXT), Reason.MALFORMED),
    Attempt(
        "kind offline in an online code",
        lambda: signed_version(0x12, OFFLINE_CONTEXT),
        Reason.MALFORMED,
    ),
    Attempt(
        "kind online in an offline code",
        lambda: RawOffline(RawCredential(version_kind=0x11)).text(),
        Reason.MALFORMED,
    ),
]

ALGORITHMS = [
    Attempt("no signature at all", unsigned, Reason.MALFORMED),
    Attempt("a credential as a code", credential_alone, Reason.MALFORMED),
    Attempt("the signature as DER", der_in_place, Reason.MALFORMED),
    Attempt(
        "a token that names its algorithm none",
        lambda: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3N1ZXIiOjF9.",
        Reason.MALFORMED,
    ),
    Attempt("a reserved flag as a switch", lambda: RawOnline(flags=0x24).text(), Reason.MALFORMED),
    Attempt("a reserved purpose", lambda: RawOnline(purposes=0x0201).text(), Reason.MALFORMED),
    Attempt("a class of its own", lambda: RawOnline(purpose_class=0).text(), Reason.MALFORMED),
    online_signature("zeros", lambda: bytes(64)),
    online_signature("ones", lambda: b"\xff" * 64),
    online_signature("ECDSA on P-256", p256),
    online_signature("ECDSA on the same curve", lambda: ecdsa_on_the_same_curve(CODE_KEY, MESSAGE)),
    online_signature("SHA-256 for SM3", with_sha256),
    online_signature("Z left out", lambda: sign_without_z(CODE_KEY, MESSAGE)),
    online_signature("another signer id", lambda: sign(CODE_KEY, MESSAGE, b"ALICE123@YAHOO.COM")),
    online_signature("an empty signer id", lambda: sign(CODE_KEY, MESSAGE, b"")),
    online_signature("HMAC-SHA-512 under the public key", lambda: mac("sha512")),
    online_signature("HMAC-SM3 under the public key", mac_with_sm3),
    online_signature("a digest", lambda: sm3.digest(MESSAGE) * 2),
    credential_signature("zeros", lambda: bytes(64)),
    credential_signature("Z left out", lambda: sign_without_z(CREDENTIAL_KEY, CREDENTIAL_MESSAGE)),
    device_signature("zeros", lambda _: bytes(64)),
    device_signature("Z left out", lambda body: sign_without_z(DEVICE, OFFLINE_CONTEXT + body)),
    device_signature(
        "another signer id", lambda body: sign(DEVICE, OFFLINE_CONTEXT + body, b"device")
    ),
]

CONTEXTS = [
    online_signature("no context", lambda: sign(CODE_KEY, ONLINE.body())),
    online_signature(
        "a credential's context", lambda: sign(CODE_KEY, CREDENTIAL_CONTEXT + ONLINE.body())
    ),
    online_signature(
        "an offline code's context", lambda: sign(CODE_KEY, OFFLINE_CONTEXT + ONLINE.body())
    ),
    online_signature(
        "the next version's context",
        lambda: sign(CODE_KEY, b"sscard/online-code/v2\n" + ONLINE.body()),
    ),
    online_signature("a credential's signature", lambda: OFFLINE.credential.signed()[-64:]),
    credential_signature("a code's signature", lambda: ONLINE.signed()[-64:]),
    credential_signature("an offline code's", lambda: OFFLINE.signed()[-64:]),
    credential_signature("no context", lambda: sign(CREDENTIAL_KEY, OFFLINE.credential.body())),
    device_signature("its credential's signature", lambda body: body[49:113]),
    device_signature("a code's context", lambda body: sign(DEVICE, ONLINE_CONTEXT + body)),
    device_signature("its own part alone", lambda body: sign(DEVICE, OFFLINE_CONTEXT + body[113:])),
]

KEYS = [
    Attempt(
        "a credential key's number",
        lambda: RawOnline(key_number=7).text(
            sign("device_credential.1.7", RawOnline(key_number=7).message())
        ),
        Reason.UNKNOWN_KEY,
    ),
    Attempt(
        "a code key's number in a credential",
        lambda: RawOffline(
            RawCredential(key_number=8),
            credential_signature=sign("code_signing.1.8", RawCredential(key_number=8).message()),
        ).text(),
        Reason.UNKNOWN_KEY,
    ),
    Attempt("an issuer of its own", lambda: RawOnline(issuer=2).text(), Reason.UNKNOWN_KEY),
    Attempt("issuer 0", lambda: RawOnline(issuer=0).text(), Reason.UNKNOWN_KEY),
    Attempt(
        "a key not yet in force", lambda: RawOnline(key_number=3).text(), Reason.KEY_NOT_ACTIVE
    ),
    Attempt("a revoked key", lambda: RawOnline(key_number=4).text(), Reason.KEY_NOT_ACTIVE),
    Attempt(
        "a revoked credential key",
        lambda: RawOffline(RawCredential(key_number=4)).text(),
        Reason.KEY_NOT_ACTIVE,
    ),
    online_signature("the issuer's other key", lambda: sign("code_signing.1.2", MESSAGE)),
    online_signature("a revoked key's", lambda: sign("code_signing.1.4", MESSAGE)),
    online_signature("another issuer's key", lambda: sign("code_signing.440.1", MESSAGE)),
    online_signature("the credential key", lambda: sign(CREDENTIAL_KEY, MESSAGE)),
    credential_signature("the code key", lambda: sign(CODE_KEY, CREDENTIAL_MESSAGE)),
    credential_signature(
        "another issuer's key", lambda: sign("device_credential.440.1", CREDENTIAL_MESSAGE)
    ),
    credential_signature("signed by the device", lambda: sign(DEVICE, CREDENTIAL_MESSAGE)),
    device_signature("another device", lambda body: sign("device.b", OFFLINE_CONTEXT + body)),
    device_signature(
        "the issuer for the device", lambda body: sign(CREDENTIAL_KEY, OFFLINE_CONTEXT + body)
    ),
]

PURPOSES = [
    Attempt(
        "identify only, shown to settle",
        lambda: RawOnline(purpose_class=2).text(),
        Reason.PURPOSE_MISMATCH,
        "01301",
    ),
    Attempt(
        "one purpose, shown for another",
        lambda: RawOnline(purposes=0x0001).text(),
        Reason.PURPOSE_MISMATCH,
        "01301",
    ),
    Attempt(
        "a class beyond its credential's",
        lambda: RawOffline(purpose_class=1).text(),
        Reason.PURPOSE_MISMATCH,
    ),
    Attempt("purposes beyond its credential's", wider_than_its_credential, Reason.PURPOSE_MISMATCH),
    Attempt(
        "offline, shown to settle",
        lambda: RawOffline(RawCredential(purpose_class=1), purpose_class=1).text(),
        Reason.OFFLINE_NOT_ALLOWED,
        "01301",
    ),
]

ATTEMPTS = [*VERSIONS, *ALGORITHMS, *CONTEXTS, *KEYS, *PURPOSES]

RING = KeyRing(code_keys())


def reason(text: str, business_type: str, keys: KeyRing = RING) -> Reason:
    try:
        codes.check(
            text,
            keys=keys,
            now=at(NOW),
            business_type=business_types.get(business_type),
            terminal=TERMINAL,
            amount_fen=None,
        )
    except codes.RefusedError as refused:
        return refused.reason
    return Reason.ACCEPTED


def test_the_table_is_long_and_says_each_thing_once() -> None:
    assert len(ATTEMPTS) >= 25
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS)
    assert {attempt.reason for attempt in ATTEMPTS} == {
        Reason.MALFORMED,
        Reason.UNKNOWN_VERSION,
        Reason.UNKNOWN_KEY,
        Reason.KEY_NOT_ACTIVE,
        Reason.BAD_SIGNATURE,
        Reason.PURPOSE_MISMATCH,
        Reason.OFFLINE_NOT_ALLOWED,
    }


def test_what_they_are_made_of_is_good() -> None:
    """Else a forgery might be refused for something else."""
    assert reason(ONLINE.text(), "01101") is Reason.ACCEPTED
    assert reason(ONLINE.text(), "01301") is Reason.ACCEPTED
    assert reason(OFFLINE.text(), "01101") is Reason.ACCEPTED
    credential = OFFLINE.credential.signed()[-64:]
    assert reason(RawOffline(credential_signature=credential).text(), "01101") is Reason.ACCEPTED


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_a_downgrade_is_refused_for_its_reason(attempt: Attempt) -> None:
    text = attempt.text()
    assert reason(text, attempt.business_type) is attempt.reason
    told = verify_as_a_stranger(
        text,
        keys=make_vectors.ring_json(),
        now=NOW,
        business_type=attempt.business_type,
        terminal=TERMINAL,
        amount_fen=None,
        business_types=make_vectors.business_types_json(),
    )
    assert told == {"outcome": "refused", "reason": attempt.reason.value}
