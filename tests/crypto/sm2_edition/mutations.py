"""DER spoilt in every way: each mutation changes the bytes and nothing of what they mean to say."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sm2_edition import der

FLAGS = {
    "BerLength": "a length that BER allows and DER does not: longer than it need be",
    "Indefinite": "the indefinite length of BER, ended or not",
    "WrongLength": "a length that does not fit its content, up to 2^64 - 1",
    "ExtraByte": "an integer with a byte more in front, 00 or ff",
    "MissingZero": "a number whose leading 00 is missing and which so reads as negative",
    "HugeInteger": "an integer with a multiple of a power of two above 2^256 added",
    "WrongType": "another tag, or another type in the place of a value",
    "Trailing": "bytes before, after or at the end inside of the sequence",
    "Nested": "a value wrapped once more",
    "WrongParts": "values missing, empty, doubled or in another order",
    "Cut": "cut off, at every byte",
    "FlippedBit": "one bit of a byte flipped, in every byte",
}

TAGS = (0x00, 0x01, 0x03, 0x05, 0x06, 0x09, 0x0A, 0x0C, 0x10, 0x13, 0x16, 0x18, 0x22, 0x24, 0x31)
TAGS += (0x42, 0x82, 0xA0, 0xA2, 0xC2, 0xFF)


class Part(NamedTuple):
    """A value inside of the sequence."""

    name: str
    tag: int
    content: bytes

    @property
    def encoded(self) -> bytes:
        return der.value(self.tag, self.content)


class Spoilt(NamedTuple):
    flag: str
    comment: str
    data: bytes


class Place(NamedTuple):
    """A value of the whole, with what puts other bytes where it stands."""

    part: Part
    put: Callable[[bytes], bytes]


def spoilt(parts: Sequence[Part]) -> Iterator[Spoilt]:
    """All mutations but the cuts and the flipped bits."""
    for place in _places(parts):
        yield from _lengths(place)
        yield from _types(place)
        if place.part.tag == der.INTEGER:
            yield from _integers(place)
    yield from _around(parts)
    yield from _parts(parts)


def cut(data: bytes) -> Iterator[Spoilt]:
    for size in range(len(data)):
        yield Spoilt("Cut", f"the first {size} bytes of {len(data)}", data[:size])


def flipped(data: bytes) -> Iterator[Spoilt]:
    for at in range(len(data)):
        bit = at * 5 % 8
        bad = bytearray(data)
        bad[at] ^= 1 << bit
        yield Spoilt("FlippedBit", f"bit {bit} of byte {at}", bytes(bad))


def whole(parts: Sequence[Part]) -> bytes:
    return der.value(der.SEQUENCE, b"".join(part.encoded for part in parts))


def _places(parts: Sequence[Part]) -> Iterator[Place]:
    inside = [part.encoded for part in parts]
    yield Place(Part("the sequence", der.SEQUENCE, b"".join(inside)), lambda data: data)
    for at, part in enumerate(parts):
        before, after = b"".join(inside[:at]), b"".join(inside[at + 1 :])

        def put(data: bytes, before: bytes = before, after: bytes = after) -> bytes:
            return der.value(der.SEQUENCE, before + data + after)

        yield Place(part, put)


def _lengths(place: Place) -> Iterator[Spoilt]:
    (name, tag, content), put = place
    first, size = bytes([tag]), len(content)
    for count in (1, 2, 3, 4, 8):
        length = bytes([0x80 | count]) + size.to_bytes(count, "big")
        if length != der.length(size):
            comment = f"{name}: length in {count} bytes after the first"
            yield Spoilt("BerLength", comment, put(first + length + content))
    for text, length, end in (
        ("ended", b"\x80", b"\x00\x00"),
        ("not ended", b"\x80", b""),
        ("ended, length short", der.length(size + 2), b"\x00\x00"),
    ):
        yield Spoilt("Indefinite", f"{name}: {text}", put(first + length + content + end))
    for wrong in (size + 1, size - 1, 0, size + 256, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1):
        data = put(first + der.length(wrong) + content)
        yield Spoilt("WrongLength", f"{name}: {wrong} for {size}", data)
    for text, length in (("a length of ff", b"\xff"), ("no length", b"")):
        yield Spoilt("WrongLength", f"{name}: {text}", put(first + length + content))


def _types(place: Place) -> Iterator[Spoilt]:
    (name, tag, content), put = place
    for other in (*TAGS, der.INTEGER, der.OCTET_STRING, der.SEQUENCE):
        if other != tag:
            data = put(der.value(other, content))
            yield Spoilt("WrongType", f"{name}: tag {other:02x}", data)
    long_form = bytes([tag | 0x1F, tag & 0x1F]) + der.length(len(content)) + content
    yield Spoilt("WrongType", f"{name}: its tag in the long form", put(long_form))
    for text, value in (
        ("null", b"\x05\x00"),
        ("true", b"\x01\x01\xff"),
        ("a real 0", b"\x09\x00"),
        ("a real", b"\x09\x03\x80\x00\x01"),
        ("an empty sequence", b"\x30\x00"),
        ("a string of digits", b"\x0c\x011"),
    ):
        yield Spoilt("WrongType", f"{name}: {text} in its place", put(value))


def _integers(place: Place) -> Iterator[Spoilt]:
    (name, tag, content), put = place
    for text, more in (("00", b"\x00"), ("00 00 00 00", bytes(4)), ("ff", b"\xff")):
        data = put(der.value(tag, more + content))
        yield Spoilt("ExtraByte", f"{name}: {text} in front", data)
    if content[0] == 0 and len(content) > 1:
        yield Spoilt("MissingZero", f"{name}: without its 00", put(der.value(tag, content[1:])))
    number = int.from_bytes(content, "big")
    for bits in (256, 264, 320, 512, 1024, 4096):
        data = put(der.integer(number + (1 << bits)))
        yield Spoilt("HugeInteger", f"{name}: + 2^{bits}", data)


def _around(parts: Sequence[Part]) -> Iterator[Spoilt]:
    good, content = whole(parts), b"".join(part.encoded for part in parts)
    for text, more in (
        ("00", b"\x00"),
        ("00 00", b"\x00\x00"),
        ("a null", b"\x05\x00"),
        ("an integer", b"\x02\x01\x01"),
        ("itself", good),
    ):
        yield Spoilt("Trailing", f"{text} after the sequence", good + more)
        yield Spoilt("Trailing", f"{text} before the sequence", more + good)
        inside = der.value(der.SEQUENCE, content + more)
        yield Spoilt("Trailing", f"{text} at the end of the sequence", inside)
    for tag, name in ((0x30, "a sequence"), (0x31, "a set"), (0x04, "an octet string")):
        yield Spoilt("Nested", f"the sequence in {name}", der.value(tag, good))
    yield Spoilt("Nested", "the sequence in a bit string", der.value(3, b"\x00" + good))
    yield Spoilt("Nested", "the sequence under tag [0]", der.value(0xA0, good))
    for place in _places(parts):
        part, put = place
        if part.tag != der.SEQUENCE:
            for tag, name in ((0x30, "a sequence"), (0x22, "a constructed integer"), (0xA0, "[0]")):
                data = put(der.value(tag, part.encoded))
                yield Spoilt("Nested", f"{part.name} in {name}", data)


def _parts(parts: Sequence[Part]) -> Iterator[Spoilt]:
    flag = "WrongParts"
    yield Spoilt(flag, "an empty sequence", whole([]))
    yield Spoilt(flag, "the values without a sequence", whole(parts)[2:])
    for at, part in enumerate(parts):
        rest = [*parts[:at], *parts[at + 1 :]]
        yield Spoilt(flag, f"without {part.name}", whole(rest))
        yield Spoilt(flag, f"{part.name} twice", whole([*parts[: at + 1], *parts[at:]]))
        empty = Part(part.name, part.tag, b"")
        yield Spoilt(flag, f"{part.name} empty", whole([*parts[:at], empty, *parts[at + 1 :]]))
    yield Spoilt(flag, "in the other order", whole(parts[::-1]))
