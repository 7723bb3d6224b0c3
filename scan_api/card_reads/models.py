"""What terminals send and get when a chip card is read. Times RFC 3339 in UTC, amounts in fen."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from card_core.chip_cards import CARD_TEXT_MAX
from card_core.codes import AMOUNT_FEN_MAX
from scan_api.scans.models import Remark, RequestId


class CardChallenge(BaseModel):
    """What the chip is to answer: 00 88 00 00 10, then session_factor, then challenge."""

    challenge_id: Annotated[str, Field(description="To be sent back with the card's answer.")]
    session_factor: Annotated[str, Field(description="8 bytes, hexadecimal.")]
    challenge: Annotated[str, Field(description="8 bytes, hexadecimal.")]
    expires_at: datetime
    server_time: datetime


class CardReadRequest(BaseModel):
    """One chip card, read by one terminal for one purpose."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    challenge_id: Annotated[str, Field(pattern=r"^[0-9a-f]{72}$")]
    card_text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=CARD_TEXT_MAX,
            description="What iReadCardBas returned, decoded, nothing added and nothing taken.",
        ),
    ]
    cryptogram: Annotated[
        str,
        Field(
            pattern=r"^[0-9A-Fa-f]{32}$",
            description="The card's answer to internal authentication, without its status bytes.",
        ),
    ]
    business_type: Annotated[
        str, Field(pattern=r"^[0-9]{5}$", description="用码业务类型, five digits.")
    ]
    request_id: Annotated[
        RequestId,
        Field(description="Unique for each request of the terminal; the same again is a retry."),
    ]
    amount_fen: Annotated[
        int | None,
        Field(ge=1, le=AMOUNT_FEN_MAX, description="What is to be paid, where money moves."),
    ] = None
    operator: Annotated[Remark | None, Field(description="The clerk, by the terminal's words.")] = (
        None
    )
    department: Annotated[Remark | None, Field(description="The desk or department.")] = None
