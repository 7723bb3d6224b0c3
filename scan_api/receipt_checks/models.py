"""What is asked of the public check, and what it tells."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# A whole answer with its receipt; however it is escaped, less than a body may be.
RECEIPT_CHARACTERS_MAX = 8192


class ReceiptCheckRequest(BaseModel):
    """receipt: its text, or the whole answer that it came in."""

    model_config = ConfigDict(extra="forbid", strict=True)

    receipt: str = Field(min_length=1, max_length=RECEIPT_CHARACTERS_MAX)


class ReceiptChecked(BaseModel):
    """Whether the receipt is genuine; if so, what it is of. The rest is null where it is not.

    reversed: whether what it is of was taken back since; null for a reversal itself.
    """

    genuine: bool
    kind: Literal["scan", "refund", "return", "void"] | None = None
    at: datetime | None = None
    institution_code: str | None = None
    institution_name: str | None = None
    business_type_zh: str | None = None
    business_type_en: str | None = None
    reversed: bool | None = None
