"""A Merkle tree over a group of receipts (RFC 6962, section 2.1, with SM3).

A leaf is hashed behind a zero byte and a node behind a one, so that no node passes for a leaf. The
tree over n leaves splits at the largest power of two below n; level by level that is to pair
neighbours and to carry an odd last one up as it is.
"""

from collections.abc import Sequence
from typing import Final

from crypto.sm3 import digest, tree

HASH_SIZE_BYTES: Final = 32
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def root_and_paths(leaves: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """Return the root and each leaf's path: the hashes beside its way up, the lowest first.

    leaves: 1 to 65 536, each of any length. Raises ValueError for another number.
    """
    return tree(list(leaves))


def path_size(index: int, size: int) -> int:
    """How many hashes the path of a leaf has. index: from 0, below `size`."""
    count, last = 0, size - 1
    while last:
        count += index != last or index & 1
        index, last = index >> 1, last >> 1
    return count


def root_of(leaf: bytes, index: int, size: int, path: bytes) -> bytes:
    """Return the root that a leaf and its path lead to.

    path: `path_size(index, size)` hashes, which the caller has checked.
    """
    found, last, at = digest(_LEAF + leaf), size - 1, 0
    while last:
        if index & 1:
            found = digest(_NODE + path[at : at + HASH_SIZE_BYTES] + found)
            at += HASH_SIZE_BYTES
        elif index != last:
            found = digest(_NODE + found + path[at : at + HASH_SIZE_BYTES])
            at += HASH_SIZE_BYTES
        index, last = index >> 1, last >> 1
    return found
