"""Searching the memory of a child process for traces of a secret.

A trace is 7 bytes in a row of a word of 8, in one of the shapes that the secret takes on its way:
a register that was saved on the stack is a trace like any other, and so is the rest of one in the
7 bytes of padding that a copied structure may carry along. By chance, 7 given bytes are in a
process one time in 10^9.
"""

import os
import secrets
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gmssl.sm3 import IV, sm3_cf
from gmssl.sm4 import CryptSM4
from sm2_textbook import N, P, multiply

WORD = 8
R = 1 << 256


def words(name: str, data: bytes) -> dict[bytes, str]:
    """The traces of a byte string: its words as they stand, and as numbers in memory."""
    traces = {}
    for start in range(0, len(data) - WORD + 1, WORD):
        word = data[start : start + WORD]
        traces |= pieces(name, word, word[::-1], word[3::-1] + word[:3:-1])
    return traces


def pieces(name: str, *data: bytes) -> dict[bytes, str]:
    """The first and the last 7 bytes of each word."""
    return {piece: name for word in data for piece in (word[:-1], word[1:])}


def number(name: str, value: int, modulus: int) -> dict[bytes, str]:
    """The traces of a number and of its Montgomery form, by limbs."""
    montgomery = value * R % modulus
    return words(name, value.to_bytes(32, "big")) | words(
        f"{name} in Montgomery form", montgomery.to_bytes(32, "big")
    )


def hmac_key(name: str, key: bytes) -> dict[bytes, str]:
    """The traces of a key of at most 64 bytes: the padded blocks, the states after them."""
    traces = words(name, key)
    for pad in (0x36, 0x5C):
        block = bytes(byte ^ pad for byte in key.ljust(64, b"\0"))
        traces |= words(f"padded {name}", block[: len(key)])
        traces |= small_words(f"state of {name}", sm3_cf(IV, list(block)))
    return traces


def sm4_key(name: str, key: bytes, round_keys: bytes) -> dict[bytes, str]:
    """The traces of a key, of GHASH's key, of its round keys, also as the back end keeps them."""
    cipher = CryptSM4()
    cipher.set_key(key, 0)
    kept = [int.from_bytes(round_keys[i : i + 4], "big") for i in range(0, len(round_keys), 4)]
    return (
        words(name, key)
        | words(f"hash key of {name}", bytes(cipher.one_round(cipher.sk, [0] * 16)))
        | small_words(f"round keys of {name}", cipher.sk)
        | small_words(f"round keys of {name} as kept", kept)
    )


def small_words(name: str, values: list[int]) -> dict[bytes, str]:
    """The traces of numbers of 32 bits in a row: two of them in 8 bytes, either way round."""
    pairs = [(a.to_bytes(4, "little"), b.to_bytes(4, "little")) for a, b in pairwise(values)]
    return pieces(name, *(a + b for a, b in pairs), *(b + a for a, b in pairs))


def private_key(d: int) -> dict[bytes, str]:
    """The traces of an SM2 key and of what is computed once from it."""
    return (
        number("d", d, N)
        | number("1 + d", d + 1, N)
        | number("1 / (1 + d)", pow(d + 1, -1, N), N)
        | hmac_key("d as a key", d.to_bytes(32, "big"))
    )


def nonce(d: int, signature: bytes) -> dict[bytes, str]:
    """The traces of the nonce of a signature, r and s."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return number("k", (s * (1 + d) + r * d) % N, N)


def shared_point(d: int, ciphertext: bytes) -> dict[bytes, str]:
    """The traces of the point that sender and receiver share."""
    x, y = (int.from_bytes(half, "big") for half in (ciphertext[1:33], ciphertext[33:65]))
    point = multiply(d, (x, y))
    assert point is not None
    return number("x2", point[0], P) | number("y2", point[1], P)


@dataclass(frozen=True)
class Mapping:
    """A piece of a process's memory that it can write to."""

    name: str
    start: int
    content: bytes


def memory_of(process_id: int) -> list[Mapping]:
    """A copy of all that a process which stands still can write to."""
    mappings = []
    with Path(f"/proc/{process_id}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{process_id}/maps").read_text().splitlines():
            addresses, rights, _, _, _, *name = line.split(maxsplit=5)
            if "w" in rights:
                start, end = (int(address, 16) for address in addresses.split("-"))
                content = os.pread(memory.fileno(), end - start, start)
                mappings.append(Mapping(name[0] if name else "unnamed", start, content))
    return mappings


def search(memory: list[Mapping], traces: dict[bytes, str]) -> list[str]:
    """What was found, and where."""
    found = []
    for mapping in memory:
        for trace, name in traces.items():
            at = mapping.content.find(trace)
            while at >= 0:
                found.append(f"{name} at {mapping.start + at:x} in {mapping.name}")
                at = mapping.content.find(trace, at + 1)
    return found


@dataclass(frozen=True)
class Observed:
    """The memory of a program that held a secret, and what it made with it."""

    alive: list[Mapping]
    dropped: list[Mapping]
    made: dict[str, bytes]


def observe(command: list[str | Path], secret: bytes, **environment: str) -> Observed:
    """Run a program that is told a secret in two shares, and copy its memory twice."""
    share = secrets.token_bytes(len(secret))
    other = bytes(a ^ b for a, b in zip(share, secret, strict=True))
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            copies = []
            for told, answer in ((share + other, b"alive\n"), (b"x", b"dropped\n")):
                process.stdin.write(told)
                process.stdin.flush()
                assert process.stdout.readline() == answer
                copies.append(memory_of(process.pid))
            made, _ = process.communicate(b"x" + secret, timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    lines = (line.split(" ") for line in made.decode().splitlines())
    return Observed(*copies, {word: bytes.fromhex(value) for word, value in lines})
