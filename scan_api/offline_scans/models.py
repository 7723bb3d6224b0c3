"""Uploads of scans made with no network, as terminals send and get them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from card_core.codes import AMOUNT_FEN_MAX, CODE_TEXT_MAX
from card_core.kernel.acts.offline_scans import RECORDS_MAX
from card_core.store.offline_scans import OfflineOutcome
from card_core.verdicts import Reason
from scan_api.scans.models import RequestId


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class OfflineScanRecord(_Sent):
    """One accepted scan, as the terminal kept and signed it."""

    request_id: RequestId
    code: Annotated[str, Field(min_length=1, max_length=CODE_TEXT_MAX)]
    business_type: Annotated[str, Field(pattern=r"^[0-9]{5}$")]
    amount_fen: Annotated[int | None, Field(ge=1, le=AMOUNT_FEN_MAX)] = None
    scanned_at: Annotated[int, Field(ge=0, le=0xFFFF_FFFF, description="Unix seconds.")]
    sequence: Annotated[int, Field(ge=1, le=(1 << 53), description="The terminal's own count.")]
    signature: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{128}$",
            description="The terminal's over the record: docs/offline-terminals.md.",
        ),
    ]


class OfflineScanUpload(_Sent):
    """Records in any order; one that is there already keeps its outcome."""

    request_id: RequestId
    records: Annotated[list[OfflineScanRecord], Field(min_length=1, max_length=RECORDS_MAX)]


class SettledRecord(BaseModel):
    """What became of one record; the terminal need not keep it any longer."""

    request_id: str
    outcome: OfflineOutcome
    reason: Annotated[Reason | None, Field(description="Where the code itself was refused.")]


class SettledRecords(BaseModel):
    """In the order in which they were sent."""

    records: list[SettledRecord]
