"""The tallies that figures are made of: one statement, so one moment, and nothing of a person."""

from datetime import datetime
from typing import Any

from sqlalchemy import Integer, String, and_, case, cast, func, or_, select

from card_core.figures import NO_BANK, Tally
from card_core.scan_figures import ScanTally
from card_core.states import HANDED_OVER, BatchKind, CardState
from card_core.store.database import Reader
from card_core.store.ids import earliest
from card_core.store.schema import (
    batches,
    card_dates,
    cards,
    ecards,
    filings,
    holders,
    makings,
    scans,
)

_MONTH_CHARACTERS = 7  # of 2026-07-01
_IN_USE_ONCE = (CardState.NOT_ACTIVATED.value, CardState.CANCELLED.value)


# Who applied alone did so before the batch came together.
_FILED = (
    select(filings.c.batch_id, holders.c.id.label("holder_id"), filings.c.filed_at)
    .join(holders, holders.c.number_index == filings.c.number_index)
    .where(filings.c.batch_id.is_not(None))
    .subquery()
)


def tallies(tx: Reader) -> list[Tally]:
    """All cards. The rows are counted as they are: `audit.verify_rows` is who checks each."""
    # A card in any other state was activated, also where nobody noted when.
    activated = or_(card_dates.c.activated_on.is_not(None), cards.c.state.not_in(_IN_USE_ONCE))
    # Whoever activates a card has it in hand: one that was made at once has no other hand-over.
    handed_over = or_(
        card_dates.c.handed_over_on.is_not(None),
        makings.c.state.in_([state.value for state in HANDED_OVER]),
        activated,
    )
    columns = [
        cards.c.region,
        func.coalesce(makings.c.bank, NO_BANK),
        func.substr(cast(cards.c.issued_on, String), 1, _MONTH_CHARACTERS),
        func.coalesce(batches.c.kind, BatchKind.ROSTER.value) == BatchKind.STOCK.value,
        _known(handed_over),
        _known(activated),
        ecards.c.sign_number.is_not(None),
        cards.c.state == CardState.CANCELLED.value,
        _days(tx, func.coalesce(_FILED.c.filed_at, batches.c.created_at)),
    ]
    named = [column.label(f"c{number}") for number, column in enumerate(columns)]
    statement = (
        select(*named, func.count())
        .select_from(cards)
        .join(batches, batches.c.id == cards.c.batch_id)
        .join(ecards, ecards.c.card_id == cards.c.id)
        .outerjoin(makings, makings.c.id == cards.c.id)
        .outerjoin(card_dates, card_dates.c.card_id == cards.c.id)
        .outerjoin(
            _FILED,
            and_(_FILED.c.batch_id == cards.c.batch_id, _FILED.c.holder_id == cards.c.holder_id),
        )
        .group_by(*named)
    )
    return [_tally(row) for row in tx.connection.execute(statement)]


def scan_tallies(tx: Reader, since: datetime) -> list[ScanTally]:
    """The scans from `since` (aware) on, by hour and reason; ids are in the order of time, so only
    these rows are read."""
    hour, reason = _hour(tx, scans.c.scanned_at).label("hour"), scans.c.reason
    statement = (
        select(hour, reason, func.count())
        .where(scans.c.id >= earliest(since))
        .group_by(hour, reason)
    )
    return [ScanTally(*row) for row in tx.connection.execute(statement)]


def _hour(tx: Reader, at: Any) -> Any:
    """As 2026-07-01T08, in Shanghai."""
    if tx.is_sqlite:
        return func.strftime("%Y-%m-%dT%H", at, "+8 hours")
    return func.to_char(func.timezone("Asia/Shanghai", at), 'YYYY-MM-DD"T"HH24')


def _known(condition: Any) -> Any:
    """A comparison with what is not there is neither true nor false in SQL; here it is false."""
    return case((condition, 1), else_=0) == 1


def _days(tx: Reader, applied_at: Any) -> Any:
    """From the day of the application to that of the hand-over, both in Shanghai."""
    if tx.is_sqlite:
        applied = func.julianday(func.date(applied_at, "+8 hours"))
        return cast(func.julianday(card_dates.c.handed_over_on) - applied, Integer)
    applied_on = cast(func.timezone("Asia/Shanghai", applied_at), cards.c.issued_on.type)
    return card_dates.c.handed_over_on - applied_on


def _tally(row: Any) -> Tally:
    region, bank, month, taken_over, handed_over, activated, ecard, cancelled, days, count = row
    return Tally(
        region=region,
        bank=bank,
        month=month,
        taken_over=bool(taken_over),
        handed_over=bool(handed_over),
        activated=bool(activated),
        ecard_activated=bool(ecard),
        cancelled=bool(cancelled),
        days=days,
        count=count,
    )
