"""The DER of signatures and ciphertexts (GB/T 35276, 7.2 and 7.3), for the edition alone."""

from sm2_textbook import Point

INTEGER, OCTET_STRING, SEQUENCE = 0x02, 0x04, 0x30


def length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def value(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + length(len(content)) + content


def digits(number: int) -> bytes:
    """The content of an INTEGER: two's complement, as short as it can be."""
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return number.to_bytes(size, "big", signed=True)


def integer(number: int) -> bytes:
    return value(INTEGER, digits(number))


def signature(r: int, s: int) -> bytes:
    return value(SEQUENCE, integer(r) + integer(s))


def ciphertext(c1: Point, c3: bytes, c2: bytes) -> bytes:
    parts = (integer(c1[0]), integer(c1[1]), value(OCTET_STRING, c3), value(OCTET_STRING, c2))
    return value(SEQUENCE, b"".join(parts))


def read_signature(data: bytes) -> tuple[int, int] | None:
    """r and s, when the bytes are exactly what would be written for them."""
    parts = _parts(data)
    if parts is None or len(parts) != 2:
        return None
    r, s = (int.from_bytes(part, "big", signed=True) for part in parts)
    return (r, s) if signature(r, s) == data else None


def read_ciphertext(data: bytes) -> tuple[Point, bytes, bytes] | None:
    """C1, C3 and C2, when the bytes are exactly what would be written for them."""
    parts = _parts(data)
    if parts is None or len(parts) != 4:
        return None
    x, y = (int.from_bytes(part, "big", signed=True) for part in parts[:2])
    c3, c2 = parts[2:]
    if ciphertext((x, y), c3, c2) != data or min(x, y) < 0 or len(c3) != 32:
        return None
    return (x, y), c3, c2


def _parts(data: bytes) -> list[bytes] | None:
    """The contents inside a sequence, read without a care for tags: writing again tells."""
    outer = _split(data)
    if outer is None:
        return None
    parts, rest = [], outer[0]
    while rest:
        split = _split(rest)
        if split is None:
            return None
        parts.append(split[0])
        rest = split[1]
    return parts


def _split(data: bytes) -> tuple[bytes, bytes] | None:
    """The content of the first value, and what follows it."""
    if len(data) < 2:
        return None
    start, size = 2, data[1]
    if size >= 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if start + size > len(data):
        return None
    return data[start : start + size], data[start + size :]
