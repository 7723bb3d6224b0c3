"""Signatures whose r or s is out of 1 to n-1, and right all the same when taken modulo n."""

from collections.abc import Iterator
from itertools import product

from sm2_textbook import DEFAULT_SIGNER_ID, N, P

from sm2_edition.cases import INVALID
from sm2_edition.claims import Claim, Draws, Key, over_e

ALL_ONES = 2**256 - 1
# What fits into 256 bits after n was added to it.
SMALL = 2**256 - N

FLAGS = {
    "Zero": "r or s is 0, and right as a number modulo n",
    "Order": "r or s is n, which is 0 modulo n",
    "OrderPlusOne": "r or s is n + 1, which is 1 modulo n",
    "AddedOrder": "n, or a multiple of it, was added to r or s of a signature that is valid",
    "Negative": "r or s is negative, and right modulo n",
    "AllOnes": "r or s is 2^256 - 1, and right modulo n",
    "SpecialPair": "r and s of a forger who tries numbers that have broken verifiers",
}


def claims() -> Iterator[Claim]:
    draws = Draws("ranges")
    for _ in range(3):
        key = Key.of(draws.scalar())
        yield from _fixed(key, draws)
        yield from _added(key, draws)
        yield from _negative(key, draws)
    yield from _pairs(Key.of(draws.scalar()))


def _out_of_range(flag: str, comment: str, key: Key, r: int, s: int) -> Claim:
    return over_e(flag, comment, key, (r, s), INVALID, d=key.d)


def _fixed(key: Key, draws: Draws) -> Iterator[Claim]:
    for flag, text, value in (
        ("Zero", "0", 0),
        ("Order", "n", N),
        ("OrderPlusOne", "n + 1", N + 1),
        ("AllOnes", "2^256 - 1", ALL_ONES),
    ):
        yield _out_of_range(flag, f"r = {text}", key, value, draws.scalar())
        yield _out_of_range(flag, f"s = {text}", key, draws.scalar(), value)


def _added(key: Key, draws: Draws) -> Iterator[Claim]:
    small, other = draws.below(SMALL), draws.scalar()
    yield _out_of_range("AddedOrder", "r + n, in 256 bits", key, small + N, other)
    yield _out_of_range("AddedOrder", "s + n, in 256 bits", key, other, small + N)
    yield _out_of_range("AddedOrder", "r + n and s + n", key, small + N, draws.below(SMALL) + N)
    large, other = draws.scalar() | 1 << 255, draws.scalar()
    for text, more in (("n", N), ("2n", 2 * N), ("2^256 n", N << 256)):
        yield _out_of_range("AddedOrder", f"r + {text}, of over 256 bits", key, large + more, other)
        yield _out_of_range("AddedOrder", f"s + {text}, of over 256 bits", key, other, large + more)


def _negative(key: Key, draws: Draws) -> Iterator[Claim]:
    r, s = draws.scalar(), draws.scalar()
    yield _out_of_range("Negative", "r - n", key, r - N, s)
    yield _out_of_range("Negative", "s - n", key, r, s - N)
    yield _out_of_range("Negative", "r - n and s - n", key, r - N, s - N)
    yield _out_of_range("Negative", "r = -1", key, -1, s)
    yield _out_of_range("Negative", "s = -1", key, r, -1)
    yield _out_of_range("Negative", "r - 2^256 n", key, r - (N << 256), s)


def _pairs(key: Key) -> Iterator[Claim]:
    """Over a message, whose e can't be chosen to fit."""
    values = {
        "0": 0,
        "1": 1,
        "n - 1": N - 1,
        "n": N,
        "n + 1": N + 1,
        "p": P,
        "p + 1": P + 1,
        "2^256 - 1": ALL_ONES,
    }
    for (r_text, r), (s_text, s) in product(values.items(), repeat=2):
        yield Claim(
            "SpecialPair",
            f"r = {r_text}, s = {s_text}",
            {"d": key.d, "r": r, "s": s},
            key.public,
            r,
            s,
            INVALID,
            message=b"forged",
            signer_id=DEFAULT_SIGNER_ID,
        )
