"""Signatures that do not hold: made with the wrong key or over the wrong bytes, or altered."""

import hmac
from collections.abc import Iterator
from dataclasses import replace

import gmssl_pyx
from raw_codes import (
    CREDENTIAL_CONTEXT,
    DAY_END,
    NOW,
    OFFLINE_CONTEXT,
    ONLINE_CONTEXT,
    TERMINAL,
    N,
    RawCredential,
    RawOffline,
    RawOnline,
    device_key,
    private_key,
    sign,
    sign_to_infinity,
    sign_without_z,
    text_of,
)
from vector_case import Case, refused_offline


def cases() -> Iterator[Case]:
    yield from signatures()
    yield from offline_signatures()
    yield from altered()


def signatures() -> Iterator[Case]:
    """The issuer's signature over an online code, wrong in each way that was ever believed."""
    code = RawOnline()
    message, body = code.message(), code.body()
    key = "code_signing.1.1"
    public = private_key(key).public_key().to_bytes()
    good = sign(key, message)
    r, s = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")
    digest = gmssl_pyx.sm3_hash(message)
    wrong = {
        "empty": ("all zeros", bytes(64)),
        "ones": ("all ones", b"\xff" * 64),
        "r-zero": ("r is 0", bytes(32) + good[32:]),
        "s-zero": ("s is 0", good[:32] + bytes(32)),
        "r-is-n": ("r is n", N.to_bytes(32, "big") + good[32:]),
        "s-is-n": ("s is n", good[:32] + N.to_bytes(32, "big")),
        "t-zero": ("r + s is n", good[:32] + (N - r).to_bytes(32, "big")),
        "s-negated": ("n - s for s", good[:32] + (N - s).to_bytes(32, "big")),
        "infinity": ("[s]G + [t]P is the point at infinity", sign_to_infinity(key, message)),
        "swapped": ("s, then r", good[32:] + good[:32]),
        "little-endian": ("both halves reversed", good[31::-1] + good[:31:-1]),
        "other-key": ("another key of the issuer's", sign("code_signing.1.2", message)),
        "other-issuer": ("another issuer's key", sign("code_signing.440.1", message)),
        "credential-key": ("the credential key", sign("device_credential.1.1", message)),
        "no-context": ("no context prefix was signed", sign(key, body)),
        "credential-context": ("a credential's context", sign(key, CREDENTIAL_CONTEXT + body)),
        "offline-context": ("an offline code's context", sign(key, OFFLINE_CONTEXT + body)),
        "context-without-newline": ("no line feed", sign(key, ONLINE_CONTEXT[:-1] + body)),
        "other-signer-id": (
            "signer ID of the standard's example",
            sign(key, message, b"ALICE123@YAHOO.COM"),
        ),
        "empty-signer-id": ("an empty signer ID", sign(key, message, b"")),
        "no-z": ("Z left out: e is SM3 of the message", sign_without_z(key, message)),
        "other-version-context": (
            "context of a version 2",
            sign(key, b"sscard/online-code/v2\n" + body),
        ),
        "signed-text": ("the decimal text was signed", sign(key, text_of(body, 94).encode())),
        "other-code": (
            "the signature of another code",
            replace(code, minted_at=NOW - 1).signed()[-64:],
        ),
        "hmac": ("HMAC-SHA-512 under the public key", hmac.digest(public, message, "sha512")),
        "digest": ("a digest and no signature", digest + digest),
    }
    for name, (about, signature) in wrong.items():
        text = code.text(signature)
        yield Case(f"bad_signature-online-{name}", about, text, "bad_signature")


