"""The rounds of test_differential.py: random keys, ids, lengths and contents, the same each time.

A round is made from its number alone, so that the child which answers for one back end makes it
again instead of reading it.
"""

import random
from dataclasses import dataclass

from sm2_textbook import N, number

SEED = 20_260_101
# Keys take longer to prepare than rounds do.
ROUNDS_OF_A_KEY = 16
DATA_MAX = 8192
# OpenSSL takes one byte less than the 8191 whose bits still fit the standard's 16 bits.
ID_MAX = 8190
# What GmSSL encrypts at most.
PLAINTEXT_MAX = 255


@dataclass(frozen=True)
class Round:
    private: bytes
    message: bytes
    signer_id: bytes
    plaintext: bytes
    flipped_bit: int
    key: bytes
    block: bytes

    def spoilt(self, signature: bytes) -> bytes:
        """With one of its 512 bits flipped."""
        bad = bytearray(signature)
        bad[self.flipped_bit // 8] ^= 1 << self.flipped_bit % 8
        return bytes(bad)


def private_key_of(at: int) -> bytes:
    source = random.Random(f"{SEED} key {at // ROUNDS_OF_A_KEY}")
    return number(source.randint(1, N - 2))


def round_at(at: int) -> Round:
    source = random.Random(f"{SEED} round {at}")
    return Round(
        private=private_key_of(at),
        message=source.randbytes(_length(source, DATA_MAX)),
        signer_id=source.randbytes(_length(source, ID_MAX)),
        plaintext=source.randbytes(source.randint(1, PLAINTEXT_MAX)),
        flipped_bit=source.randrange(512),
        key=source.randbytes(16),
        block=source.randbytes(16),
    )


def _length(source: random.Random, most: int) -> int:
    """Short ones, where paddings turn, as often as long ones."""
    return source.randint(0, source.choice((20, 130, most)))
