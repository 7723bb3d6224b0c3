"""Trees over SM3: root and paths are those of RFC 6962, section 2.1, for any leaves."""

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from crypto import sm3


def digest(data: bytes) -> bytes:
    other = hashes.Hash(hashes.SM3())
    other.update(data)
    return other.finalize()


def split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return digest(b"\0" + leaves[0])
    at = split(len(leaves))
    return digest(b"\1" + root(leaves[:at]) + root(leaves[at:]))


def path(at: int, leaves: list[bytes]) -> bytes:
    """Section 2.1.1: the hashes that are missing for the root, the lowest first."""
    if len(leaves) == 1:
        return b""
    middle = split(len(leaves))
    if at < middle:
        return path(at, leaves[:middle]) + root(leaves[middle:])
    return path(at - middle, leaves[middle:]) + root(leaves[:middle])


def assert_as_defined(leaves: list[bytes]) -> None:
    found_root, paths = sm3.tree(leaves)
    assert found_root == root(leaves)
    assert paths == [path(at, leaves) for at in range(len(leaves))]


@pytest.mark.parametrize("size", [*range(1, 35), 63, 64, 65, 127, 130])
def test_a_tree_of_any_size_is_the_one_defined(size: int) -> None:
    assert_as_defined([b"leaf %d" % number for number in range(size)])


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=40))
def test_a_tree_of_any_leaves_is_the_one_defined(leaves: list[bytes]) -> None:
    assert_as_defined(leaves)


def test_leaves_that_are_long_together_give_the_same_without_the_interpreter() -> None:
    assert_as_defined([bytes([number]) * 5000 for number in range(9)])


def test_no_leaves_too_many_and_what_is_not_bytes_are_refused() -> None:
    for count in (0, 65_537):
        with pytest.raises(ValueError, match="lea"):
            sm3.tree([b""] * count)
    for wrong in ("text", bytearray(3), None, 7):
        with pytest.raises(TypeError):
            sm3.tree([b"good", wrong])  # type: ignore[list-item]  # the point
