"""Naming a phone's clock where it is what a code is refused for: online and with no network alike.

A phone makes its offline codes by its own clock. Both reasons come behind the check of the phone's
signature, so that what is named is the phone's own word, and nobody else's.
"""

from datetime import datetime
from typing import Any

from card_core.verdicts import Reason
from scan_api.code_parts import phone_time


def about_clock(reason: Reason, scanned_at: datetime, text: str) -> dict[str, Any]:
    """What a refusal says instead of its usual text; empty where the phone's clock is no matter.

    text: the code's. Positive seconds are a fast phone, by the clock that judged the code.
    """
    phone_at = phone_time(text)
    if phone_at is None:
        return {}
    apart = int(phone_at.timestamp()) - int(scanned_at.timestamp())
    if reason is Reason.NOT_YET_VALID:
        return {
            "text_zh": f"此手机的时钟快 {apart} 秒",
            "text_en": f"This phone is {apart} s fast",
            "phone_clock_seconds": apart,
        }
    if reason is Reason.EXPIRED:
        return {
            "text_zh": f"此码生成于 {-apart} 秒前；若是刚生成的，则此手机的时钟慢 {-apart} 秒",
            "text_en": f"Made {-apart} s ago; if the code is new, this phone is {-apart} s slow",
            "phone_clock_seconds": apart,
        }
    return {}
