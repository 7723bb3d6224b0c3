"""Dates of law: they are Shanghai's. China has one time zone and no summer time."""

from datetime import date, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))


def years_later(day: date, years: int) -> date:
    """The same day of the year; the 28th where that year has no 29th of February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
