"""Values on their way in and out: dates as the vendor writes them, money without zeros, text cut and narrowed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.fakes.donor_perfect.errors import sql_error
from tests.fakes.donor_perfect.tables import Kind

STORED = "%Y-%m-%d %H:%M:%S"
NO_DATE = "Conversion failed when converting date and/or time from character string."
SHAPES = (
    re.compile(r"(?P<month>\d{1,2})[/-](?P<day>\d{1,2})[/-](?P<year>\d{4})"
               r"(?: (?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?: ?(?P<half>[AP]M))?)?", re.I),
    re.compile(r"(?P<year>\d{4})-?(?P<month>\d{2})-?(?P<day>\d{2})"
               r"(?:[ T](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,3})?)?)?", re.I),
)  # fmt: skip
WRITTEN = re.compile(r"\d{1,2}/\d{1,2}/\d{4}")


def read_date(text: str) -> str:
    """A date literal of SQL Server, as it is kept here. The empty one is the year 1900, as there."""
    text = text.strip()
    if not text:
        return "1900-01-01 00:00:00"
    for shape in SHAPES:
        if found := shape.fullmatch(text):
            parts: dict[str, Any] = found.groupdict()
            hour, half = int(parts.get("hour") or 0), (parts.get("half") or "").upper()
            if half and not 1 <= hour <= 12:
                raise sql_error(NO_DATE)
            hour = hour % 12 + 12 * (half == "PM") if half else hour
            try:
                day = datetime(int(parts["year"]), int(parts["month"]), int(parts["day"]), hour,  # noqa: DTZ001
                               int(parts.get("minute") or 0), int(parts.get("second") or 0))  # fmt: skip
            except ValueError:
                raise sql_error(NO_DATE) from None
            return day.strftime(STORED)
    raise sql_error(NO_DATE)


def write_date(stored: str) -> str:
    """M/D/YYYY, with the time only where it is not midnight."""
    day = datetime.strptime(stored, STORED)  # noqa: DTZ007 - the vendor knows no zone
    text = f"{day.month}/{day.day}/{day.year}"
    if not (day.hour or day.minute or day.second):
        return text
    return f"{text} {day.hour % 12 or 12}:{day:%M:%S} {'PM' if day.hour >= 12 else 'AM'}"


def write_number(value: float | int) -> str:
    """Without trailing zeros: 534, 29.95, -10."""
    text = f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return "0" if text == "-0" else text


def write(value: Any, kind: Kind | None) -> str:
    """A value as an answer shows it; NULL is the empty text."""
    if value is None:
        return ""
    if kind == "date":
        return write_date(str(value))
    if kind == "bit":
        return "True" if value else "False"
    return write_number(value) if isinstance(value, int | float) else str(value)


def narrowed(text: str) -> str:
    """What is left of a text without N'…': question marks for whatever Windows-1252 does not have."""
    return text.encode("cp1252", "replace").decode("cp1252")
