"""Valid signatures that lead the arithmetic through its corners, each with a twin that is not.

The scalars are where digits, carries and windows of a multiplication turn; the keys are small
multiples of G, whose tables meet those of G.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from sm2_textbook import N, number

from sm2_edition.cases import INVALID, VALID
from sm2_edition.claims import Claim, Draws, Key, over_e

FLAGS = {
    "Arithmetic": "s and t are where digits, carries and windows of a multiplication turn",
    "ArithmeticOff": "such a signature with an e that is one off",
    "SmallHalves": "r or s is a short number, down to 1",
    "SmallHalvesOff": "such a signature with r or s one off, or the two exchanged",
    "Inverse": "r, s or t is the inverse of a small number modulo n",
}

SCALARS = {
    "1": 1,
    "2": 2,
    "16": 16,
    "n - 1": N - 1,
    "n - 2": N - 2,
    "n / 2": N // 2,
    "n / 2 + 1": N // 2 + 1,
    "2^128": 1 << 128,
    "2^255": 1 << 255,
    "2^255 - 1": (1 << 255) - 1,
    "2^255 - 2^224 - 1": (1 << 255) - (1 << 224) - 1,
    "aaaa...": int("2a" * 32, 16),
    "f0f0...": int("70f0" * 16, 16),
    "8080...": int("0080" * 16, 16),
    "2^192 - 1": (1 << 192) - 1,
    "n - 2^64": N - (1 << 64),
}


def claims() -> Iterator[Claim]:
    yield from _corners()
    yield from _small()
    yield from _inverses()


def _corners() -> Iterator[Claim]:
    draws = Draws("corners")
    keys = [Key.of(d) for d in (1, 2, 3, 15, 16, 255, N - 2, draws.scalar(), draws.scalar())]
    pairs = [
        (s, t) for s, t in product(SCALARS.items(), repeat=2) if (t[1] - s[1]) % N and draws.once(3)
    ]
    for number_of, ((s_text, s), (t_text, t)) in enumerate(pairs):
        key = keys[number_of % len(keys)]
        comment = f"s = {s_text}, t = {t_text}"
        halves = ((t - s) % N, s)
        if (s + t * key.d) % N == 0:
            continue
        claim = over_e("Arithmetic", comment, key, halves, VALID, d=key.d)
        yield claim
        if number_of % 4 == 0:
            yield _with_other_e(claim)


def _with_other_e(claim: Claim) -> Claim:
    assert claim.e is not None
    e = number((int.from_bytes(claim.e, "big") + 1) % N)
    comment = f"{claim.comment}, e + 1"
    return replace(claim, flag="ArithmeticOff", comment=comment, result=INVALID, e=e)


def _small() -> Iterator[Claim]:
    draws = Draws("small halves")
    key = Key.of(draws.scalar())
    values = [1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, (1 << 64) - 1, 1 << 128, 1 << 247]
    for value in values:
        other = draws.scalar()
        for text, halves in (
            (f"r = {value:#x}", (value, other)),
            (f"s = {value:#x}", (other, value)),
            (f"r = s = {value:#x}", (value, value)),
        ):
            yield over_e("SmallHalves", text, key, halves, VALID, d=key.d)
    for value in values[:3]:
        other = draws.scalar()
        good = over_e("SmallHalves", "", key, (value, other), VALID, d=key.d)
        for text, r, s in (
            ("r + 1", value + 1, other),
            ("s + 1", value, other + 1),
            ("r and s exchanged", other, value),
        ):
            comment = f"r = {value:#x}, then {text}"
            bad = replace(good, flag="SmallHalvesOff", comment=comment, result=INVALID)
            yield replace(bad, r=r, s=s)


def _inverses() -> Iterator[Claim]:
    draws = Draws("inverses")
    key = Key.of(draws.scalar())
    for small in (2, 3, 5, 7, 16, 1 << 32):
        inverse, other = pow(small, -1, N), draws.scalar()
        for text, halves in (
            (f"r = 1/{small}", (inverse, other)),
            (f"s = 1/{small}", (other, inverse)),
            (f"t = 1/{small}", ((inverse - other) % N, other)),
        ):
            yield over_e("Inverse", text, key, halves, VALID, d=key.d)
