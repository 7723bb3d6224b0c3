"""Signatures that are right as numbers and wrong as bytes."""

from base64 import b64encode
from collections.abc import Iterator

from sm2_textbook import N, number

from sm2_edition import der, mutations
from sm2_edition.cases import INVALID, VALID, SignatureCase
from sm2_edition.claims import Claim, Draws, Key, over_e, signed
from sm2_edition.mutations import Part

RAW_FLAGS = {
    "RawLength": "r and s are there, and the length is not 64 bytes",
    "RawForm": "the signature in another form: DER, text, halves of other sizes or turned round",
    "FlippedBit": "one bit of a byte flipped, in every byte",
}


def _bases() -> Iterator[Claim]:
    """A signature of two full numbers, both with a leading zero in DER, and a short one."""
    draws = Draws("encodings")
    key, message = Key.of(draws.scalar()), b"written in many ways"
    while True:
        claim = signed("Plain", "", key, draws.scalar(), VALID, message=message)
        if min(claim.r, claim.s) >> 255:
            yield claim
            break
    halves = 0x1234_5678_9ABC, 0x8765_4321 << 100
    yield over_e("Plain", "", key, halves, VALID, d=key.d)


def in_der() -> Iterator[SignatureCase]:
    full, short = _bases()
    for base in (full, short):
        parts = [
            Part(name, der.INTEGER, der.digits(half))
            for name, half in (("r", base.r), ("s", base.s))
        ]
        spoilt = list(mutations.spoilt(parts))
        if base is full:
            good = mutations.whole(parts)
            spoilt += [*mutations.cut(good), *mutations.flipped(good)]
        else:
            # The other base has had most of them.
            spoilt = [one for one in spoilt if one.flag not in {"WrongType", "WrongLength"}]
        for flag, comment, data in spoilt:
            yield base.spoilt(data, flag, comment)
    yield from _missing_zeros()


def _missing_zeros() -> Iterator[SignatureCase]:
    """Both numbers at once, and the two's complement that stands for the negative number."""
    draws = Draws("missing zeros")
    key = Key.of(draws.scalar())
    high = 1 << 255
    for _ in range(3):
        r, s = draws.below(N - high) + high, draws.below(N - high) + high
        base = over_e("MissingZero", "", key, (r, s), INVALID, d=key.d)
        for comment, contents in (
            ("r and s without their 00", (number(r), number(s))),
            ("r with 00, s without", (der.digits(r), number(s))),
        ):
            data = b"".join(der.value(der.INTEGER, content) for content in contents)
            yield base.spoilt(der.value(der.SEQUENCE, data), "MissingZero", comment)


def in_raw() -> Iterator[SignatureCase]:
    full, short = _bases()
    for base in (full, short):
        good = number(base.r) + number(base.s)
        for comment, data in _lengths(good):
            yield base.spoilt(data, "RawLength", comment)
        for comment, data in _forms(base):
            yield base.spoilt(data, "RawForm", comment)
        if base is full:
            for flag, comment, data in mutations.flipped(good):
                yield base.spoilt(data, flag, comment)


def _lengths(good: bytes) -> Iterator[tuple[str, bytes]]:
    for size in (0, 1, 31, 32, 33, 48, 62, 63):
        yield f"the first {size} bytes", good[:size]
        yield f"the last {size} bytes", good[64 - size :]
    for more in (1, 2, 32, 64):
        yield f"{64 + more} bytes, zeros behind", good + bytes(more)
        yield f"{64 + more} bytes, zeros in front", bytes(more) + good
    yield "twice", good + good


def _forms(base: Claim) -> Iterator[tuple[str, bytes]]:
    r, s = number(base.r), number(base.s)
    yield "DER", der.signature(base.r, base.s)
    yield "hexadecimal", (r + s).hex().encode()
    yield "Base64", b64encode(r + s)
    yield "66 bytes, a zero before each half", b"\x00" + r + b"\x00" + s
    yield "bytes turned round", (r + s)[::-1]
    yield "each half turned round", r[::-1] + s[::-1]
    yield "s and r", s + r
    yield "04 in front", b"\x04" + r + s
    yield "a length in front", b"\x40" + r + s
