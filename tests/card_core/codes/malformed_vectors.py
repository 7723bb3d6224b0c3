"""Texts that are no codes, values that are not defined, and versions that are not known."""

from collections.abc import Iterator

from raw_codes import RawCredential, RawOffline, RawOnline, sign, text_of
from vector_case import Case


def malformed(name: str, about: str, text: str) -> Case:
    return Case(f"malformed-{name}", about, text, "malformed")


def cases() -> Iterator[Case]:
    yield from texts()
    yield from numbers()
    yield from kinds()
    yield from versions()
    yield from online_fields()
    yield from offline_fields()


def texts() -> Iterator[Case]:
    good = RawOnline().text()
    yield malformed("empty", "nothing", "")
    yield malformed("marker-alone", "the marker and nothing behind it", "7406")
    yield malformed("no-marker", "the digits without the marker", good[4:])
    yield malformed("marker-other", "7407 for 7406", "7407" + good[4:])
    yield malformed("marker-twice", "the marker twice", "7406" + good)
    yield malformed("short", "the last digit is missing", good[:-1])
    yield malformed("long", "a digit too many", good + "0")
    yield malformed("zero-before", "a zero before the number", "74060" + good[4:])
    yield malformed("28-digits", "28 digits", "7406" + good[4:28])
    yield malformed("512-digits", "the longest text that is looked at", good + "0" * 259)
    yield malformed("513-digits", "longer than the longest text", good + "0" * 260)
    yield malformed("twice", "the same code twice", good + good)
    for name, about, character in (
        ("letter", "a letter", "a"),
        ("letter-o", "the letter O for a zero", "O"),
        ("space", "a space", " "),
        ("plus", "a plus sign", "+"),
        ("minus", "a minus sign", "-"),
        ("underscore", "an underscore", "_"),
        ("point", "a decimal point", "."),
        ("nul", "a zero byte", "\0"),
        ("full-width", "a full-width digit", "７"),
        ("arabic-indic", "an Arabic-Indic digit", "٧"),
        ("mathematical", "a mathematical bold digit", "𝟕"),
        ("superscript", "a superscript digit", "²"),
    ):
        yield malformed(
            f"inner-{name}", f"{about} in the middle", good[:100] + character + good[101:]
        )
    for name, about, before, behind in (
        ("space-before", "a space before", " ", ""),
        ("space-behind", "a space behind", "", " "),
        ("newline", "a line feed behind", "", "\n"),
        ("carriage-return", "a carriage return behind", "", "\r"),
        ("bom", "a byte order mark before", "\ufeff", ""),
    ):
        yield malformed(name, about, before + good + behind)
        cut = good[1:] if before else good[:-1]
        yield malformed(f"{name}-same-length", f"{about}, for a digit", before + cut + behind)


def numbers() -> Iterator[Case]:
    for kind, size, digits in (("online", 103, 249), ("offline", 203, 489)):
        limit = 256**size
        yield malformed(f"{kind}-256-to-n", "the first number too large", f"7406{limit}")
        yield malformed(f"{kind}-nines", "the largest number of its length", "7406" + "9" * digits)
        code = RawOnline().signed() if kind == "online" else RawOffline().signed()
        wrapped = int.from_bytes(code, "big") + limit
        yield malformed(f"{kind}-wrapped", "a good code's number and 256^n more", f"7406{wrapped}")
        yield Case(
            f"unknown_version-{kind}-zeros",
            "all zeros: version 0",
            "7406" + "0" * digits,
            "unknown_version",
        )


def kinds() -> Iterator[Case]:
    for kind in (0, *range(2, 16)):
        text = RawOnline(version_kind=0x10 | kind).text()
        yield malformed(f"online-kind-{kind}", f"kind {kind} in the length of an online code", text)
    for kind in (0, 1, *range(3, 16)):
        text = RawOffline(RawCredential(version_kind=0x10 | kind)).text()
        yield malformed(
            f"offline-kind-{kind}", f"kind {kind} in the length of an offline code", text
        )
    credential = RawCredential(issuer=1)
    code = credential.signed() + bytes(90)
    yield Case(
        "malformed-offline-zeros-behind-credential",
        "a good credential and zeros behind it",
        text_of(code, 489),
        "malformed",
    )


