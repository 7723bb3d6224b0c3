"""Sums and public keys at the edges of the field, and public keys that are none.

A key whose private key nobody knows signs too: P = (R - sG)/t for any R, and e = r - x(R).
"""

from collections.abc import Iterator

from sm2_textbook import B, G, N, P, Point, add, encode, lift_x, multiply, negate, number

from sm2_edition.cases import INVALID, INVALID_KEY, VALID
from sm2_edition.claims import Claim, Draws, Key, Shown, over_e
from sm2_edition.special_points import NON_RESIDUES, points_with_small_y, points_with_x_from

FLAGS = {
    "XAboveOrder": "x of the sum lies between n and p, so that r - e is x - n",
    "XBeyond": "r - e is right for x only if n may be added past p or past 2^256",
    "SpecialX": "x of the sum is at an edge of the field",
    "EdgeCaseKey": "the public key has a coordinate or a private key at an edge",
    "CompressedKey": "the public key is 02 or 03 and x",
    "KeyInfinity": "the public key is infinity in some form; the rest fits",
    "KeyOffCurve": "the public key is not on the curve; the rest fits",
    "KeyCoordinateAboveField": "x or y of the public key is p or more; the rest fits modulo p",
    "KeyHybrid": "the public key has the hybrid form 06 or 07, which is refused; the rest fits",
    "KeyNoSquareRoot": "the x of a compressed public key belongs to no point of the curve",
    "KeyLength": "the public key has another length or another first byte",
}


def claims() -> Iterator[Claim]:
    yield from _sums()
    yield from _edge_keys()
    yield from _bad_keys()


def key_for(target: Point, s: int, t: int) -> Point:
    """The public key for which sG + tP is this point."""
    remainder = add(target, negate(_times(s, G)))
    assert remainder is not None
    return _times(pow(t, -1, N), remainder)


def _times(k: int, point: Point) -> Point:
    product = multiply(k, point)
    assert product is not None
    return product


def _sum_claim(
    flag: str, comment: str, target: Point, draws: Draws, *, shift: int = 0, result: str = VALID
) -> Claim:
    """A signature whose sum is the target; `shift` is added to r - e."""
    s, t = draws.scalar(), draws.scalar()
    public = key_for(target, s, t)
    r = (t - s) % N
    e = number((r - target[0] - shift) % N)
    made = {"x": target[0], "s": s, "t": t}
    return Claim(flag, comment, made, b"\x04" + encode(public), r, s, result, e=e)


def _sums() -> Iterator[Claim]:
    draws = Draws("sums of points")
    for target in points_with_x_from(N, 8):
        comment = f"x = n + {target[0] - N}"
        yield _sum_claim("XAboveOrder", comment, target, draws)
    for target in points_with_x_from(P - 1, 2, step=-1):
        comment = f"x = p - {P - target[0]}"
        yield _sum_claim("XAboveOrder", comment, target, draws)
    for target in points_with_x_from(0, 5):
        # The number x + p - n is below n; n added to it is x + p.
        comment = f"x = {target[0]}, r - e = x + p - n"
        yield _sum_claim("XBeyond", comment, target, draws, shift=P - N, result=INVALID)
        yield _sum_claim("SpecialX", f"x = {target[0]}", target, draws)
    for _ in range(4):
        target = _times(draws.scalar(), G)
        comment = "r - e = x + 2^256 - n"
        yield _sum_claim("XBeyond", comment, target, draws, shift=2**256 - N, result=INVALID)
    for text, start in (("n - 1", N - 1), ("2^255", 1 << 255), ("2^224", 1 << 224)):
        target = next(points_with_x_from(start, 1, step=-1))
        yield _sum_claim("SpecialX", f"x = {text} or just below", target, draws)


