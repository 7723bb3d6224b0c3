"""Elements of EF05 and EF06: the chip's bytes, and nothing that a chip can't hold."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_core.identity import ETHNIC_GROUPS, check_character, validate_name
from issuance.card_files import Charset, ElementError, Personalisation, elements
from issuance.card_files.element_reading import decode_elements
from issuance.card_files.elements import ELEMENTS_SIZE_BYTES
from issuance.card_files.personalisation import encode_elements
from tests.issuance.card_files.samples import NAMES, card

DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
CODES = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=9, max_size=9)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    body = f"440604{draw(DAYS):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return body + check_character(body)


@st.composite
def cards(draw: st.DrawFn) -> Personalisation:
    issued_on, expires_on = sorted((draw(DAYS), draw(DAYS)))
    return Personalisation(
        card_class=draw(st.sampled_from("123")),
        spec_version=draw(st.sampled_from(("2.00", "3.00"))),
        initialising_organisation=draw(st.text("0123456789ABCDEF", min_size=24, max_size=24)),
        issued_on=issued_on,
        expires_on=expires_on,
        card_number=draw(CODES),
        social_security_number=draw(numbers()),
        name=draw(
            st.text(st.characters(categories=["Lo"]), min_size=1, max_size=12).filter(
                lambda name: validate_name(name) is None
            )
        ),
        sex=draw(st.sampled_from("0129")),
        ethnic_group=draw(st.none() | st.sampled_from(sorted(ETHNIC_GROUPS))),
        birthplace=draw(st.none() | st.text("0123456789", min_size=6, max_size=6)),
        born_on=draw(DAYS),
    )


@given(cards())
def test_what_is_encoded_is_decoded(made: Personalisation) -> None:
    data = encode_elements(made)
    assert len(data) == ELEMENTS_SIZE_BYTES
    assert decode_elements(data) == made


def test_elements_that_are_cut_or_followed_by_something_are_refused() -> None:
    data = encode_elements(card())
    for wrong in (data[:-1], data + b"\0", data[:46], b""):
        with pytest.raises(ValueError, match="element"):
            decode_elements(wrong)


def test_the_bytes_are_those_of_the_card_standard() -> None:
    data = encode_elements(
        card(
            name="张伟",
            social_security_number="44060419900101001" + check_character("44060419900101001"),
            sex="1",
            ethnic_group=None,
            birthplace=None,
            card_number="FS0000001",
        )
    )
    assert data.hex(" ").upper() == (
        "02 01 33 "
        "03 04 33 2E 30 30 "
        "04 0C 91 56 00 00 02 44 06 04 44 06 04 01 "
        "05 04 20 26 11 30 "
        "06 04 20 36 11 30 "
        "07 09 46 53 30 30 30 30 30 30 31 "
        "08 12 34 34 30 36 30 34 31 39 39 30 30 31 30 31 30 30 31 "
        + check_character("44060419900101001").encode().hex().upper()
        + " 09 1E D5 C5 CE B0"
        + " 00" * 26
        + " 4E 14"
        + " 00" * 20
        + " 0A 01 31 0B 01 FF 0C 03 FF FF FF 0D 04 19 90 01 01"
    )


def test_a_short_number_is_filled_with_zero_bytes() -> None:
    old_permit = "KAZ110090123105"
    data = encode_elements(card(social_security_number=old_permit))
    assert b"\x08\x12" + old_permit.encode() + bytes(3) + b"\x09" in data
    assert decode_elements(data).social_security_number == old_permit


@pytest.mark.parametrize("name", NAMES)
def test_rare_and_long_names_survive(name: str) -> None:
    assert decode_elements(encode_elements(card(name=name))).name == name


def test_a_character_is_never_parted_between_name_and_continuation() -> None:
    # 29 bytes, then one character of four: it begins the continuation.
    name = "é" + "张" * 13 + "a" + "𠮷"
    data = encode_elements(card(name=name))
    at = data.index(b"\x09\x1e") + 2
    assert data[at : at + 30].rstrip(b"\0") == name[:-1].encode("gb18030")
    assert data[at + 32 : at + 52].rstrip(b"\0") == "𠮷".encode("gb18030")


@pytest.mark.parametrize("character", ["𠮷", "䶮", "㙍"])
def test_where_only_gbk_is_taken_a_rare_name_is_refused_and_not_changed(character: str) -> None:
    with pytest.raises(ElementError) as raised:
        encode_elements(card(name="刘" + character), Charset.GBK)
    assert (raised.value.code, raised.value.field) == ("not_in_gbk", "name")
    assert encode_elements(card(name="刘東"), Charset.GBK) == encode_elements(card(name="刘東"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("card_class", "33"),
        ("card_class", ""),
        ("spec_version", "1.00"),
        ("initialising_organisation", "9156"),
        ("card_number", "FS000001"),
        ("card_number", "fs0000001"),
        ("social_security_number", "440604199001010010"),
        ("name", ""),
        ("name", "张3"),
        ("name", "张" * 26),
        ("sex", "3"),
        ("ethnic_group", "57"),
        ("birthplace", "44060"),
        ("expires_on", date(2026, 11, 29)),
    ],
)
def test_a_value_that_does_not_fit_is_named_and_not_repeated(field: str, value: object) -> None:
    made = card(**{field: value})
    with pytest.raises(ElementError) as raised:
        encode_elements(made)
    error = raised.value
    assert error.field == field
    assert error.message_zh.startswith("字段")
    assert error.message_en.startswith(f"Field {field}")
    for text in (error.message_zh, error.message_en, str(error)):
        assert made.name not in text or not made.name
        assert made.social_security_number not in text


@pytest.mark.parametrize("at", range(ELEMENTS_SIZE_BYTES))
def test_padding_and_heads_have_one_form(at: int) -> None:
    """Whatever a changed byte still means, it is never read as the same card."""
    data = bytearray(encode_elements(card(1)))
    data[at] ^= 0x80
    try:
        found = decode_elements(bytes(data))
    except ValueError:
        return
    assert found != card(1)


@pytest.mark.parametrize(
    ("wanted", "other"),
    [
        ("刘伟".encode("gb18030").ljust(30, b"\0") + b"\x4e\x14" + bytes(20),
         "刘".encode("gb18030").ljust(30, b"\0") + b"\x4e\x14"
         + "伟".encode("gb18030").ljust(20, b"\0")),
        (b"\x0a\x011", b"\x0a\x017"),
        (b"\x0b\x01\x01", b"\x0b\x01\x99"),
        (b"\x0b\x01\x01", b"\x0b\x01\xf1"),
        (b"\x07\x09F", b"\x07\x09f"),
        (b"\x02\x013", b"\x02\x01#"),
        (b"\x03\x043", b"\x03\x041"),
        (b"\x06\x04\x20\x36", b"\x06\x04\x20\x16"),
    ],
)  # fmt: skip
def test_a_value_that_would_never_be_written_is_not_read(wanted: bytes, other: bytes) -> None:
    data = encode_elements(card(1, name="刘伟"))
    assert data.count(wanted) == 1
    with pytest.raises(ValueError, match="form"):
        decode_elements(data.replace(wanted, other))


def test_a_value_longer_than_its_element_is_refused() -> None:
    with pytest.raises(ElementError):
        elements.text(elements.SEX, b"12")
    for digits in ("123456789", "12G4"):
        with pytest.raises(ElementError):
            elements.packed(elements.BORN_ON, digits)


def test_a_card_does_not_show_its_holder() -> None:
    assert card(1).name not in repr(card(1))