def versions() -> Iterator[Case]:
    """Downgrades and upgrades, each signed as its bytes ask for."""
    for version in (0, *range(2, 16)):
        yield Case(
            f"unknown_version-online-{version}",
            f"version {version}, genuinely signed",
            RawOnline(version_kind=version << 4 | 1).text(),
            "unknown_version",
        )
        yield Case(
            f"unknown_version-offline-{version}",
            f"version {version}, genuinely signed",
            RawOffline(RawCredential(version_kind=version << 4 | 2)).text(),
            "unknown_version",
        )
    unsigned = RawOnline(version_kind=0x01)
    yield Case(
        "unknown_version-unsigned",
        "version 0 without a signature",
        unsigned.text(bytes(64)),
        "unknown_version",
    )
    old_context = b"sscard/online-code/v0\n" + unsigned.body()
    yield Case(
        "unknown_version-own-context",
        "version 0 in a context of its own",
        unsigned.text(sign("code_signing.1.1", old_context)),
        "unknown_version",
    )


def online_fields() -> Iterator[Case]:
    for value in (0, 3, 4, 0x81, 0xFF):
        text = RawOnline(purpose_class=value).text()
        yield malformed(f"online-class-{value}", f"purpose class {value}", text)
    for value in (0, 0x0200, 0x0400, 0x0800, 0x1000, 0x2000, 0x4000, 0x8000, 0xFFFF):
        text = RawOnline(purposes=value if value in {0, 0xFFFF} else value | 1).text()
        yield malformed(f"online-purposes-{value:04x}", "no purpose, or a reserved bit", text)
    for value in (0x02, 0x03, 0x10, 0x14, 0x18, 0x1C, 0x20, 0x40, 0x80, 0xFF):
        text = RawOnline(flags=value).text()
        yield malformed(f"online-flags-{value:02x}", "a reserved bit or value of the flags", text)
    for amount_fen in (1, 0xFFFFFF):
        text = RawOnline(amount_fen=amount_fen).text()
        yield malformed(f"online-amount-{amount_fen}-alone", "an amount without a terminal", text)


def offline_fields() -> Iterator[Case]:
    for value in (0, 3, 0xFF):
        credential = RawCredential(purpose_class=value)
        text = RawOffline(credential).text()
        yield malformed(f"credential-class-{value}", f"the credential's class {value}", text)
        text = RawOffline(purpose_class=value).text()
        yield malformed(f"offline-class-{value}", f"the code's class {value}", text)
    for value in (0, 0x0201, 0x8001, 0xFFFF):
        about = "no purpose, or a reserved bit, in the"
        text = RawOffline(RawCredential(purposes=value)).text()
        yield malformed(f"credential-purposes-{value:04x}", f"{about} credential", text)
        text = RawOffline(purposes=value).text()
        yield malformed(f"offline-purposes-{value:04x}", f"{about} code", text)
    for value in (0x02, 0x03, 0x10, 0x1C, 0x20, 0x40, 0x80):
        text = RawOffline(RawCredential(flags=value)).text()
        yield malformed(
            f"credential-flags-{value:02x}", "a reserved bit or value of the flags", text
        )
    for head in (0x00, 0x01, 0x04, 0x05, 0x06, 0x07, 0x82, 0xFF):
        key = bytes([head]) + RawCredential().device_key[1:]
        text = RawOffline(RawCredential(device_key=key)).text()
        yield malformed(f"device-key-{head:02x}", "a device key that is not compressed", text)
    text = RawOffline(amount_fen=1).text()
    yield malformed("offline-amount-alone", "an amount without a terminal", text)