def offline_signatures() -> Iterator[Case]:
    code = RawOffline()
    credential = code.credential
    message = credential.message()

    def credential_signed(name: str, about: str, signature: bytes) -> Case:
        changed = RawOffline(credential_signature=signature)
        return refused_offline("bad_signature", f"credential-{name}", about, changed)

    yield credential_signed("empty", "all zeros for the issuer's signature", bytes(64))
    yield credential_signed("self-issued", "signed by the device", sign("device.a", message))
    yield credential_signed(
        "code-key", "signed by the issuer's key for codes", sign("code_signing.1.1", message)
    )
    yield credential_signed(
        "no-context",
        "no context prefix was signed",
        sign("device_credential.1.1", credential.body()),
    )
    yield credential_signed(
        "online-context",
        "an online code's context",
        sign("device_credential.1.1", ONLINE_CONTEXT + credential.body()),
    )
    yield credential_signed(
        "other-day",
        "the signature of the day before",
        replace(credential, expires_at=DAY_END - 86_400).signed()[-64:],
    )

    body = code.body()

    def device_signed(name: str, about: str, signature: bytes) -> Case:
        text = text_of(body + signature, 489)
        return Case(f"bad_signature-offline-device-{name}", about, text, "bad_signature")

    whole = OFFLINE_CONTEXT + body
    yield device_signed("empty", "all zeros for the device's signature", bytes(64))
    yield device_signed("other", "signed by another device", sign("device.b", whole))
    yield device_signed("no-context", "no context prefix was signed", sign("device.a", body))
    yield device_signed(
        "online-context", "an online code's context", sign("device.a", ONLINE_CONTEXT + body)
    )
    yield device_signed(
        "own-part-only",
        "the credential was left out of what is signed",
        sign("device.a", OFFLINE_CONTEXT + body[113:]),
    )
    yield device_signed("issuer", "signed by the issuer", sign("device_credential.1.1", whole))
    yield device_signed(
        "credential-repeated", "the issuer's signature put in its place", body[49:113]
    )
    off_curve = RawCredential(device_key=b"\x02" + bytes(31) + b"\x02")
    above_p = RawCredential(device_key=b"\x03" + b"\xff" * 32)
    yield refused_offline(
        "bad_signature", "key-off-curve", "no point has this x", RawOffline(off_curve)
    )
    yield refused_offline("bad_signature", "key-above-p", "x is not below p", RawOffline(above_p))
    stolen = RawOffline(RawCredential(device_key=device_key("device.b")))
    yield refused_offline(
        "bad_signature", "stolen-credential", "another phone's credential", stolen
    )


def altered() -> Iterator[Case]:
    """One bit of each field flipped after signing; some flips are seen before the signature is."""
    online_fields = {
        "issuer": (2, "unknown_key"),
        "key-number": (3, "bad_signature"),
        "minted-at": (7, "bad_signature"),
        "purposes": (10, "bad_signature"),
        "flags": (11, "bad_signature"),
        "terminal": (12, "bad_signature"),
        "box": (38, "bad_signature"),
        "r": (70, "bad_signature"),
        "s": (102, "bad_signature"),
    }
    signed = RawOnline(key_number=2, terminal=TERMINAL, amount_fen=7).signed()
    online_fields["amount"] = (25, "bad_signature")
    for field, (position, reason) in online_fields.items():
        bit = 3 if field == "key-number" else 1  # 2 becomes 1, another active key
        yield _flipped(f"online-{field}", signed, position, bit, reason)
    offline_fields = {
        "credential-expiry": (7, "bad_signature"),
        "credential-flags": (11, "bad_signature"),
        "status-index": (15, "bad_signature"),
        "device-key-head": (16, "bad_signature"),
        "device-key": (48, "bad_signature"),
        "credential-r": (80, "bad_signature"),
        "credential-s": (112, "bad_signature"),
        "minted-at": (116, "bad_signature"),
        "purposes": (119, "bad_signature"),
        "nonce": (127, "bad_signature"),
        "r": (170, "bad_signature"),
        "s": (202, "bad_signature"),
    }
    signed = RawOffline().signed()
    for field, (position, reason) in offline_fields.items():
        yield _flipped(f"offline-{field}", signed, position, 1, reason)


def _flipped(name: str, signed: bytes, position: int, bit: int, reason: str) -> Case:
    data = bytearray(signed)
    data[position] ^= bit
    text = text_of(bytes(data), 249 if len(data) == 103 else 489)
    return Case(f"{reason}-altered-{name}", f"byte {position} altered", text, reason)
