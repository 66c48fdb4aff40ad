"""Years as the organization counts them. Pure: days in, days out."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """Days from one to another, both included."""

    first: date
    last: date


def fiscal_year(day: date, first_month: int) -> Span:
    """The fiscal year in which this day lies."""
    year = day.year if day.month >= first_month else day.year - 1
    return Span(date(year, first_month, 1), date(year + 1, first_month, 1) - timedelta(days=1))


def year_before(day: date) -> date:
    """The same day a year ago; February 29 is February 28 then."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def month_of(day: date) -> Span:
    """The calendar month of this day."""
    first = day.replace(day=1)
    return Span(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
