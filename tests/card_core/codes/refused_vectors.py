"""Genuine codes that are refused: for their keys, their time, their purpose, and in which order."""

from collections.abc import Iterator

from raw_codes import (
    DAY_END,
    NOW,
    OTHER_TERMINAL,
    TERMINAL,
    RawCredential,
    RawOffline,
    RawOnline,
)
from vector_case import Case, refused_offline, refused_online


def cases() -> Iterator[Case]:
    yield from keys()
    yield from times()
    yield from purposes()
    yield from order()


def keys() -> Iterator[Case]:
    unknown, inactive = "unknown_key", "key_not_active"
    yield refused_online(unknown, "issuer", "an issuer that is not trusted", RawOnline(issuer=2))
    yield refused_online(
        unknown, "number", "a number that the issuer has not", RawOnline(key_number=5)
    )
    yield refused_online(
        unknown, "other-purpose", "7 is a key for credentials alone", RawOnline(key_number=7)
    )
    yield refused_online(inactive, "pending", "a key not yet in use", RawOnline(key_number=3))
    yield refused_online(inactive, "revoked", "a revoked key", RawOnline(key_number=4))
    for reason, name, about, credential in (
        (unknown, "issuer", "an issuer that is not trusted", RawCredential(issuer=2)),
        (unknown, "number", "a number that the issuer has not", RawCredential(key_number=5)),
        (unknown, "other-purpose", "8 is a key for codes alone", RawCredential(key_number=8)),
        (inactive, "pending", "a key not yet in use", RawCredential(key_number=3)),
        (inactive, "revoked", "a revoked key", RawCredential(key_number=4)),
    ):
        yield refused_offline(reason, name, about, RawOffline(credential))


def times() -> Iterator[Case]:
    yield refused_online("not_yet_valid", "by-one", "six seconds early", RawOnline(), now=NOW - 6)
    yield refused_online("expired", "by-one", "66 seconds late", RawOnline(), now=NOW + 66)
    yield refused_online("expired", "by-a-day", "a day late", RawOnline(), now=NOW + 86_400)
    yield refused_online("expired", "at-zero", "minted in 1970", RawOnline(minted_at=0))
    yield refused_offline("not_yet_valid", "by-one", "31 seconds early", RawOffline(), now=NOW - 31)
    yield refused_offline("expired", "by-one", "91 seconds late", RawOffline(), now=NOW + 91)
    morning = DAY_END - 86_400
    early, late = RawOffline(minted_at=morning - 31), RawOffline(minted_at=DAY_END)
    yield refused_offline(
        "credential_not_yet_valid",
        "by-one",
        "31 seconds before the credential's day",
        early,
        now=morning - 31,
    )
    yield refused_offline(
        "credential_expired",
        "by-one",
        "31 seconds after the credential's day",
        late,
        now=DAY_END + 31,
    )
    zero = RawOffline(RawCredential(expires_at=0))
    yield refused_offline("credential_expired", "at-zero", "a credential of 1970", zero)


def purposes() -> Iterator[Case]:
    no_purpose, no_offline = "purpose_mismatch", "offline_not_allowed"
    for bit, business_type in ((0, "01101"), (1, "01301"), (2, "02121"), (8, "96201")):
        yield refused_online(
            no_purpose,
            f"without-bit-{bit}",
            f"signed for all purposes but bit {bit}",
            RawOnline(purposes=0x01FF & ~(1 << bit)),
            business_type=business_type,
        )
    for business_type in ("01104", "01301", "01302", "02121", "03132", "92102"):
        yield refused_online(
            no_purpose,
            f"identify-only-{business_type}",
            "identify only, where money or goods move",
            RawOnline(purpose_class=2),
            business_type=business_type,
        )
    any_use = RawCredential(purpose_class=1)
    yield refused_offline(
        no_purpose,
        "class-beyond-credential",
        "any use under a credential for identifying",
        RawOffline(purpose_class=1),
    )
    yield refused_offline(
        no_purpose,
        "purposes-beyond-credential",
        "a purpose that the credential has not",
        RawOffline(RawCredential(purposes=0x01FE), purposes=0x0003),
        business_type="01101",
    )
    yield refused_offline(
        no_purpose,
        "extra-purpose",
        "within the purpose asked for, but another one goes beyond the credential",
        RawOffline(RawCredential(purposes=0x0001), purposes=0x0003),
    )
    yield refused_offline(
        no_purpose, "other-purpose", "signed for bit 1 alone", RawOffline(purposes=0x0002)
    )
    yield refused_offline(
        no_purpose,
        "identify-only-01301",
        "identify only, where money moves",
        RawOffline(),
        business_type="01301",
    )
    for business_type in ("01301", "02121", "96101"):
        yield refused_offline(
            no_offline,
            f"any-use-{business_type}",
            "any use, but an offline code consumes nothing",
            RawOffline(any_use, purpose_class=1),
            business_type=business_type,
        )
    bound: dict[str, RawOnline | RawOffline] = {
        "online": RawOnline(terminal=TERMINAL),
        "offline": RawOffline(terminal=TERMINAL),
    }
    for kind, code in bound.items():
        yield Case(
            f"terminal_mismatch-{kind}",
            "bound to another terminal",
            code.text(),
            "terminal_mismatch",
            terminal=OTHER_TERMINAL,
        )
    paid: dict[str, RawOnline | RawOffline] = {
        "online": RawOnline(terminal=TERMINAL, amount_fen=500),
        "offline": RawOffline(terminal=TERMINAL, amount_fen=500),
    }
    for kind, code in paid.items():
        for name, amount_fen in (
            ("other", 501),
            ("none", None),
            ("zero", 0),
            ("modulo-2-24", 500 + 2**24),
        ):
            yield Case(
                f"amount_mismatch-{kind}-{name}",
                "bound to 500 fen",
                code.text(),
                "amount_mismatch",
                amount_fen=amount_fen,
            )


