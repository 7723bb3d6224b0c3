"""Canonical JSON has one spelling: the one that the standard library's writer gives."""

import json
from dataclasses import dataclass
from enum import StrEnum

import pytest
from bureau import make_application
from hypothesis import given
from hypothesis import strategies as st

from card_core.application import Application
from card_core.kernel.content import canonical_bytes, from_json, to_json

# No surrogates alone: they are no text and have no UTF-8.
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_WHOLE = st.integers(-(1 << 63), (1 << 63) - 1)
_VALUES = st.recursive(
    st.none() | st.booleans() | _WHOLE | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)


@dataclass(frozen=True)
class _Older:
    name: str


@dataclass(frozen=True)
class _Newer:
    name: str
    key: bytes | None = None


class _Word(StrEnum):
    LOST = "lost"


@given(_VALUES)
def test_it_is_sorted_unspaced_and_in_utf_8(value: object) -> None:
    expected = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert canonical_bytes(value) == expected.encode()


def test_words_of_an_enumeration_are_their_text() -> None:
    assert canonical_bytes([_Word.LOST]) == b'["lost"]'


def test_what_was_stored_before_a_field_was_there_has_its_default() -> None:
    assert from_json(_Newer, to_json(_Older("a"))) == _Newer("a", None)
    with pytest.raises(TypeError):
        from_json(_Newer, {})


def test_an_application_is_written_by_the_names_of_its_fields_and_read_again() -> None:
    application = make_application(1)
    written = to_json(application)
    assert set(written) == set(Application._fields)
    assert written["number"] == {"text": application.number.text}
    assert from_json(Application, written) == application
    assert "测试" not in repr(application)
