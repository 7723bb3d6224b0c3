"""Examples for the reference; the tests read each through its model."""

from typing import Any

from card_core.verdicts import Reason

# Under a key of nobody: it can be read, and no issuer verifies it.
RECEIPT = (
    "AQGqAQABAQAAAZt22upoABm3pMHSP16KkLHC0-T1BgAAAAAAAAAAAAAAAAAAAAAwMjEyMQAACS4BAABd"
    "DB9-kqtE0bOmyOB_IVqQhhYMXkb5WBeLkInTHWRQ1WCyAls5bNWtCy4CcrBKp4gAAAAAAAAAoQAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEc2NhbgxQMTEwMTAxMDAwMDEAFfRPWzKW"
    "VwMU8JRjAYfcqKX-ik_CKDmwvA5VgvmC6g2GHhpHA7S0iG9ALJwl7okZ3M5yhRGIigi3Ryn2J24r"
)

RECEIPT_FETCHED: dict[str, Any] = {
    "scan_id": "0019b7a4c1d23f5e8a90b1c2d3e4f506",
    "receipt": RECEIPT,
    "clerk_salt": "c0ffee00112233445566778899aabbcc",
}

REQUEST: dict[str, Any] = {
    "code": "7406" + "0" * 248 + "1",
    "business_type": "02121",
    "request_id": "till-3-20260101-000017",
    "amount_fen": 2350,
    "operator": "0042",
    "department": "till 3",
}


def verdict(reason: Reason, *, card_state: str | None, holder: Any) -> dict[str, Any]:
    action = reason.next_action
    return {
        "scan_id": "0019b7a4c1d23f5e8a90b1c2d3e4f506",
        "outcome": reason.outcome,
        "reason": reason.value,
        "text_zh": reason.text_zh,
        "text_en": reason.text_en,
        "phone_clock_seconds": None,
        "next_action": {
            "clerk_zh": action.clerk_zh,
            "clerk_en": action.clerk_en,
            "holder_zh": action.holder_zh,
            "holder_en": action.holder_en,
        },
        "card_state": card_state,
        "scanned_at": "2026-01-01T00:00:17Z",
        "medium": None if card_state is None else "online_code",
        "presence": None if card_state is None else "plain",
        "for_whom": None if card_state is None else "self",
        "holder": holder,
        "pseudonym": holder and "5d0c1f7e92ab44d1b3a6c8e07f215a90",
        "receipt": holder and RECEIPT,
        "clerk_salt": holder and "c0ffee00112233445566778899aabbcc",
        "visit": None,
    }


# Nobody's number: there is no region 99.
_SHOWN = {
    "view": "full",
    "name": "王小明",
    "social_security_number": "990101199001011237",
    "card_number": "FS1234567",
    "sign_number": "00000120260101000000000017",
    "phone": None,
    "sex": None,
    "age_band": None,
    "entitled": None,
}

ACCEPTED = verdict(Reason.ACCEPTED, card_state="normal", holder=_SHOWN)
ALREADY_USED = verdict(Reason.ALREADY_USED, card_state="normal", holder=None)
CARD_LOST = verdict(Reason.CARD_LOST, card_state="temporary_loss", holder=None)
VISIT_ENDED = verdict(Reason.VISIT_ENDED, card_state=None, holder=None)
EXPIRED = verdict(Reason.EXPIRED, card_state=None, holder=None)

TERMINAL: dict[str, Any] = {
    "serial_number": "00000000000000a1",
    "institution_code": "P11010100001",
    "institution_name": "示范大药房",
    "institution_kind": "pharmacy",
    "server_time": "2026-01-01T00:00:17Z",
    "business_types": [
        {
            "code": "02121",
            "name_zh": "药店购药",
            "name_en": "Buying medicine at a pharmacy",
            "consumes": True,
        },
    ],
}
