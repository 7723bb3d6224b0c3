"""Canonical JSON has one spelling: the one that the standard library's writer gives."""

import json
from enum import StrEnum

from hypothesis import given
from hypothesis import strategies as st

from card_core.kernel.content import canonical_bytes

# No surrogates alone: they are no text and have no UTF-8.
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_WHOLE = st.integers(-(1 << 63), (1 << 63) - 1)
_VALUES = st.recursive(
    st.none() | st.booleans() | _WHOLE | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)


class _Word(StrEnum):
    LOST = "lost"


@given(_VALUES)
def test_it_is_sorted_unspaced_and_in_utf_8(value: object) -> None:
    expected = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert canonical_bytes(value) == expected.encode()


def test_words_of_an_enumeration_are_their_text() -> None:
    assert canonical_bytes([_Word.LOST]) == b'["lost"]'
