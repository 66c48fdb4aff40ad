"""Figures of gifts for pages: what some gifts come to, and what somebody gave year by year."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, ExtractYear

from contacts.models import Contact
from gifts.fiscal import Span
from gifts.models.gift import NET, STANDS, Gift
from gifts.models.pledge import MONEY

IN_TOTALS, IN_NUMBER = STANDS & Q(counts=True), STANDS & Q(is_one=True)


@dataclass(frozen=True, slots=True)
class Sums:
    """What some gifts come to. `listed` are all rows, also those that count no more."""

    total: Decimal
    number: int
    listed: int = 0

    @property
    def others(self) -> int:
        """Rows that are no gift of their own: refunded in full, gone at their source, or parts of another one."""
        return self.listed - self.number


def summed(condition: Q | None = None) -> Any:
    """The amount of gifts in totals, as an aggregate."""
    which = IN_TOTALS & condition if condition is not None else IN_TOTALS
    return Coalesce(Sum(NET, filter=which), Decimal(0), output_field=MONEY)


def sums(rows: "QuerySet[Gift]") -> Sums:
    """Of these rows; one query."""
    numbers = Count("pk", filter=IN_NUMBER)
    return Sums(**rows.order_by().aggregate(total=summed(), number=numbers, listed=Count("pk")))


def sums_of_spans(spans: dict[str, Span]) -> dict[str, Sums]:
    """{name: what was given in this time}; one query over the time from the first day to the last."""
    asked: dict[str, Any] = {}
    for name, span in spans.items():
        within = Q(received_on__range=(span.first, span.last))
        asked |= {f"{name}_total": summed(within), f"{name}_number": Count("pk", filter=IN_NUMBER & within)}
    first, last = min(s.first for s in spans.values()), max(s.last for s in spans.values())
    found = Gift.objects.filter(received_on__range=(first, last)).order_by().aggregate(**asked)
    return {name: Sums(found[f"{name}_total"], found[f"{name}_number"]) for name in spans}


@dataclass(frozen=True, slots=True)
class Year:
    """What somebody gave in one calendar year."""

    year: int
    total: Decimal = Decimal(0)
    number: int = 0

    @property
    def first(self) -> date:
        return date(self.year, 1, 1)

    @property
    def last(self) -> date:
        return date(self.year, 12, 31)


def by_year(contact: Contact, until: int, most: int = 10) -> list[Year]:
    """Year by year, up to `until`, the last `most` of them; years without a gift in between are there as well."""
    rows: Any = Gift.objects.filter(contact=contact).filter(IN_TOTALS | IN_NUMBER).order_by()
    rows = (
        rows.annotate(year=ExtractYear("received_on"))
        .values_list("year")
        .annotate(sum=summed(), ones=Count("pk", filter=IN_NUMBER))
    )
    found = {year: Year(year, total, number) for year, total, number in rows}
    if not found:
        return []
    last = max(until, *found)
    return [found.get(year, Year(year)) for year in range(max(min(found), last - most + 1), last + 1)]