def _edge_keys() -> Iterator[Claim]:
    draws = Draws("edge keys")
    edges: list[tuple[str, Point]] = [
        (f"d = {text}", _times(d, G))
        for text, d in (("1", 1), ("2", 2), ("3", 3), ("n - 2", N - 2), ("n / 2", N // 2))
    ]
    edges.append(("-G, whose d = n - 1 is no private key", negate(G)))
    edges += [(f"x = {point[0]}", point) for point in points_with_x_from(0, 3)]
    edges += [(f"x = p - {P - point[0]}", point) for point in points_with_x_from(P - 1, 3, step=-1)]
    edges += [(f"x = n + {point[0] - N}", point) for point in points_with_x_from(N, 2)]
    edges += [(f"y = {point[1]}", point) for point in points_with_small_y(3)]
    edges += [(f"y = p - {point[1]}", negate(point)) for point in points_with_small_y(2)]
    edges += [("x of 31 bytes", next(points_with_x_from(draws.below(1 << 247), 1)))]
    for text, public in edges:
        halves = draws.scalar(), draws.scalar()
        long, short = Shown(b"\x04" + encode(public), public), Shown(compressed(public), public)
        yield over_e("EdgeCaseKey", text, long, halves, VALID)
        yield over_e("CompressedKey", text, short, halves[::-1], VALID)


def compressed(point: Point) -> bytes:
    return bytes([2 + point[1] % 2]) + number(point[0])


def _bad_keys() -> Iterator[Claim]:
    draws = Draws("bad keys")
    for text, data in (
        ("00", b"\x00"),
        ("65 zeros", bytes(65)),
        ("33 zeros", bytes(33)),
        ("04 and zeros", b"\x04" + bytes(64)),
        ("06 and zeros", b"\x06" + bytes(64)),
        ("empty", b""),
    ):
        yield _bad("KeyInfinity", text, data, None, draws)
    good = Key.of(draws.scalar())
    x, y = good.point
    for text, point in (
        ("y + 1", (x, y + 1)),
        ("y - 1", (x, y - 1)),
        ("x + 1", (x + 1, y)),
        ("x and y exchanged", (y, x)),
        ("2y", (x, 2 * y % P)),
        ("(1, 1)", (1, 1)),
        ("p - 1 twice", (P - 1, P - 1)),
        ("the base point of NIST P-256", P256_BASE),
        ("on the twist", _on_twist()),
    ):
        yield _bad("KeyOffCurve", text, b"\x04" + encode(point), point, draws)
    yield from _above_field(draws)
    yield from _other_forms(good, draws)


def _above_field(draws: Draws) -> Iterator[Claim]:
    flag = "KeyCoordinateAboveField"
    for point in points_with_x_from(0, 3):
        raised = b"\x04" + encode((point[0] + P, point[1]))
        yield _bad(flag, f"x = p + {point[0]}", raised, point, draws)
    for point in points_with_small_y(3):
        raised = b"\x04" + encode((point[0], point[1] + P))
        yield _bad(flag, f"y = p + {point[1]}", raised, point, draws)
    for point in points_with_x_from(1, 2):
        data = compressed(point)[:1] + number(point[0] + P)
        yield _bad(flag, f"compressed, x = p + {point[0]}", data, point, draws)


def _other_forms(good: Key, draws: Draws) -> Iterator[Claim]:
    other = Key.of(draws.scalar())
    for key in (good, other, Key.of(1)):
        for first in (6, 7):
            fits = "and the parity fits" if key.point[1] % 2 == first - 6 else "against the parity"
            data = bytes([first]) + encode(key.point)
            yield _bad("KeyHybrid", f"{first:02d}, {fits}", data, key.point, draws)
    for x in NON_RESIDUES:
        # What a root is taken for without a look at its square.
        point = x, pow(x**3 - 3 * x + B, (P + 1) // 4, P)
        data = bytes([2 + point[1] % 2]) + number(x)
        yield _bad("KeyNoSquareRoot", f"x = {x}", data, point, draws)
    public = good.public
    for text, data in (
        ("a byte short", public[:-1]),
        ("a byte long", public + b"\x00"),
        ("without 04", public[1:]),
        ("04 and x alone", public[:33]),
        ("02 and both coordinates", b"\x02" + public[1:]),
        ("05", b"\x05" + public[1:]),
        ("04 twice", b"\x04" + public),
        ("00 before 04", b"\x00" + public),
        ("compressed, a byte long", compressed(good.point) + b"\x00"),
        ("compressed, a byte short", compressed(good.point)[:-1]),
    ):
        yield _bad("KeyLength", text, data, good.point, draws)


def _bad(flag: str, text: str, data: bytes, point: Point | None, draws: Draws) -> Claim:
    # G added once, so that no table of its multiples changes what comes out on another curve.
    halves = draws.scalar(), 1 if flag in {"KeyOffCurve", "KeyNoSquareRoot"} else draws.scalar()
    made = {} if point is None else {"x": point[0], "y": point[1]}
    return over_e(flag, text, Shown(data, point), halves, INVALID_KEY, **made)


def _on_twist() -> Point:
    """A pair that solves the equation of the quadratic twist y^2 = -(x^3 - 3x + b)."""
    x = NON_RESIDUES[0]
    assert lift_x(x) is None
    return x, pow(-(x**3 - 3 * x + B), (P + 1) // 4, P)


P256_BASE = (
    0x6B17D1F2_E12C4247_F8BCE6E5_63A440F2_77037D81_2DEB33A0_F4A13945_D898C296,
    0x4FE342E2_FE1A7F9B_8EE7EB4A_7C0F9E16_2BCE3357_6B315ECE_CBB64068_37BF51F5,
)
