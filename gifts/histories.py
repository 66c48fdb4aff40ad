"""The giving histories of many donors, read in one question and handed on donor by donor to the decision."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from gifts.milestones import Given
from gifts.models import Gift, Giving, MilestoneReached
from gifts.models.gift import STANDS

AT_ONCE = 2_000  # gifts in memory, besides those of one donor


class Known(NamedTuple):
    """A gift with what says whether it is news."""

    given: Given
    is_history: bool
    created_at: datetime


FIELDS = ("contact_id", "received_on", "pk", "amount", "refunded", "counts", "is_one", "campaign", "fund", "source")


def gifts_of(contact_pks: Iterable[int], *more: str) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """(contact, the rows of their gifts that stand, in order of days) of those of them who have any. One query."""
    rows = Gift.objects.filter(STANDS, contact__in=list(contact_pks)).order_by("contact_id", "received_on", "pk")
    for contact, theirs in groupby(rows.values_list(*FIELDS, *more).iterator(AT_ONCE), key=itemgetter(0)):
        yield contact, list(theirs)


def histories(contact_pks: Iterable[int]) -> Iterator[tuple[int, list[Given]]]:
    """(contact, their gifts) as the decision wants them."""
    for contact, rows in gifts_of(contact_pks):
        yield contact, [given(row) for row in rows]


def known_histories(contact_pks: Iterable[int]) -> Iterator[tuple[int, list[Known]]]:
    """The same, with what says whether a gift is news."""
    for contact, rows in gifts_of(contact_pks, "is_history", "created_at"):
        yield contact, [Known(given(row), row[-2], row[-1]) for row in rows]


def given(row: tuple[Any, ...]) -> Given:
    """One row of the question."""
    _, on, pk, amount, refunded, counts, is_one, campaign, fund, source, *_ = row
    return Given(on, pk, amount - refunded if refunded else amount, counts, is_one, campaign, fund, source)


def next_donors(after: int, most: int) -> list[int]:
    """The next contacts, by number, who have gifts or milestones."""
    found: set[int] = set()
    for rows in (Giving.objects.all(), MilestoneReached.objects.distinct()):
        pks = rows.filter(contact__gt=after).order_by("contact_id").values_list("contact_id", flat=True)
        found.update(pks[:most])
    return sorted(found)[:most]
