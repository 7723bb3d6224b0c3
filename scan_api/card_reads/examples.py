"""Examples for the reference; the tests read each through its model."""

from typing import Any

from card_core.verdicts import Reason
from scan_api.scans.examples import verdict

CHALLENGE: dict[str, Any] = {
    "challenge_id": "6955b900" + "0102030405060708" + "1122334455667788" + "00" * 16,
    "session_factor": "0102030405060708",
    "challenge": "1122334455667788",
    "expires_at": "2026-01-01T00:01:00Z",
    "server_time": "2026-01-01T00:00:00.250000Z",
}
# Nobody's number: there is no region 99.
REQUEST: dict[str, Any] = {
    "challenge_id": CHALLENGE["challenge_id"],
    "card_text": "990101|990101199001011237|SB0000001|990101D1560000050000002A|王小明|"
    "00814F4D4331323334353637AA|3.00|20260101|20360101|440600000017|HD-100-00042|",
    "cryptogram": "d698d72c2c8843fdeaa825c4ae9c00d9",
    "business_type": "01101",
    "request_id": "desk-2-20260101-000004",
}
CARD_NOT_GENUINE = verdict(Reason.CARD_NOT_GENUINE, card_state=None, holder=None)
CHALLENGE_INVALID = verdict(Reason.CHALLENGE_INVALID, card_state=None, holder=None)
