"""Names: what may stand in one, and how the chip's two fields carry it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from card_core.identity import NameTooLongError, chip_name, validate_name

seeded = settings(derandomize=True, deadline=None)


def code(name: str) -> str | None:
    problem = validate_name(name)
    return problem.code if problem else None


@pytest.mark.parametrize(
    "name",
    [
        "王伟",
        "欧阳娜娜",
        "李䶮",  # U+4DAE
        "王㛃",
        "张𠮷",  # outside the basic plane
        "陈𬱖",
        "王\U00031350",  # newer than the Unicode of the oldest supported Python
        "买买提·艾力",
        "阿卜杜热合曼·麦麦提吐尔逊·艾合买提",
        "JOHN SMITH",
        "Anne-Marie O'Neil",
        "José García López",
        "Jose\u0301 Garci\u0301a",  # letters with combining marks
        "ئابدۇللا",
        "བཀྲ",
    ],
)
def test_names_of_many_scripts_are_accepted(name: str) -> None:
    assert code(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "name_missing"),
        ("王1小2", "name_digit"),
        ("王Ⅷ", "name_digit"),
        ("王②", "name_digit"),
        ('=HYPERLINK("x","y")', "name_character"),
        ("<b>王</b>", "name_character"),
        ("王\x00伟", "name_character"),
        ("王\n伟", "name_character"),
        ("王\u202e伟", "name_character"),
        ("王\u200b伟", "name_character"),
        ("王\ue863", "name_character"),  # private use: nobody else can read it
        ("王\ud800", "name_character"),
        ("JOHN_SMITH", "name_character"),
        ("王伟,李娜", "name_character"),
        ("王😀", "name_character"),
        ("买买提•艾力", "name_character"),  # another dot; tidying comes before
        ("·艾力", "name_shape"),
        ("艾力·", "name_shape"),
        ("艾力··买买提", "name_shape"),
        ("JOHN  SMITH", "name_shape"),
        (" JOHN", "name_shape"),
        ("JOHN ", "name_shape"),
        ("-", "name_shape"),
        ("王 伟", "name_shape"),
        ("王 SMITH", "name_shape"),
        ("SMITH 王", "name_shape"),
        ("\u0301a", "name_shape"),
        ("A-\u0301", "name_shape"),
    ],
)
def test_what_does_not_belong_in_a_name_is_refused(name: str, problem: str) -> None:
    assert code(name) == problem


@pytest.mark.parametrize(
    ("name", "first", "rest"),
    [
        ("王" * 15, 30, 0),
        ("王" * 16, 30, 2),
        ("王" * 25, 30, 20),
        ("A" * 50, 30, 20),
        ("A" + "王" * 15, 29, 2),
        ("𠮷" * 8, 28, 4),  # four bytes each: seven fit, the eighth goes over whole
        ("𠮷" * 12, 28, 20),
    ],
)
def test_a_long_name_is_parted_between_characters(name: str, first: int, rest: int) -> None:
    assert code(name) is None
    parts = chip_name(name)
    assert tuple(map(len, parts)) == (first, rest)
    assert parts[0].decode("gb18030") + parts[1].decode("gb18030") == name


@pytest.mark.parametrize("name", ["王" * 26, "A" * 51, "A" + "王" * 24 + "𠮷", "𠮷" * 13])
def test_a_name_that_the_chip_cannot_hold_is_refused(name: str) -> None:
    assert code(name) == "name_too_long"
    with pytest.raises(NameTooLongError):
        chip_name(name)


def test_fifty_bytes_that_cannot_be_parted_are_too_long() -> None:
    name = "𠮷" * 7 + "王" * 11  # 28 + 22: the eighth character would fit neither way
    assert len(name.encode("gb18030")) == 50
    assert code(name) is None
    name = "𠮷" * 12 + "A" * 2
    assert len(name.encode("gb18030")) == 50
    assert code(name) == "name_too_long"


@seeded
@given(st.text(max_size=40))
def test_an_accepted_name_always_fits_the_chip_and_comes_back_whole(name: str) -> None:
    if validate_name(name) is None:
        first, rest = chip_name(name)
        assert len(first) <= 30
        assert len(rest) <= 20
        assert first.decode("gb18030") + rest.decode("gb18030") == name
