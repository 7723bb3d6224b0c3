"""e at the edges, and e, r and s made the wrong way."""

from collections.abc import Iterator
from dataclasses import replace

from sm2_textbook import (
    CURVE,
    DEFAULT_SIGNER_ID,
    G,
    N,
    P,
    Point,
    digest_e,
    digest_z,
    encode,
    multiply,
    number,
    sign,
    sm3,
)

from sm2_edition.cases import INVALID, VALID
from sm2_edition.claims import Claim, Draws, Key
from sm2_edition.points import key_for
from sm2_edition.special_points import points_with_x_from

FLAGS = {
    "SpecialE": "e is at an edge, 0, n or 2^256 - 1 among them",
    "SpecialEOff": "the signature of another e, one off or cut",
    "SumWraps": "e + x wraps at n, at 2n or at 2^256, or just does not",
    "WrongE": "what was signed is not SM3(Z, message) but something that careless code signs",
    "OtherScheme": "r and s come from another scheme or a formula gone wrong",
}

SPECIAL_E = {
    "0": 0,
    "1": 1,
    "n - 1": N - 1,
    "n": N,
    "n + 1": N + 1,
    "p - 1": P - 1,
    "p": P,
    "2^255": 1 << 255,
    "2^256 - 1": 2**256 - 1,
    "2^256 - 2^32": 2**256 - 2**32,
    "ff": 0xFF,
    "2^128": 1 << 128,
}


def claims() -> Iterator[Claim]:
    yield from _special_e()
    yield from _wraps()
    yield from _wrong_e()


def over_given_e(flag: str, comment: str, key: Key, k: int, e: int) -> Claim:
    r, s = sign(key.d, e, k)
    made = {"d": key.d, "k": k}
    return Claim(flag, comment, made, key.public, r, s, VALID, e=number(e))


def _special_e() -> Iterator[Claim]:
    draws = Draws("special e")
    key = Key.of(draws.scalar())
    for text, e in SPECIAL_E.items():
        good = over_given_e("SpecialE", f"e = {text}", key, draws.scalar(), e)
        yield good
        off = number((e + 1) % 2**256)
        comment = f"e = {text}, then + 1"
        yield replace(good, flag="SpecialEOff", comment=comment, result=INVALID, e=off)
    high = draws.scalar() | 1 << 255
    good = over_given_e("SpecialE", "e of 256 bits", key, draws.scalar(), high)
    yield good
    for text, e in (
        ("its high bit cleared", high - (1 << 255)),
        ("its bytes turned round", int.from_bytes(number(high), "little")),
        ("shifted by a bit", high >> 1),
    ):
        yield replace(good, flag="SpecialEOff", comment=text, result=INVALID, e=number(e))
    for e in (0, 1, 2**256 - N - 1):
        # The standard takes e as a number modulo n, so e + n is the same e.
        good = over_given_e("SpecialE", "", key, draws.scalar(), e)
        yield replace(good, comment=f"signed as {e:x}, shown as e + n", e=number(e + N))


def _wraps() -> Iterator[Claim]:
    """x of a sum and an e that lie where the sum of both turns."""
    draws = Draws("wraps")
    key = Key.of(draws.scalar())
    for text, turn in (("n", N), ("2^256", 2**256)):
        for off in (-2, -1, 1, 2):
            k = draws.scalar()
            e = turn + off - _times_g(k)[0]
            yield over_given_e("SumWraps", f"e + x = {text} {off:+d}", key, k, e)
    # Only an x next to p has an e for 2n.
    for off, target in zip((-2, -1, 1, 2), points_with_x_from(P - 1, 4, step=-1), strict=True):
        s, r = draws.scalar(), off % N
        public = key_for(target, s, (r + s) % N)
        made = {"x": target[0], "s": s}
        data, e = b"\x04" + encode(public), number(2 * N + off - target[0])
        yield Claim("SumWraps", f"e + x = 2n {off:+d}", made, data, r, s, VALID, e=e)


def _times_g(k: int) -> Point:
    point = multiply(k, G)
    assert point is not None
    return point


def _wrong_e() -> Iterator[Claim]:
    draws = Draws("wrong e")
    key = Key.of(draws.scalar())
    message, signer_id = b"what was signed", DEFAULT_SIGNER_ID
    z = digest_z(key.public, signer_id)
    curve_less = sm3(b"\x00\x80" + signer_id + key.public[1:])
    entl_in_bytes = sm3(b"\x00\x10" + signer_id + CURVE + key.public[1:])
    without_id = digest_z(key.public, b"")
    for text, e in (
        ("SM3 of the message, without Z", sm3(message)),
        ("the message hashed twice", sm3(z + sm3(message))),
        ("the message before Z", sm3(message + z)),
        ("Z without the curve", sm3(curve_less + message)),
        ("ENTL counts bytes", sm3(entl_in_bytes + message)),
        ("Z without ENTL", sm3(sm3(signer_id + CURVE + key.public[1:]) + message)),
        ("Z with 04 before the key", sm3(_z_with_04(key, signer_id) + message)),
        ("Z of the empty id", sm3(without_id + message)),
        ("Z in hexadecimal", sm3(z.hex().encode() + message)),
        ("Z alone", z),
        ("e hashed again", sm3(digest_e(key.public, message))),
        ("e with its bytes turned round", digest_e(key.public, message)[::-1]),
    ):
        k = draws.scalar()
        r, s = sign(key.d, int.from_bytes(e, "big"), k)
        made = {"d": key.d, "k": k}
        yield Claim("WrongE", text, made, key.public, r, s, INVALID, message, signer_id)
    yield from _other_schemes(key, draws, message)


def _z_with_04(key: Key, signer_id: bytes) -> bytes:
    return sm3(b"\x00\x80" + signer_id + CURVE + key.public)


def _other_schemes(key: Key, draws: Draws, message: bytes) -> Iterator[Claim]:
    e = int.from_bytes(digest_e(key.public, message), "big")
    d, k = key.d, draws.scalar()
    r, s = sign(d, e, k)
    x = _times_g(k)[0]
    for text, halves in (
        ("ECDSA over e", (x % N, (e + x * d) * pow(k, -1, N) % N)),
        ("(r, n - s), which ECDSA takes", (r, N - s)),
        ("(n - r, s)", (N - r, s)),
        ("s and r exchanged", (s, r)),
        ("r = x, e left out", sign(d, 0, k)),
        ("s = k - rd, not divided by 1 + d", (r, (k - r * d) % N)),
        ("s with + rd", (r, (k + r * d) * pow(1 + d, -1, N) % N)),
        ("r = e - x", ((e - x) % N, (k - (e - x) * d) * pow(1 + d, -1, N) % N)),
        ("r = e + y", (_with_y(e, k), (k - _with_y(e, k) * d) * pow(1 + d, -1, N) % N)),
        ("r with its bytes turned round", (int.from_bytes(number(r), "little") % N, s)),
    ):
        made = {"d": d, "k": k}
        r, s = halves
        signer_id = DEFAULT_SIGNER_ID
        yield Claim("OtherScheme", text, made, key.public, r, s, INVALID, message, signer_id)


def _with_y(e: int, k: int) -> int:
    return (e + _times_g(k)[1]) % N
