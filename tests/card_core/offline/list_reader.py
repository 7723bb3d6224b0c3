"""A second reader of status lists, written from docs/offline.md alone, slow and plain."""

from collections.abc import Iterator


def read_body(size: int, body: bytes, *, states: tuple[int, ...] = (1, 2, 3)) -> dict[int, int]:
    """State by position. For changes, states begin with 0. Raises ValueError."""
    counts = [int.from_bytes(body[4 * at : 4 * at + 4]) for at in range(len(states))]
    rest = body[4 * len(states) :]
    found: dict[int, int] = {}
    for state, count in zip(states, counts, strict=True):
        positions, used = _read_set(size, count, rest)
        if found.keys() & positions:
            raise ValueError("a position twice")
        found |= dict.fromkeys(positions, state)
        rest = rest[used:]
    if rest:
        raise ValueError("something left")
    return found


def _read_set(size: int, count: int, data: bytes) -> tuple[list[int], int]:
    if count == 0:
        return [], 0
    m = max(1, size * 45426 // (65536 * count))
    b = (m - 1).bit_length()
    u = 2**b - m
    bits = _Bits(data)
    positions: list[int] = []
    least = 0
    for _ in range(count):
        q = 0
        while bits.take(1):
            q += 1
        r = bits.take(b - 1) if b else 0
        if b and r >= u:
            r = 2 * r + bits.take(1) - u
        positions.append(least + q * m + r)
        least = positions[-1] + 1
    if positions[-1] >= size:
        raise ValueError("beyond the list")
    return positions, bits.bytes_used()


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._bits: Iterator[int] = (byte >> at & 1 for byte in data for at in range(7, -1, -1))
        self._used = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = 2 * value + next(self._bits)
            self._used += 1
        return value

    def bytes_used(self) -> int:
        while self._used % 8:
            if self.take(1):
                raise ValueError("padding")
        return self._used // 8
