"""The texts of the verdicts: every reason has all of them, in both languages."""

import tomllib
from dataclasses import astuple
from pathlib import Path

import pytest

from card_core import verdicts
from card_core.verdicts import Reason


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_was_decided_and_what_to_do_in_both_languages(
    reason: Reason,
) -> None:
    action = reason.next_action
    assert all(_has_chinese(text) for text in (reason.text_zh, action.clerk_zh, action.holder_zh))
    for text in (reason.text_en, action.clerk_en, action.holder_en):
        assert text
        assert text.isascii()
    assert len(astuple(action)) == 4


def test_the_file_has_exactly_the_reasons_in_their_order() -> None:
    path = Path(verdicts.__file__).with_suffix(".toml")
    assert list(tomllib.loads(path.read_text("utf-8"))) == [reason.value for reason in Reason]


def test_no_two_reasons_read_the_same() -> None:
    assert len({reason.text_zh for reason in Reason}) == len(Reason)
    assert len({reason.text_en for reason in Reason}) == len(Reason)
