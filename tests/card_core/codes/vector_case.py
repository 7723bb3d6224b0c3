"""One example of tests/vectors/codes.json: a text, what it is held against, and the answer."""

from dataclasses import dataclass
from typing import Any

from raw_codes import NOW, TERMINAL, RawOffline, RawOnline


@dataclass(frozen=True)
class Case:
    """`expected` is what the code says, or the reason why it is refused."""

    name: str
    about: str
    text: str
    expected: dict[str, Any] | str
    now: int = NOW
    business_type: str = "01101"
    amount_fen: int | None = None
    terminal: bytes = TERMINAL

    def to_json(self) -> dict[str, Any]:
        accepted = isinstance(self.expected, dict)
        return {
            "name": self.name,
            "about": self.about,
            "text": self.text,
            "now": self.now,
            "business_type": self.business_type,
            "terminal": self.terminal.hex(),
            "amount_fen": self.amount_fen,
            "outcome": "accepted" if accepted else "refused",
            "fields" if accepted else "reason": self.expected,
        }


def fields_of(code: RawOnline | RawOffline) -> dict[str, Any]:
    """What a verifier gives back: numbers as in the bytes, byte strings in hex."""
    head = code if isinstance(code, RawOnline) else code.credential
    common = {
        "kind": head.version_kind & 0x0F,
        "issuer": head.issuer,
        "key_number": head.key_number,
        "minted_at": code.minted_at,
        "purpose_class": code.purpose_class,
        "purposes": code.purposes,
        "for_whom": head.flags & 3,
        "presence": head.flags >> 2,
        "terminal": code.terminal.hex(),
        "amount_fen": code.amount_fen,
    }
    if isinstance(code, RawOnline):
        return {**common, "box": code.box.hex()}
    return {
        **common,
        "nonce": code.nonce.hex(),
        "device_key": code.credential.device_key.hex(),
        "status_index": code.credential.status_index,
        "credential_expires_at": code.credential.expires_at,
    }


def refused_online(reason: str, name: str, about: str, code: RawOnline, **against: Any) -> Case:
    return Case(f"{reason}-online-{name}", about, code.text(), reason, **against)


def refused_offline(reason: str, name: str, about: str, code: RawOffline, **against: Any) -> Case:
    return Case(f"{reason}-offline-{name}", about, code.text(), reason, **against)