def order() -> Iterator[Case]:
    """Two faults in one code: the first check decides."""
    late = NOW + 500
    zeros = bytes(64)
    yield Case(
        "order-version-before-fields",
        "another version and undefined flags",
        RawOnline(version_kind=0x21, flags=0xFF).text(),
        "unknown_version",
    )
    yield Case(
        "order-fields-before-key",
        "undefined flags and an unknown issuer",
        RawOnline(issuer=2, flags=0xFF).text(),
        "malformed",
    )
    yield Case(
        "order-key-before-signature",
        "a revoked key and no signature",
        RawOnline(key_number=4).text(zeros),
        "key_not_active",
    )
    yield Case(
        "order-signature-before-time",
        "no signature, and late",
        RawOnline().text(zeros),
        "bad_signature",
        now=late,
    )
    yield Case(
        "order-credential-signature-before-day",
        "an unsigned credential of 1970",
        RawOffline(RawCredential(expires_at=0), credential_signature=zeros).text(),
        "bad_signature",
    )
    yield Case(
        "order-day-before-device",
        "a credential of 1970 and no device signature",
        RawOffline(RawCredential(expires_at=0)).text(zeros),
        "credential_expired",
    )
    coming_day = RawCredential(expires_at=DAY_END + 2 * 86_400)
    yield Case(
        "order-coming-day-before-device",
        "a credential of a day to come and no device signature",
        RawOffline(coming_day).text(zeros),
        "credential_not_yet_valid",
    )
    yield Case(
        "order-device-before-time",
        "no device signature, and late",
        RawOffline().text(zeros),
        "bad_signature",
        now=late,
    )
    yield Case(
        "order-time-before-purpose",
        "late, and not for this purpose",
        RawOnline(purposes=2).text(),
        "expired",
        now=late,
    )
    yield Case(
        "order-purpose-before-terminal",
        "not for this purpose, and another terminal's",
        RawOnline(purposes=2, terminal=TERMINAL).text(),
        "purpose_mismatch",
        terminal=OTHER_TERMINAL,
    )
    yield Case(
        "order-purpose-before-offline",
        "not for this purpose, and offline where money moves",
        RawOffline(RawCredential(purpose_class=1), purpose_class=1, purposes=1).text(),
        "purpose_mismatch",
        business_type="01301",
    )
    yield Case(
        "order-credential-class-before-offline",
        "any use under a credential for identifying, and offline where money moves",
        RawOffline(purpose_class=1).text(),
        "purpose_mismatch",
        business_type="01301",
    )
    narrow = RawCredential(purpose_class=1, purposes=0x0002)
    yield Case(
        "order-credential-purposes-before-offline",
        "a purpose that the credential has not, and offline where money moves",
        RawOffline(narrow, purpose_class=1, purposes=0x0003).text(),
        "purpose_mismatch",
        business_type="01301",
    )
    yield Case(
        "order-offline-before-terminal",
        "offline where money moves, and another terminal's",
        RawOffline(RawCredential(purpose_class=1), purpose_class=1, terminal=TERMINAL).text(),
        "offline_not_allowed",
        business_type="01301",
        terminal=OTHER_TERMINAL,
    )
    yield Case(
        "order-terminal-before-amount",
        "another terminal's, and another amount",
        RawOnline(terminal=TERMINAL, amount_fen=5).text(),
        "terminal_mismatch",
        terminal=OTHER_TERMINAL,
        amount_fen=6,
    )
