"""Ciphertexts: good ones, and bad ones in which all fits but the one thing that is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sm2_textbook import G, N, P, Point, add, conceal, encode, kdf, multiply, number, sm3

from sm2_edition import der, mutations
from sm2_edition.cases import INVALID, VALID, CiphertextCase, Numbers
from sm2_edition.claims import Draws, Key
from sm2_edition.mutations import Part
from sm2_edition.special_points import points_with_small_y, points_with_x_from
from sm2_edition.weak_points import off_the_curve

FLAGS = {
    "Plain": "plaintexts of any length, with ordinary keys",
    "EdgeCaseKey": "the private key is at an end of its range",
    "ShortCoordinate": "x or y of C1 has leading zeros, so that the DER is shorter",
    "OffCurve": "C1 is not on the curve, often of small order on another one; the rest fits",
    "CoordinateAboveField": "x or y of C1 is p or more; the rest fits modulo p",
    "C1Infinity": "C1 is infinity in some form; the rest fits a shared point of zeros",
    "C1Form": "C1 compressed, hybrid or without its first byte; the rest fits",
    "C1C2C3": "the order of the first edition of the standard",
    "WrongC3": "C3 flipped in a bit of every byte, cut, or the digest of something else",
    "WrongC2": "C2 flipped, longer or shorter, under the C3 of the right one",
    "EmptyC2": "C2 is empty; C3 fits the empty plaintext",
    "ZeroStream": "the key stream is all zeros, so that C2 is the plaintext; the rest fits",
    "WrongKey": "made for another key",
}


@dataclass(frozen=True)
class Letter:
    """A ciphertext in its parts, before anybody has written it down."""

    flag: str
    comment: str
    made: Numbers
    d: int
    c1: Point
    c3: bytes
    c2: bytes
    plaintext: bytes | None = None

    @property
    def raw(self) -> bytes:
        return b"\x04" + encode(self.c1) + self.c3 + self.c2

    @property
    def parts(self) -> list[Part]:
        return [
            Part("x", der.INTEGER, der.digits(self.c1[0])),
            Part("y", der.INTEGER, der.digits(self.c1[1])),
            Part("C3", der.OCTET_STRING, self.c3),
            Part("C2", der.OCTET_STRING, self.c2),
        ]

    def cases(self) -> Iterator[CiphertextCase]:
        yield self.case("raw", self.raw, self.flag, self.comment)
        yield self.case("der", mutations.whole(self.parts), self.flag, self.comment)

    def case(self, form: str, data: bytes, flag: str, comment: str) -> CiphertextCase:
        plaintext = self.plaintext if flag == self.flag else None
        result = INVALID if plaintext is None else VALID
        return CiphertextCase(
            flag, comment, self.made, number(self.d), form, data, result, plaintext
        )


def cases() -> Iterator[CiphertextCase]:
    for letter in (*_good(), *_bad()):
        yield from letter.cases()
    base = _base()
    yield from _forms(base)
    good = mutations.whole(base.parts)
    for one in (*mutations.spoilt(base.parts), *mutations.cut(good)):
        yield base.case("der", one.data, one.flag, one.comment)
    long = _other(base, 150)
    for one in mutations.spoilt(long.parts):
        if one.flag in {"BerLength", "Indefinite", "WrongLength"}:
            yield long.case("der", one.data, one.flag, f"{one.comment}, C2 of 150 bytes")
    for one in mutations.cut(base.raw):
        yield base.case("raw", one.data, one.flag, one.comment)


def times(k: int, point: Point) -> Point:
    product = multiply(k, point)
    assert product is not None
    return product


def written(flag: str, comment: str, key: Key, k: int, plaintext: bytes) -> Letter:
    """Encrypted as the standard has it."""
    parts = conceal(times(k, G), times(k, key.point), plaintext)
    return Letter(flag, comment, {"d": key.d, "k": k}, key.d, *parts, plaintext)


def _base() -> Letter:
    draws = Draws("ciphertexts")
    return written("Plain", "", Key.of(draws.scalar()), draws.scalar(), b"a key of sixteen")


def _good() -> Iterator[Letter]:
    draws = Draws("good ciphertexts")
    for size in (2, 16, 31, 32, 33, 64, 95, 127, 128, 255, 256, 300):
        key = Key.of(draws.scalar())
        yield written("Plain", f"{size} bytes", key, draws.scalar(), draws.data(size))
    for text, d in (("1", 1), ("2", 2), ("n - 3", N - 3), ("n - 2", N - 2), ("n / 2", N // 2)):
        yield written("EdgeCaseKey", f"d = {text}", Key.of(d), draws.scalar(), draws.data(20))
    for point in (*points_with_x_from(0, 3), *points_with_small_y(3)):
        d, plaintext = draws.scalar(), draws.data(20)
        parts = conceal(point, times(d, point), plaintext)
        comment, made = f"x = {point[0]:x}", {"d": d}
        yield Letter("ShortCoordinate", comment, made, d, *parts, plaintext)


def _bad() -> Iterator[Letter]:
    draws = Draws("bad ciphertexts")
    yield from _bad_points(draws)
    base = _base()
    yield from _changed(base, draws)
    yield from _zero_streams(draws)
    for _ in range(3):
        k, plaintext = draws.scalar(), draws.data(20)
        other = written("WrongKey", "", Key.of(draws.scalar()), k, plaintext)
        made = {"k": k, "d of the sender": other.d}
        d = draws.scalar()
        yield Letter("WrongKey", "random keys", made, d, other.c1, other.c3, other.c2)


def _bad_points(draws: Draws) -> Iterator[Letter]:
    """C2 and C3 as a receiver computes them who does not look at C1."""
    for comment, d, c1, shared in off_the_curve(draws):
        parts = conceal(c1, shared, b"a key of sixteen")
        yield Letter("OffCurve", comment, {"d": d, "x": c1[0], "y": c1[1]}, d, *parts)
    for point in points_with_x_from(0, 3):
        d = draws.scalar()
        _, c3, c2 = conceal(point, times(d, point), b"a key of sixteen")
        raised, comment = (point[0] + P, point[1]), f"x = p + {point[0]}"
        yield Letter("CoordinateAboveField", comment, {"d": d}, d, raised, c3, c2)
    for point in points_with_small_y(3):
        d = draws.scalar()
        _, c3, c2 = conceal(point, times(d, point), b"a key of sixteen")
        raised, comment = (point[0], point[1] + P), f"y = p + {point[1]}"
        yield Letter("CoordinateAboveField", comment, {"d": d}, d, raised, c3, c2)
    for shared in ((0, 0), (0, 1), (1, 1)):
        parts = conceal((0, 0), shared, b"a key of sixteen")
        comment = f"zeros, for a shared point {shared}"
        d = draws.scalar()
        yield Letter("C1Infinity", comment, {"d": d}, d, *parts)


def _changed(base: Letter, draws: Draws) -> Iterator[Letter]:
    secret = encode(times(base.d, base.c1))
    x, y, plaintext = secret[:32], secret[32:], b"a key of sixteen"

    def letter(flag: str, comment: str, c3: bytes, c2: bytes) -> Letter:
        return Letter(flag, comment, base.made, base.d, base.c1, c3, c2)

    digests = [(one.comment, one.data) for one in mutations.flipped(base.c3)]
    digests += [
        ("zeros", bytes(32)),
        ("SM3 of the plaintext alone", sm3(plaintext)),
        ("SM3 of x2 and the plaintext", sm3(x + plaintext)),
        ("SM3 of y2, the plaintext, x2", sm3(y + plaintext + x)),
        ("SM3 of x2, C2, y2", sm3(x + base.c2 + y)),
        ("bytes turned round", base.c3[::-1]),
    ]
    yield from (letter("WrongC3", comment, c3, base.c2) for comment, c3 in digests)
    texts = [(one.comment, one.data) for one in mutations.flipped(base.c2)]
    texts += [
        ("a byte more", base.c2 + b"\x00"),
        ("the last byte doubled", base.c2 + base.c2[-1:]),
        ("another", draws.data(16)),
        ("the plaintext itself", plaintext),
        ("zeros", bytes(16)),
    ]
    yield from (letter("WrongC2", comment, base.c3, c2) for comment, c2 in texts)
    for _ in range(3):
        d, k = draws.scalar(), draws.scalar()
        parts = conceal(times(k, G), times(k * d % N, G), b"")
        made = {"d": d, "k": k}
        yield Letter("EmptyC2", "C3 = SM3(x2, y2)", made, d, *parts)


def _zero_streams(draws: Draws) -> Iterator[Letter]:
    """Of a single byte, so that one k in 256 has it."""
    for _ in range(6):
        key = Key.of(draws.scalar())
        k, c1, shared = _zero_stream(key, draws.scalar())
        plaintext = draws.data(1)
        parts = conceal(c1, shared, plaintext)
        if parts[2] != plaintext:
            raise ValueError("a stream of zeros changes nothing")
        yield Letter("ZeroStream", "one byte", {"d": key.d, "k": k}, key.d, *parts)


def _zero_stream(key: Key, k: int) -> tuple[int, Point, Point]:
    """The first k from here on whose key stream is zeros."""
    c1: Point | None = times(k, G)
    shared: Point | None = times(k, key.point)
    while True:
        assert c1 is not None
        assert shared is not None
        if not any(kdf(encode(shared), 1)):
            return k, c1, shared
        k, c1, shared = k + 1, add(c1, G), add(shared, key.point)


def _forms(base: Letter) -> Iterator[CiphertextCase]:
    """What else the bytes of a raw ciphertext have been taken for."""
    for letter in (base, *(_other(base, size) for size in (1, 32, 64))):
        c1, c3, c2 = encode(letter.c1), letter.c3, letter.c2
        even = letter.c1[1] % 2
        yield letter.case("raw", b"\x04" + c1 + c2 + c3, "C1C2C3", f"C2 of {len(c2)} bytes")
        swapped = [*letter.parts[:2], letter.parts[3], letter.parts[2]]
        comment = f"C2 of {len(c2)} bytes before C3"
        if len(c2) != 32:
            yield letter.case("der", mutations.whole(swapped), "C1C2C3", comment)
        yield from _first_bytes(letter, c1, c3 + c2, even)
    infinities: Sequence[tuple[str, bytes]] = [
        ("00 for C1", b"\x00"),
        ("65 zeros for C1", bytes(65)),
        ("06 and zeros for C1", b"\x06" + bytes(64)),
    ]
    parts = conceal((0, 0), (0, 0), b"a key of sixteen")
    for comment, c1 in infinities:
        yield base.case("raw", c1 + parts[1] + parts[2], "C1Infinity", comment)


def _other(base: Letter, size: int) -> Letter:
    draws = Draws(f"other forms {size}")
    return written("Plain", "", Key.of(base.d), draws.scalar(), draws.data(size))


def _first_bytes(letter: Letter, c1: bytes, rest: bytes, odd: int) -> Iterator[CiphertextCase]:
    for comment, start in (
        ("hybrid, the parity fits", bytes([6 + odd]) + c1),
        ("hybrid, against the parity", bytes([7 - odd]) + c1),
        ("compressed", bytes([2 + odd]) + c1[:32]),
        ("compressed, the other root", bytes([3 - odd]) + c1[:32]),
        ("without 04", c1),
        ("05", b"\x05" + c1),
        ("00 before 04", b"\x00\x04" + c1),
    ):
        yield letter.case("raw", start + rest, "C1Form", comment)
