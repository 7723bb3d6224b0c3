"""A verdict as bytes: the kernel's answer, and behind it the texts of its reason.

The answer is JSON already, and a retry gets the same bytes; so the texts are put in as bytes, too.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from card_core.verdicts import Reason
from scan_api.phone_clock import about_clock

_MARK = b'"reason":"'


def _texts(reason: Reason) -> bytes:
    action = reason.next_action
    texts = {
        "text_zh": reason.text_zh,
        "text_en": reason.text_en,
        "phone_clock_seconds": None,
        "next_action": {
            "clerk_zh": action.clerk_zh,
            "clerk_en": action.clerk_en,
            "holder_zh": action.holder_zh,
            "holder_en": action.holder_en,
        },
    }
    return b"," + json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()[1:]


_TEXTS: Mapping[bytes, bytes] = {reason.value.encode(): _texts(reason) for reason in Reason}


# The only ones that a phone's clock may stand behind; all others cost no second look.
_OF_CLOCKS = frozenset({Reason.NOT_YET_VALID.value.encode(), Reason.EXPIRED.value.encode()})


def verdict_json(answer: bytes, code: str = "") -> bytes:
    """answer: of `Kernel.record_scans`, an object with the member `reason`; nothing in it that
    comes from outside stands before that, and in JSON text no other member can look like it.

    code: what was shown, which may say by how much a phone's clock is off. It is reckoned from the
    answer's own time, so that a retry is told the same.
    """
    start = answer.index(_MARK) + len(_MARK)
    reason = answer[start : answer.index(b'"', start)]
    if reason in _OF_CLOCKS and (named := _about_clock(answer, reason, code)):
        return named
    return answer[:-1] + _TEXTS[reason]


def _about_clock(answer: bytes, reason: bytes, code: str) -> bytes | None:
    """The whole verdict, where the phone's clock is named in it."""
    verdict = json.loads(answer[:-1] + _TEXTS[reason])
    scanned_at = datetime.fromisoformat(verdict["scanned_at"])
    named = about_clock(Reason(verdict["reason"]), scanned_at, code)
    if not named:
        return None
    return json.dumps(verdict | named, ensure_ascii=False, separators=(",", ":")).encode()
