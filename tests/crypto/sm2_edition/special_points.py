"""Points of the curve with a coordinate at an edge of the field."""

from collections.abc import Iterator
from itertools import count, islice

from sm2_textbook import B, P, Point, is_on_curve, lift_x

NON_RESIDUES = tuple(islice((x for x in count(1) if lift_x(x) is None), 6))


def points_with_x_from(start: int, many: int, step: int = 1) -> Iterator[Point]:
    """The first points whose x is `start` or beyond, by steps."""
    found = (point for x in count(start, step) if (point := lift_x(x % P, x % 2)))
    return islice(found, many)


def points_with_small_y(many: int) -> Iterator[Point]:
    """The first points with y = 1, 2, 3 and so on.

    With x = w + 1/w the equation x^3 - 3x + c = 0, c = b - y^2, becomes W^2 + cW + 1 = 0 for
    W = w^3, and each number has one cube root, because p - 1 is no multiple of 3.
    """
    return islice((point for y in count(1) if (point := _with_y(y))), many)


def _with_y(y: int) -> Point | None:
    c = B - y * y
    square = (c * c - 4) % P
    root = pow(square, (P + 1) // 4, P)
    if root * root % P != square:
        return None
    cube = (root - c) * pow(2, -1, P) % P
    w = pow(cube, pow(3, -1, P - 1), P)
    point = (w + pow(w, -1, P)) % P, y
    return point if is_on_curve(point) else None
