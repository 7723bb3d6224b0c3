"""A verdict as bytes: the kernel's answer, and behind it the texts of its reason.

The answer is JSON already, and a retry gets the same bytes; so the texts are put in as bytes, too.
"""

import json
from collections.abc import Mapping

from card_core.verdicts import Reason

_MARK = b'"reason":"'


def _texts(reason: Reason) -> bytes:
    action = reason.next_action
    texts = {
        "text_zh": reason.text_zh,
        "text_en": reason.text_en,
        "next_action": {
            "clerk_zh": action.clerk_zh,
            "clerk_en": action.clerk_en,
            "holder_zh": action.holder_zh,
            "holder_en": action.holder_en,
        },
    }
    return b"," + json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()[1:]


_TEXTS: Mapping[bytes, bytes] = {reason.value.encode(): _texts(reason) for reason in Reason}


def verdict_json(answer: bytes) -> bytes:
    """answer: of `Kernel.record_scans`, an object with the member `reason`; nothing in it that
    comes from outside stands before that, and in JSON text no other member can look like it."""
    start = answer.index(_MARK) + len(_MARK)
    reason = answer[start : answer.index(b'"', start)]
    return answer[:-1] + _TEXTS[reason]
