"""Signing in, by key, by dynamic password and by ticket."""

from typing import Final

from issuance.console.reference.example import Example

_ATTEMPT: Final = "5d0c1f7e92ab44d1b3a6c8e07f215a90"
_SIGNATURE: Final = "3045aa10" * 16
_SESSION: Final = {
    "name": "wang",
    "display_name": "王经办",
    "roles": ["maker"],
    "seconds_left": 1800,
    "expires_at": "2026-03-02T09:30:00Z",
}

EXAMPLES: Final = {
    "askChallenge": Example(
        {"attempt": _ATTEMPT, "challenge": "7373636172642f6f70657261746f722f" * 2},
        {"name": "wang"},
    ),
    "signIn": Example(
        {"token": "c0ffee00" * 8, "expires_at": "2026-03-02T09:30:00Z"},
        {
            "attempt": _ATTEMPT,
            "password": "Lantern 4 Estuary",
            "signature": _SIGNATURE,
            "dynamic_password": None,
            "in_cookie": False,
        },
    ),
    "askTicket": Example(
        {"ticket": "7KQM-X2VT-NC9R", "ends_at": "2026-03-02T01:31:00Z"},
        {"attempt": _ATTEMPT, "password": "Lantern 4 Estuary", "signature": _SIGNATURE},
    ),
    "signInByTicket": Example(
        {"token": None, "expires_at": "2026-03-02T09:30:00Z"}, {"ticket": "7kqm x2vt nc9r"}
    ),
    "signOut": Example(),
    "getSession": Example(_SESSION),
    "keepSession": Example(_SESSION),
}
