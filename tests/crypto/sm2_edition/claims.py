"""What families of signature cases draw from: keys, seeded numbers, and the claim itself.

A claim is a signature in numbers, before anybody has written it down: the same claim becomes a
case in DER and, where both numbers are of 256 bits, a raw one.
"""

import random
from dataclasses import dataclass
from typing import ClassVar

from sm2_textbook import (
    DEFAULT_SIGNER_ID,
    G,
    N,
    Point,
    add,
    digest_e,
    encode,
    is_on_curve,
    multiply,
    number,
    sign,
    sum_of_multiples,
)

from sm2_edition import der
from sm2_edition.cases import INVALID, Numbers, SignatureCase

SEED = 20_260_301


class Draws:
    """Numbers of a family's own, always the same, whatever other families draw."""

    def __init__(self, family: str) -> None:
        self._source = random.Random(f"{SEED} {family}")

    def scalar(self) -> int:
        """From 1 to n-2, so that it may be a private key."""
        return self._source.randint(1, N - 2)

    def below(self, limit: int) -> int:
        return self._source.randrange(1, limit)

    def once(self, times: int) -> bool:
        """True once in so many times."""
        return self._source.randrange(times) == 0

    def data(self, size: int) -> bytes:
        return self._source.randbytes(size)


@dataclass(frozen=True)
class Key:
    """A private key that makes cases, with its point."""

    d: int
    point: Point

    @classmethod
    def of(cls, d: int) -> "Key":
        point = multiply(d, G)
        assert point is not None
        return cls(d, point)

    @property
    def public(self) -> bytes:
        return b"\x04" + encode(self.point)


@dataclass(frozen=True)
class Shown:
    """The bytes that a public key is shown as, and the point, or none, that they are taken for."""

    public: bytes
    point: Point | None


@dataclass(frozen=True)
class Claim:
    """A signature in numbers, over a message or over e itself."""

    RAW_LIMIT: ClassVar[int] = 1 << 256

    flag: str
    comment: str
    made: Numbers
    public_key: bytes
    r: int
    s: int
    result: str
    message: bytes | None = None
    signer_id: bytes | None = None
    e: bytes | None = None

    def in_der(self) -> SignatureCase:
        return self.written(der.signature(self.r, self.s))

    def in_raw(self) -> SignatureCase | None:
        """Nothing for numbers that don't fit."""
        if min(self.r, self.s) < 0 or max(self.r, self.s) >= self.RAW_LIMIT:
            return None
        return self.written(number(self.r) + number(self.s))

    def written(self, signature: bytes) -> SignatureCase:
        return self.spoilt(signature, self.flag, self.comment, self.result)

    def spoilt(
        self, signature: bytes, flag: str, comment: str, result: str = INVALID
    ) -> SignatureCase:
        """The same claim with other bytes for a signature, and what there is to say of them."""
        return SignatureCase(
            flag=flag,
            comment=comment,
            made=self.made,
            public_key=self.public_key,
            signature=signature,
            result=result,
            message=self.message,
            signer_id=self.signer_id,
            e=self.e,
        )


def fitting_e(public: Point | None, r: int, s: int) -> int:
    """The e under which r and s are right, if they are only looked at modulo n.

    None is a key at infinity. A sum at infinity counts as x = 0, as careless code has it. Of
    points on two curves the sum depends on the order of additions: here each multiple comes first.
    """
    s, t = s % N, (r + s) % N
    if public is None:
        point = multiply(s, G)
    elif is_on_curve(public):
        point = sum_of_multiples(s, G, t, public)
    else:
        point = add(multiply(s, G), multiply(t, public))
    return (r - (point[0] if point else 0)) % N


def over_e(
    flag: str, comment: str, key: Key | Shown, halves: tuple[int, int], result: str, **made: int
) -> Claim:
    """A claim over the e that fits its numbers. `made` is what it takes besides r and s."""
    r, s = halves
    e = number(fitting_e(key.point, r, s))
    made = {"r": r, "s": s, **made}
    return Claim(flag, comment, made, key.public, r, s, result, e=e)


def signed(
    flag: str,
    comment: str,
    key: Key,
    k: int,
    result: str,
    *,
    message: bytes,
    signer_id: bytes = DEFAULT_SIGNER_ID,
) -> Claim:
    """A claim over a message, signed as the standard has it."""
    e = int.from_bytes(digest_e(key.public, message, signer_id), "big")
    r, s = sign(key.d, e, k)
    made = {"d": key.d, "k": k}
    return Claim(flag, comment, made, key.public, r, s, result, message, signer_id)
