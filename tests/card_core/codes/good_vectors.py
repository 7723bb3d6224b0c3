"""The codes that are accepted."""

from collections.abc import Iterator
from typing import Any

from raw_codes import (
    DAY_END,
    NOW,
    OFFLINE_CONTEXT,
    TERMINAL,
    RawCredential,
    RawOffline,
    RawOnline,
    device_key,
    device_with_head,
    sign_with_zero_at,
    text_of,
)
from vector_case import Case, fields_of

# One business type for each purpose bit, as in docs/code-format.md, section 7.
TYPE_OF_BIT = ["01101", "01301", "01302", "91101", "92101", "93101", "94101", "95101", "96201"]
PRESENCE = ["plain", "bound phone", "face", "chip and PIN"]


def online(name: str, about: str, code: RawOnline, **against: Any) -> Case:
    return Case(f"online-{name}", about, code.text(), fields_of(code), **against)


def offline(
    name: str, about: str, code: RawOffline, *, device: str = "device.a", **against: Any
) -> Case:
    text = code.text(device=device)
    return Case(f"offline-{name}", about, text, fields_of(code), **against)


def cases() -> Iterator[Case]:
    yield from online_cases()
    yield from offline_cases()
    yield from zero_cases()


def online_cases() -> Iterator[Case]:
    yield online("any-use", "the usual code, for settling", RawOnline(), business_type="01301")
    yield online("any-use-identify", "the usual code, for identifying", RawOnline())
    yield online("identify-only", "identify only, for identifying", RawOnline(purpose_class=2))
    for bit, business_type in enumerate(TYPE_OF_BIT):
        yield online(
            f"purpose-{bit}",
            f"signed for purpose bit {bit} alone",
            RawOnline(purposes=1 << bit),
            business_type=business_type,
        )
    bound = RawOnline(terminal=TERMINAL)
    yield online("terminal", "bound to the scanning terminal", bound, business_type="02121")
    for amount_fen in (1, 12_345, 0xFFFFFF):
        yield online(
            f"amount-{amount_fen}",
            "bound to the scanning terminal and to the amount",
            RawOnline(terminal=TERMINAL, amount_fen=amount_fen),
            business_type="02121",
            amount_fen=amount_fen,
        )
    yield online("terminal-any-amount", "an amount, none bound", bound, amount_fen=99)
    yield online("family", "shown by a family member", RawOnline(flags=0b0101))
    for grade, word in enumerate(PRESENCE):
        yield online(f"presence-{grade}", f"presence grade: {word}", RawOnline(flags=grade << 2))
    yield online("second-issuer", "another issuer's key", RawOnline(issuer=440))
    yield online(
        "largest-numbers", "the largest issuer and key", RawOnline(issuer=65535, key_number=255)
    )
    yield online("verify-only-key", "a key that signs no more", RawOnline(key_number=2))
    yield online(
        "far-future",
        "minted at 2^32 - 61, beyond 31 bits",
        RawOnline(minted_at=2**32 - 61),
        now=2**32 + 4,
    )
    yield online("first-second", "five seconds early", RawOnline(), now=NOW - 5)
    yield online("last-second", "65 seconds late", RawOnline(), now=NOW + 65)


def offline_cases() -> Iterator[Case]:
    any_use = RawCredential(purpose_class=1)
    yield offline("identify-only", "identify only, for identifying", RawOffline())
    yield offline("any-use", "any use, for identifying", RawOffline(any_use, purpose_class=1))
    yield offline(
        "narrower-class", "identify only under a credential for any use", RawOffline(any_use)
    )
    yield offline(
        "narrower-purposes", "one purpose of the credential's nine", RawOffline(purposes=1)
    )
    yield offline(
        "entitlement",
        "signed for eligibility alone, code and credential",
        RawOffline(RawCredential(purposes=0x20), purposes=0x20),
        business_type="93101",
    )
    yield offline("terminal", "bound to the scanning terminal", RawOffline(terminal=TERMINAL))
    yield offline(
        "amount",
        "bound to the scanning terminal and to the amount",
        RawOffline(terminal=TERMINAL, amount_fen=500),
        amount_fen=500,
    )
    yield offline("family", "shown by a family member", RawOffline(RawCredential(flags=0b0101)))
    for grade, word in enumerate(PRESENCE):
        credential = RawCredential(flags=grade << 2)
        yield offline(f"presence-{grade}", f"presence grade: {word}", RawOffline(credential))
    yield offline("second-issuer", "another issuer's key", RawOffline(RawCredential(issuer=440)))
    yield offline(
        "verify-only-key", "a key that signs no more", RawOffline(RawCredential(key_number=2))
    )
    for head in (2, 3):
        device = device_with_head(head)
        credential = RawCredential(device_key=device_key(device))
        yield offline(
            f"device-key-0{head}",
            f"a device key that begins with 0{head}",
            RawOffline(credential),
            device=device,
        )
    for index in (0, 2**32 - 1):
        credential = RawCredential(status_index=index)
        yield offline(f"status-{index}", "a status index at its limit", RawOffline(credential))
    yield offline("first-second", "thirty seconds early", RawOffline(), now=NOW - 30)
    yield offline("last-second", "ninety seconds late", RawOffline(), now=NOW + 90)
    morning = DAY_END - 86_400
    yield offline(
        "day-first-second",
        "thirty seconds before the credential's day",
        RawOffline(minted_at=morning - 30),
        now=morning - 30,
    )
    yield offline(
        "day-last-second",
        "thirty seconds after the credential's day",
        RawOffline(minted_at=DAY_END),
        now=DAY_END + 30,
    )
    far_future = RawCredential(expires_at=2**32 - 1)
    yield offline(
        "far-future",
        "a credential that expires at 2^32 - 1, in its last second",
        RawOffline(far_future, minted_at=2**32 - 61),
        now=2**32 + 29,
    )


def zero_cases() -> Iterator[Case]:
    """Signatures with a half that begins with zeros, which no one may strip or demand."""
    code, signed_offline = RawOnline(), RawOffline().signed()
    body = signed_offline[:139]
    for half, position in (("r", 0), ("s", 32)):
        about = f"{half} begins with a zero byte"
        signature = sign_with_zero_at(position, "code_signing.1.1", code.message())
        text = code.text(signature)
        yield Case(f"online-{half}-zero-byte", about, text, fields_of(code))
        signature = sign_with_zero_at(position, "device.a", OFFLINE_CONTEXT + body)
        text = text_of(body + signature, 489)
        yield Case(f"offline-{half}-zero-byte", about, text, fields_of(RawOffline()))
