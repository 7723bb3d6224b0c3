"""What personal data is used for, on which ground, and what the holder says to it."""

from datetime import datetime

from pydantic import BaseModel

from card_core.data_uses import DataUse, Ground
from scan_api.holders.models import HolderRequest


class ConsentChange(HolderRequest):
    """Whether the holder consents from now on."""

    given: bool


class DataUseView(BaseModel):
    """`given`: whether the holder consents; null where the use rests on another ground.
    `changed_at`: since when, where it was ever said."""

    data_use: DataUse
    ground: Ground
    name_zh: str
    name_en: str
    text_zh: str
    text_en: str
    given: bool | None
    changed_at: datetime | None


class DataUses(BaseModel):
    data_uses: list[DataUseView]


class ConsentSet(BaseModel):
    """`ended`: how many relatives or phones went with it."""

    data_use: DataUse
    given: bool
    changed_at: datetime
    ended: int
