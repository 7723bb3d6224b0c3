"""Examples for the reference; the tests read each through its model."""

from typing import Any

from card_core.codes import picture

_TOKEN = "c2Vzc2lvbi10b2tlbi1vZi1hbi1leGFtcGxlLTAwMDA"  # noqa: S105 - nobody's session
_TEXT = "0123456789012345678901234567"

CHANNEL: dict[str, Any] = {
    "serial_number": "00000000000000c1",
    "kind": "kiosk",
    "is_attended": False,
    "institution_code": "B44060400003",
    "institution_name": "禅城区社保服务大厅",
    "rights": ["print_code", "report_temporary_loss", "see_applications"],
    "server_time": "2026-01-01T00:00:00.250000Z",
}
SIGN_IN: dict[str, Any] = {"social_security_number": "990101199001011237", "password": "274095"}
SESSION: dict[str, Any] = {
    "session": _TOKEN,
    "expires_at": "2026-01-01T00:05:00Z",
    "name": "*小明",
    "card_state": "normal",
    "e_card_state": "active",
    "server_time": "2026-01-01T00:00:00.250000Z",
}
SESSION_ALONE: dict[str, Any] = {"session": _TOKEN}
ENDED: dict[str, Any] = {"ended_at": "2026-01-01T00:03:00.250000Z"}
LOSS: dict[str, Any] = {"session": _TOKEN, "request_id": "kiosk-20260101-000001"}
LOST: dict[str, Any] = {
    "card_state": "temporary_loss",
    "loss_lapses_at": "2026-01-08T16:00:00Z",
}
PRINTED: dict[str, Any] = {
    "text": _TEXT,
    "picture_svg": picture.to_svg(_TEXT),
    "bars_svg": picture.bars_to_svg(_TEXT),
    "valid_until": "2026-01-01T00:30:00Z",
    "server_time": "2026-01-01T00:00:00.250000Z",
}
