"""Figures in JSON; `card_core.figures` and `card_core.scan_figures` have the rules."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from card_core.figures import OTHER, SMALL, Counts, Dimension, Figures
from card_core.scan_figures import ScanFigures
from card_core.verdicts import Reason

Rate = Annotated[float | None, Field(ge=0, le=1)]
Cards = Annotated[int, Field(ge=0)]
Days = Annotated[int | None, Field(ge=0)]


class FigureCounts(BaseModel):
    """Of the cards issued, those handed over and activated; cancelled ones stay counted.

    `taken_over`: cards from before this service, in no other count but the e-cards'.
    `days_median`, `days_p95`: from application to hand-over; null where fewer than 10 are known.
    """

    issued: Cards
    handed_over: Cards
    handed_over_rate: Rate
    activated: Cards
    activated_rate: Rate
    ecards_activated: Cards
    ecards_activated_rate: Rate
    cancelled: Cards
    taken_over: Cards
    days_median: Days
    days_p95: Days

    @classmethod
    def of(cls, counts: Counts) -> "FigureCounts":
        return cls(**{name: getattr(counts, name) for name in cls.model_fields})


class FigureRow(BaseModel):
    """`all` where figures aren't broken down by it; `other` for small groups together."""

    region: str
    bank: str
    month: str
    counts: FigureCounts


class BureauFigures(BaseModel):
    """`total` is null, and `rows` empty, where there are fewer than `small` cards."""

    as_of: datetime
    small: int
    by: list[Dimension]
    total: FigureCounts | None
    rows: list[FigureRow]

    @classmethod
    def of(cls, figures: Figures, as_of: datetime) -> "BureauFigures":
        rows = [
            FigureRow(
                region=row.region,
                bank=row.bank,
                month=row.month,
                counts=FigureCounts.of(row.counts),
            )
            for row in figures.rows
        ]
        total = None if figures.total is None else FigureCounts.of(figures.total)
        return cls(as_of=as_of, small=SMALL, by=list(figures.by), total=total, rows=rows)


class ScanGroup(BaseModel):
    """`value`: an hour in Shanghai, as 2026-07-01T08, or a reason; `other` for small groups."""

    value: str
    text_zh: str
    text_en: str
    count: Annotated[int, Field(ge=SMALL)]


class ScanFiguresView(BaseModel):
    """`scans`, `refused`: null where they are fewer than `small`. Only what was checked online."""

    as_of: datetime
    since: datetime
    small: int
    scans: int | None
    refused: int | None
    by_hour: list[ScanGroup]
    by_reason: list[ScanGroup]

    @classmethod
    def of(cls, found: ScanFigures, as_of: datetime) -> "ScanFiguresView":
        return cls(
            as_of=as_of,
            since=found.since,
            small=SMALL,
            scans=found.scans,
            refused=found.refused,
            by_hour=[_group(value, count, None) for value, count in found.by_hour],
            by_reason=[
                _group(value, count, None if value == OTHER else Reason(value))
                for value, count in found.by_reason
            ],
        )


def _group(value: str, count: int, reason: Reason | None) -> ScanGroup:
    if value == OTHER:
        zh, en = "其他合计", "Others together"
    elif reason is not None:
        zh, en = reason.text_zh, reason.text_en
    else:
        zh = en = f"{value[-2:]}:00"
    return ScanGroup(value=value, text_zh=zh, text_en=en, count=count)
