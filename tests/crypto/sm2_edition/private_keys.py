"""Private keys at the ends of their range, 1 to n-2, and beyond."""

from collections.abc import Iterator

from sm2_textbook import N, P, number

from sm2_edition.cases import INVALID_KEY, VALID, PrivateKeyCase
from sm2_edition.claims import Draws

FLAGS = {
    "InRange": "a key from 1 to n-2, the ends among them",
    "OutOfRange": "0, n-1, for which 1 + d has no inverse, n and beyond",
    "KeyLength": "a key that is right as a number and not of 32 bytes",
}


def cases() -> Iterator[PrivateKeyCase]:
    draws = Draws("private keys")
    for text, d in (
        ("1", 1),
        ("2", 2),
        ("3", 3),
        ("2^128", 1 << 128),
        ("2^255", 1 << 255),
        ("n / 2", N // 2),
        ("n - 4", N - 4),
        ("n - 3", N - 3),
        ("n - 2", N - 2),
        ("random", draws.scalar()),
        ("of 31 bytes", draws.below(1 << 248)),
    ):
        yield PrivateKeyCase("InRange", f"d = {text}", {"d": d}, number(d), VALID)
    for text, d in (
        ("0", 0),
        ("n - 1", N - 1),
        ("n", N),
        ("n + 1", N + 1),
        ("n + 2", N + 2),
        ("p - 1", P - 1),
        ("p", P),
        ("2^256 - 1", 2**256 - 1),
    ):
        yield PrivateKeyCase("OutOfRange", f"d = {text}", {"d": d}, number(d), INVALID_KEY)
    d = draws.below(1 << 240)
    for text, data in (
        ("empty", b""),
        ("31 bytes", number(d)[1:]),
        ("30 bytes", number(d)[2:]),
        ("33 bytes, a zero in front", b"\x00" + number(d)),
        ("33 bytes, a zero behind", number(d) + b"\x00"),
        ("64 bytes", bytes(32) + number(d)),
        ("hexadecimal", number(d).hex().encode()),
    ):
        yield PrivateKeyCase("KeyLength", text, {"d": d}, data, INVALID_KEY)
