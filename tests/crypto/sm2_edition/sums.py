"""Signatures for which the sum sG + tP is a special one: t = 0, infinity, a doubling."""

from collections.abc import Iterator

from sm2_textbook import DEFAULT_SIGNER_ID, N, digest_e, number

from sm2_edition.cases import INVALID, VALID
from sm2_edition.claims import Claim, Draws, Key, over_e

TOP = 1 << 255

FLAGS = {
    "SumZero": "s = n - r, so that t = 0, which step B5 refuses",
    "Infinity": "s = -rd/(1+d), so that sG + tP is infinity, whose x some code has as 0 or 1",
    "Doubling": "sG = tP, so that an addition that can't double goes wrong",
    "MeetingOnTheWay": "tP is a part of sG or its negative, so that the sum doubles on its way or "
    "comes through infinity",
    "NearInfinity": "sG + tP is G or -G, next to infinity",
}


def claims() -> Iterator[Claim]:
    draws = Draws("sums")
    for _ in range(4):
        key = Key.of(draws.scalar())
        yield from _sum_zero(key, draws)
        yield from _infinity(key, draws)
        yield from _doubling(key, draws)
        yield from _near_infinity(key, draws)
    key = Key.of(draws.scalar())
    for bit in (0, 1, 5, 9, 64, 128, 200, 254):
        yield from _meetings(key, bit)


def _sum_zero(key: Key, draws: Draws) -> Iterator[Claim]:
    for text, r in (("r random", draws.scalar()), ("r = 1", 1), ("r = n - 1", N - 1)):
        comment = f"s = n - r, {text}"
        halves = (r, N - r)
        yield over_e("SumZero", comment, key, halves, INVALID, d=key.d)


def _infinity(key: Key, draws: Draws) -> Iterator[Claim]:
    """x counted as 0 makes r = e; x counted as 1 makes r = e + 1."""
    for x in (0, 1):
        r = draws.scalar()
        s = -r * key.d * pow(1 + key.d, -1, N) % N
        made = {"d": key.d, "r": r, "s": s}
        comment = f"sum at infinity, r = e + {x}"
        e = number((r - x) % N)
        yield Claim("Infinity", comment, made, key.public, r, s, INVALID, e=e)
    message = draws.data(20)
    r = int.from_bytes(digest_e(key.public, message), "big") % N
    s = -r * key.d * pow(1 + key.d, -1, N) % N
    made = {"d": key.d, "r": r, "s": s}
    comment = "sum at infinity, r = e of a message"
    signer_id = DEFAULT_SIGNER_ID
    yield Claim("Infinity", comment, made, key.public, r, s, INVALID, message, signer_id)


def _doubling(key: Key, draws: Draws) -> Iterator[Claim]:
    k = draws.scalar()
    half = pow(2, -1, N)
    s = k * half % N
    r = k * (1 - key.d) * half * pow(key.d, -1, N) % N
    made = {"d": key.d, "k": k}
    yield over_e("Doubling", "s = k/2", key, (r, s), VALID, **made)
    # The doubling missed, the sum often counts as infinity.
    e = number(r)
    comment = "s = k/2, e as if the sum were infinity"
    yield Claim("Doubling", comment, {**made, "r": r}, key.public, r, s, INVALID, e=e)


def _near_infinity(key: Key, draws: Draws) -> Iterator[Claim]:
    for k in (1, N - 1):
        r = draws.scalar()
        s = (k - r * key.d) * pow(1 + key.d, -1, N) % N
        comment = f"sG + tP = {'G' if k == 1 else '-G'}"
        made = {"d": key.d, "k": k}
        yield over_e("NearInfinity", comment, key, (r, s), VALID, **made)


def _meetings(key: Key, bit: int) -> Iterator[Claim]:
    """With a table of multiples, 2^bit G is one entry of it, and so one addition."""
    part, inverse = 1 << bit, pow(key.d, -1, N)
    for flag, text, s, t in (
        ("Doubling", f"s = 2^{bit}, t = s/d", part, part * inverse),
        ("Doubling", f"t = 2^{bit}, s = td", part * key.d, part),
        ("MeetingOnTheWay", f"s = 2^255 + 2^{bit}, t = 2^{bit}/d", TOP + part, part * inverse),
        ("MeetingOnTheWay", f"s = 2^255 + 2^{bit}, t = -2^{bit}/d", TOP + part, -part * inverse),
        ("MeetingOnTheWay", f"t = 2^255 + 2^{bit}, s = d 2^{bit}", part * key.d, TOP + part),
        ("MeetingOnTheWay", f"t = 2^255 + 2^{bit}, s = -d 2^{bit}", -part * key.d, TOP + part),
    ):
        yield over_e(flag, text, key, ((t - s) % N, s % N), VALID, d=key.d)
