"""Masks show enough to recognise and too little to learn from."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from card_core.identity import mask_name, mask_number, mask_phone

seeded = settings(derandomize=True, deadline=None)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王", "*"),
        ("张三", "*三"),
        ("王小明", "**明"),
        ("欧阳娜娜", "***娜"),
        ("张𠮷", "*𠮷"),
        ("阿卜杜热合曼", "***曼"),
        ("买买提·艾力", "***力"),
        ("扎西·次仁", "***仁"),
        ("JOHN SMITH", "J*** S***"),
        ("MARIA GARCIA LOPEZ", "M*** G*** L***"),
        ("O'NEIL", "O***"),
        ("ئابدۇللا", "ئ***"),
        ("", ""),
    ],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@seeded
@given(st.text("王小明欧阳阿卜杜·", min_size=1, max_size=20))
def test_a_chinese_name_shows_one_character_at_most(name: str) -> None:
    assert len(mask_name(name).replace("*", "")) <= 1


def test_numbers_keep_three_and_four() -> None:
    assert mask_number("11010519491231002X") == "110***********002X"
    assert mask_number("KAZ110090123105") == "KAZ********3105"
    assert mask_phone("13812345678") == "138****5678"


@pytest.mark.parametrize("text", ["", "1", "1234567", "1234567890"])
def test_a_text_too_short_to_mask_is_hidden_whole(text: str) -> None:
    assert set(mask_number(text)) <= {"*"}
    assert len(mask_number(text)) == len(text)


@seeded
@given(st.text("0123456789X", min_size=11, max_size=18))
def test_a_mask_keeps_the_length_and_hides_the_middle(number: str) -> None:
    masked = mask_number(number)
    assert len(masked) == len(number)
    assert masked.count("*") == len(number) - 7
