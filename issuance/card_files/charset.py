"""Text in files and on chips: GB 18030, or GBK where the other side takes nothing else.

GB 18030 has every character of Unicode, those outside GBK in four bytes: a rare character of a
name is written as it is. Where a bank or a maker takes GBK alone, such a name is refused with
`not_in_gbk`. Nothing is ever put in a character's place: a question mark, a letter or another
character would be another person's name. The mapping is that of GB 18030-2005.
"""

from enum import StrEnum

from issuance.card_files.errors import ElementError


class Charset(StrEnum):
    """What a file's header says of its text."""

    GB18030 = "GB18030"
    GBK = "GBK"


def encode_text(text: str, charset: Charset, *, field: str, title_zh: str) -> bytes:
    """The bytes of `text`. Raises ElementError: not_in_gbk, not_encodable (a lone surrogate)."""
    try:
        return text.encode(charset.value)
    except UnicodeEncodeError:
        pass
    if charset is Charset.GBK:
        raise ElementError(
            "not_in_gbk",
            field,
            title_zh,
            "含有 GBK 以外的字，而对方只收 GBK。请与对方商定改用 GB 18030，不要替换该字",
            "has a character outside GBK, and the other side takes GBK alone. Agree with them "
            "on GB 18030; don't replace the character",
        )
    raise ElementError(
        "not_encodable",
        field,
        title_zh,
        "含有不成字的编码，请重新录入",
        "has a code that is no character; type it again",
    )
