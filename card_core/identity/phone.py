"""Mobile numbers of mainland China: 11 digits, 13 to 19 (the numbering plan of 2017)."""

import re
from typing import Final

from card_core.identity.problem import Problem

NOT_MOBILE: Final = Problem(
    "phone_not_mobile",
    "手机号码不对：应为11位、以13至19开头的大陆手机号，请核对",
    "This is no mobile number: 11 digits starting with 13 to 19 are expected",
)

MOBILE: Final = r"1[3-9][0-9]{9}"
_is_mobile = re.compile(MOBILE).fullmatch


def validate_mobile(phone: str) -> Problem | None:
    """Return what is wrong with a mobile number, or None. The number is taken as it is."""
    return None if _is_mobile(phone) else NOT_MOBILE
