"""Contents of receipts to test with, under keys of nobody."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from card_core.codes import ForWhom, KeyState, Presence
from card_core.presented import Medium
from card_core.receipts import NO_CLERK, NO_SCAN, ReceiptContent, ReceiptKey, ReceiptKind
from crypto import sm2

AT = datetime(2026, 3, 2, 1, 30, 7, 125000, tzinfo=UTC)


@dataclass
class CountingSigner:
    """A signer that counts, since a group is to cost one signature."""

    key: sm2.PrivateKey = field(default_factory=sm2.PrivateKey.generate)
    signed: int = 0

    @property
    def public_key(self) -> sm2.PublicKey:
        return self.key.public_key()

    def sign(self, message: bytes) -> bytes:
        self.signed += 1
        return self.key.sign(message)

    def as_key(self, state: KeyState = KeyState.ACTIVE) -> ReceiptKey:
        return ReceiptKey(7, 3, self.public_key, state)


def content(serial: int = 0) -> ReceiptContent:
    """A scan's content; the serial decides every field."""
    drawn = random.Random(serial)
    return ReceiptContent(
        kind=ReceiptKind.SCAN,
        issuer=7,
        key_number=3,
        at=AT + timedelta(milliseconds=serial),
        scan_id=f"{serial + 1:032x}",
        original_scan_id=NO_SCAN,
        business_type=drawn.choice(["01101", "01301", "02121"]),
        amount_fen=drawn.choice([None, 0, 2350, 0xFFFFFF]),
        medium=drawn.choice(list(Medium)),
        presence=drawn.choice(list(Presence)),
        for_whom=drawn.choice(list(ForWhom)),
        pseudonym=drawn.randbytes(16),
        clerk=drawn.choice([NO_CLERK, drawn.randbytes(32)]),
        terminal=drawn.randbytes(8),
        institution_code=drawn.choice(["P44060400002", "H44060400001", "A" * 20, "000001"]),
        audit_chain=drawn.choice(["scan", "s", "a" * 16]),
        audit_seq=serial + 1,
        audit_link=drawn.randbytes(32),
    )
