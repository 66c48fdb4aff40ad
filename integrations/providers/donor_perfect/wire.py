"""How values, SQL and the key are written for DonorPerfect (dossier, sections 2 and 3).

The vendor puts what we send into SQL of its own, so that only this file writes text into quotes: apostrophes doubled,
control characters gone. Names of columns and tables are never made of anything that came from outside.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from urllib.parse import quote

Value = str | int | Decimal | date | bool | None
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
NOT_FOR_A_QUERY = re.compile(r"[^A-Za-z0-9._~%-]")


def key_as_sent(key: str) -> str:
    """The key for the query string. As issued it is percent-encoded already, and is not encoded again (section 2).

    A key that was decoded on its way to us has bare signs such as + and /: only those are encoded.
    """
    key = BARE_PERCENT.sub("%25", key.strip())
    return NOT_FOR_A_QUERY.sub(lambda sign: quote(sign[0], safe=""), key)


def encoded(value: str) -> str:
    """A whole SQL statement or list of parameters for the query string: encoded once, blanks as %20."""
    return quote(value, safe="")


def cleaned(text: str) -> str:
    """The same text without control characters; a line break is a blank."""
    return CONTROL.sub(" ", text).strip()


def quoted(text: str) -> str:
    """Text between apostrophes, N'…' where it holds more than ASCII; harmless on systems without Unicode (3.3)."""
    text = cleaned(text).replace("'", "''")
    return f"'{text}'" if text.isascii() else f"N'{text}'"


def day(value: date) -> str:
    """The one form of a date that every call takes."""
    return f"'{value:%m/%d/%Y}'"


def literal(value: Value) -> str:
    """A value by its type: what looks like a number but is text stays in quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "'Y'" if value else "'N'"
    if isinstance(value, date):
        return day(value)
    return quoted(value) if isinstance(value, str) else str(value)


def parameters(values: Mapping[str, Value]) -> str:
    """`params` of a stored procedure, all by name."""
    return ",".join(f"@{name}={literal(value)}" for name, value in values.items())


def whole_numbers(values: list[int]) -> str:
    """A list for IN (…)."""
    return ", ".join(str(int(value)) for value in values)
