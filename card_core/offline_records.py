"""The record of a scan that a terminal made with no network: its fields, and what is signed.

The terminal signs at the scan. With that signature a code that was taken twice is evidence against
whoever showed or took it, however late the record comes. The bytes are in
docs/offline-terminals.md.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from crypto import sm3

CONTEXT: Final = b"sscard/offline-scan/v1\n"
SIGNATURE_SIZE: Final = 64


@dataclass(frozen=True, slots=True, repr=False)
class OfflineRecord:
    """code: its text. sequence: the terminal's own count, from 1. scanned_at: whole seconds.

    request_id: unique for each request of the terminal. amount_fen: None where no money moves.
    """

    terminal: bytes
    sequence: int
    scanned_at: datetime
    business_type: str
    amount_fen: int | None
    request_id: str
    code: str

    def code_digest(self) -> bytes:
        """SM3 of the code's text."""
        return sm3.digest(self.code.encode())

    def to_be_signed(self) -> bytes:
        """Context, terminal (8), sequence (8), scanned at (8), business type (5), amount (4, all
        ones for none), SM3 of the code's text (32), and the request id."""
        amount = 0xFFFF_FFFF if self.amount_fen is None else self.amount_fen
        return b"".join(
            (
                CONTEXT,
                self.terminal,
                self.sequence.to_bytes(8),
                int(self.scanned_at.timestamp()).to_bytes(8),
                self.business_type.encode(),
                amount.to_bytes(4),
                self.code_digest(),
                self.request_id.encode(),
            )
        )
