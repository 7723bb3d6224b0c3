"""Examples for the reference; the tests read each through its model."""

from typing import Any

_TOKEN = "c2Vzc2lvbi10b2tlbi1vZi1hbi1leGFtcGxlLTAwMDA"  # noqa: S105 - nobody's session
_PERSON = {"social_security_number": "990101199001011237", "name": "张小明"}

ATTEMPT: dict[str, Any] = {"name": "zhou", "attempt": _TOKEN}
CHALLENGE: dict[str, Any] = {"challenge": "73736361726420"}
SIGN_IN: dict[str, Any] = {
    "name": "zhou",
    "password": "Lantern 4 Estuary",
    "dynamic_password": "287082",
    "attempt": None,
    "signature": None,
}
SESSION: dict[str, Any] = {
    "session": _TOKEN,
    "expires_at": "2026-01-01T04:00:00Z",
    "clerk": "周经办",
    "server_time": "2026-01-01T00:00:00.250000Z",
}
ACTIVATION: dict[str, Any] = {
    "session": _TOKEN,
    "request_id": "counter-20260101-000001",
    "person": _PERSON,
    "card_number": "GD0000001",
    "evidence": "identity_document",
}
ACTIVATED: dict[str, Any] = {"card_state": "normal"}
LOSS: dict[str, Any] = {
    "session": _TOKEN,
    "request_id": "counter-20260101-000002",
    "person": _PERSON,
}
LOST: dict[str, Any] = {
    "card_state": "temporary_loss",
    "loss_lapses_at": "2026-01-08T16:00:00Z",
}
APPLICATION: dict[str, Any] = {
    "session": _TOKEN,
    "request_id": "visit-20260101-000001",
    "applicant": {
        "name": "张小明",
        "certificate": "居民身份证",
        "number": "990101199001011237",
        "sex": "男",
        "ethnic_group": "汉族",
        "birth_on": "1990-01-01",
        "phone": "13900001234",
        "address": "佛山市禅城区测试路1号",
        "region": "440604",
        "bank": "102",
        "branch": "440604001",
    },
    "evidence": "identity_document",
}
FILED: dict[str, Any] = {
    "application_id": "0019b7a4c1d23f5e8a90b1c2d3e4f507",
    "state": "filed",
}
