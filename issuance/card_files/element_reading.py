"""What stands in one card's EF05 and EF06: bytes to values."""

from datetime import date

from issuance.card_files import elements
from issuance.card_files.elements import Element
from issuance.card_files.errors import ElementError
from issuance.card_files.personalisation import Personalisation, encode_elements


def decode_elements(data: bytes) -> Personalisation:
    """The inverse of `encode_elements`, for either charset: GBK's bytes are GB 18030's, too.

    Raises ValueError: each value has one form, and bytes that `encode_elements` would not have
    written are refused.
    """
    values = elements.split(data)

    def characters(element: Element) -> bytes:
        return values[element].rstrip(b"\x00")

    def digits(element: Element) -> str:
        return values[element].hex().upper()

    name = characters(elements.NAME) + characters(elements.NAME_CONTINUATION)
    card = Personalisation(
        card_class=characters(elements.CARD_CLASS).decode("ascii"),
        spec_version=characters(elements.SPEC_VERSION).decode("ascii"),
        initialising_organisation=digits(elements.ORGANISATION),
        issued_on=_day(digits(elements.ISSUED_ON)),
        expires_on=_day(digits(elements.EXPIRES_ON)),
        card_number=characters(elements.CARD_NUMBER).decode("ascii"),
        social_security_number=characters(elements.NUMBER).decode("ascii"),
        name=name.decode("gb18030"),
        sex=characters(elements.SEX).decode("ascii"),
        ethnic_group=digits(elements.ETHNIC_GROUP).rstrip("F") or None,
        birthplace=digits(elements.BIRTHPLACE).rstrip("F") or None,
        born_on=_day(digits(elements.BORN_ON)),
    )
    if not _is_written_as(card, data):
        raise ValueError("a value is not in the form in which it is written")
    return card


def _is_written_as(card: Personalisation, data: bytes) -> bool:
    try:
        return encode_elements(card) == data
    except ElementError:
        return False


def _day(digits: str) -> date:
    return date.fromisoformat(digits)
