"""Nonces, recovered from signatures: whoever knows d can work out k = s (1 + d) + r d.

The checks are those that find broken nonces in the wild: repeated, short, sharing a prefix or a
suffix, biased. Each check is also shown a bad series, so that it is known to find it.
"""

import os
from collections import Counter
from collections.abc import Callable
from math import sqrt

import pytest

from crypto import sm2

N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
D = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
COUNTS = [
    pytest.param(5000, id="5000 signatures"),
    pytest.param(100_000, id="100000 signatures", marks=pytest.mark.long),
]

# Of a fair series one in 10^9 strays further; 256 bits and 256 bytes are looked at.
SIGMAS = 6.1


def nonce_of(signature: bytes) -> int:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return (s * (1 + D) + r * D) % N


def faults(nonces: list[int]) -> set[str]:
    """Names what is wrong with a series of some thousand nonces; nothing when it looks random."""
    count, found = len(nonces), set()
    if len(set(nonces)) < count:
        found.add("repeated")
    if min(nonces) < N >> 80:
        found.add("short")
    if len({nonce >> 192 for nonce in nonces}) < count:
        found.add("shared prefix")
    if len({nonce & (1 << 64) - 1 for nonce in nonces}) < count:
        found.add("shared suffix")
    deviation = SIGMAS * sqrt(count) / 2
    for position in range(256):
        ones = sum(nonce >> position & 1 for nonce in nonces)
        if abs(ones - count / 2) > deviation:
            found.add("unbalanced bit")
    expected = count / 256
    for top, times in Counter(nonce >> 248 for nonce in nonces).items():
        if top > 255 or abs(times - expected) > SIGMAS * sqrt(expected) + SIGMAS:
            found.add("unbalanced top byte")
    return found


def random_nonces(count: int) -> list[int]:
    return [int.from_bytes(os.urandom(32), "big") % N for _ in range(count)]


@pytest.mark.parametrize("count", COUNTS)
def test_nonces_of_many_messages_look_random(count: int) -> None:
    key = sm2.PrivateKey.from_bytes(D.to_bytes(32, "big"))
    nonces = [nonce_of(key.sign(i.to_bytes(4, "big"))) for i in range(count)]
    assert faults(nonces) == set()


@pytest.mark.parametrize("count", COUNTS)
def test_nonces_of_one_message_look_random(count: int) -> None:
    key = sm2.PrivateKey.from_bytes(D.to_bytes(32, "big"))
    nonces = [nonce_of(key.sign(b"the same message")) for _ in range(count)]
    assert faults(nonces) == set()


SPOILT: dict[str, Callable[[list[int]], list[int]]] = {
    "repeated": lambda nonces: [*nonces, nonces[0]],
    "short": lambda nonces: [*nonces, nonces[0] >> 100],
    "shared prefix": lambda nonces: [nonces[0] >> 192 << 192 | k >> 64 for k in nonces],
    "shared suffix": lambda nonces: [k >> 64 << 64 | nonces[0] & 0xFFFF for k in nonces],
    "unbalanced bit": lambda nonces: [k | 1 << 17 for k in nonces],
    "unbalanced top byte": lambda nonces: [k & ~(15 << 248) | k >> 252 << 248 for k in nonces],
}


@pytest.mark.parametrize("fault", SPOILT)
def test_bad_series_are_found(fault: str) -> None:
    nonces = random_nonces(5000)
    assert faults(nonces) == set()
    assert fault in faults(SPOILT[fault](nonces))


def test_parent_and_child_after_a_fork_share_no_nonce() -> None:
    key = sm2.PrivateKey.from_bytes(D.to_bytes(32, "big"))
    key.sign(b"before")
    inherited = []
    for _ in range(2):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, b"".join(key.sign(b"after") for _ in range(20)))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            inherited.append(pipe.read())
        assert os.waitpid(child, 0)[1] == 0
    own = b"".join(key.sign(b"after") for _ in range(20))
    signatures = own + b"".join(inherited)
    nonces = [nonce_of(signatures[i : i + 64]) for i in range(0, len(signatures), 64)]
    assert len(set(nonces)) == len(nonces) == 60
