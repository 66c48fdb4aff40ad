"""`?filter=` as OSDI has it, the part that clients use: comparisons with eq, gt and lt, joined by `and` (O14). Pure.

What cannot be read is an error, never “everything”.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Upper
from django.utils.dateparse import parse_date, parse_datetime

from gifts.api.osdi.errors import Wrong

LONGEST, MOST = 1000, 10
# field op 'value'; a quote inside a value is doubled. Some clients write no blank around “and”.
CLAUSE = re.compile(r"\s*([A-Za-z_]{1,40})\s+([A-Za-z]{1,10})\s+'((?:[^']|'')*)'\s*", re.ASCII)
JOINT = re.compile(r"and", re.IGNORECASE)
# Equal is asked as a range: otherwise SQLite, while it has no statistics, reads all of a larger index instead.
LOOKUPS = {"eq": ("gte", "lte"), "gt": ("gt",), "lt": ("lt",)}
HOW = "A filter looks like: email_address eq 'jsmith@mail.com'"


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison."""

    name: str
    op: str
    value: str


Compare = Callable[[str, str], Q]  # (op, value) → the condition


def read(text: str) -> list[Clause]:
    """The comparisons of a filter. Raises `Wrong`."""
    if len(text) > LONGEST:
        raise Wrong(f"A filter may have {LONGEST} letters at most.")
    found, position = [], 0
    while True:
        match = CLAUSE.match(text, position)
        if match is None:
            raise Wrong(f"This filter cannot be read. {HOW}")
        name, op, value = match[1].lower(), match[2].lower(), match[3].replace("''", "'")
        if op not in LOOKUPS:
            raise Wrong(f"“{match[2]}” is not possible in a filter; eq, gt and lt are.")
        found.append(Clause(name, op, value))
        position = match.end()
        if position == len(text):
            return found
        joint = JOINT.match(text, position)
        if joint is None or len(found) == MOST:
            raise Wrong(f"This filter cannot be read. {HOW}; several are joined by “and”, {MOST} at most.")
        position = joint.end()


def apply(rows: "QuerySet[Any]", text: str, known: Mapping[str, Compare]) -> "QuerySet[Any]":
    """The rows that the filter leaves. Raises `Wrong`, also for what cannot be filtered by."""
    for clause in read(text) if text.strip() else ():
        if clause.name not in known:
            fields = ", ".join(known) or "nothing"
            raise Wrong(f"There is no filter by “{clause.name}” here; there is by: {fields}.")
        rows = rows.filter(known[clause.name](clause.op, clause.value))
    return rows


# --- how a field is compared ---


def words(model: type[Model], name: str, link: str = "") -> Compare:
    """Letters, whatever their case, by the index on the upper case of this column. `link` leads from a part of the
    contact to it."""

    def compare(op: str, value: str) -> Q:
        found = Q(**{f"compared__{each}": Upper(Value(value)) for each in LOOKUPS[op]})
        rows = model._default_manager.alias(compared=Upper(F(name))).filter(found)
        return Q(pk__in=rows.order_by().values(link or "pk"))

    return compare


def moment(name: str) -> Compare:
    """A time. Answers are to the second, so `eq` means within it; `gt` may tell again of what was told, and passes over
    nothing."""

    def compare(op: str, value: str) -> Q:
        when = read_moment(value)
        if op == "eq":
            return Q(**{f"{name}__gte": when, f"{name}__lt": when + timedelta(seconds=1)})
        return Q(**{f"{name}__{op}": when})

    return compare


def read_moment(value: str) -> datetime:
    """A day or a time, in UTC where no zone is said. Raises `Wrong`."""
    wrong = Wrong("A time in a filter looks like '2026-05-01' or '2026-05-01T12:00:00Z'.")
    text = value.strip().replace(" ", "T", 1) if len(value) <= 40 else ""
    try:
        day = parse_date(text)
        found = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
        if found is None:
            raise wrong
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None
    if not 1900 <= found.year <= 9000:
        raise wrong
    return found


def only_eq(field: str, compare: Callable[[str], Q]) -> Compare:
    """What can be equal or not, and neither more nor less."""

    def check(op: str, value: str) -> Q:
        if op != "eq":
            raise Wrong(f"“{field}” can only be compared with eq.")
        return compare(value)

    return check
