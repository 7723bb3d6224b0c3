"""Points that are not on the curve, many of small order on another one.

The formulas of addition never look at b: with a point of another curve they compute on that curve.
An answer about a point of order 3 tells d modulo 3, and answers about many tell d.
"""

from collections.abc import Iterator
from itertools import count

from sm2_textbook import G, P, Point, is_on_curve, multiply

from sm2_edition.claims import Draws

WeakCase = tuple[str, int, Point, Point]


def off_the_curve(draws: Draws) -> Iterator[WeakCase]:
    """A comment, d, C1 and the point that d C1 comes to by the formulas."""
    x, y = G
    # Formulas that look at b compute something else, but d = 1 leaves nothing to compute.
    for point in ((x, y + 1), (x + 1, y), (y, x), (1, 1), (1, P - 1), (P - 1, P - 1)):
        yield f"d = 1, x = {point[0]:x}", 1, point, point
    for comment, point in (
        ("y + 1", (x, y + 1)),
        ("2y", (x, 2 * y % P)),
        ("x + 1", (x + 1, y)),
        ("x and y exchanged", (y, x)),
        ("(1, 1)", (1, 1)),
        ("(0, 1)", (0, 1)),
        ("p - 1 twice", (P - 1, P - 1)),
        *(("order 2", (x, 0)) for x in (1, 2, 5)),
        *(("order 3", point) for point in _points_of_order_3(3)),
    ):
        d = draws.scalar() | 1
        while (shared := multiply(d, point)) is None:
            d = draws.scalar() | 1
        if is_on_curve(point):
            raise ValueError("the point is on the curve")
        yield comment, d, point, shared


def _points_of_order_3(many: int) -> Iterator[Point]:
    """Where the tangent meets the curve nowhere else: 12bx = a^2 - 6ax^2 - 3x^4, for a = -3."""
    for x in count(1):
        if many == 0:
            return
        b = (9 + 18 * x**2 - 3 * x**4) * pow(12 * x, -1, P) % P
        square = (x**3 - 3 * x + b) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square and y:
            many -= 1
            yield x, y
