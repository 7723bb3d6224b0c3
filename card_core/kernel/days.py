"""The days of device credentials and status lists: they end at midnight in Shanghai."""

from datetime import UTC, date, datetime, timedelta

from card_core.kernel.dates import SHANGHAI

DAY = timedelta(days=1)


def end_of_day(now: datetime) -> datetime:
    """The end of the day in which `now` lies, aware, UTC; midnight itself begins a day."""
    midnight = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + DAY).astimezone(UTC)


def is_end_of_day(at: datetime) -> bool:
    return end_of_day(at - timedelta(microseconds=1)) == at


def date_of_day(day_ends_at: datetime) -> date:
    """The date in Shanghai of a day, known by its end."""
    return (day_ends_at - DAY).astimezone(SHANGHAI).date()


def days_carried(now: datetime) -> list[datetime]:
    """The ends of the days whose lists a terminal carries: today, and near midnight a neighbour.

    Yesterday's for ten minutes, since clocks differ; tomorrow's for the last six hours, so that a
    terminal whose network fails in the evening can still serve the next morning.
    """
    today = end_of_day(now)
    days = [today]
    if now < today - DAY + timedelta(minutes=10):
        days.insert(0, today - DAY)
    if now >= today - timedelta(hours=6):
        days.append(today + DAY)
    return days
