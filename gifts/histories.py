"""The giving histories of many donors, read in one question and handed on donor by donor to the decision."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from gifts.milestones import Given
from gifts.models import Gift, Giving, MilestoneReached
from gifts.models.gift import STANDS

AT_ONCE = 2_000  # gifts in memory, besides those of one donor


class Known(NamedTuple):
    """A gift with what says whether it is news."""

    given: Given
    is_history: bool
    created_at: datetime


def histories(contact_pks: Iterable[int]) -> Iterator[tuple[int, list[Known]]]:
    """(contact, their gifts that stand, in order of days) of those of them who have any. One query."""
    rows = Gift.objects.filter(STANDS, contact__in=list(contact_pks)).order_by("contact_id", "received_on", "pk")
    values = rows.values_list(
        "contact_id", "received_on", "pk", "amount", "refunded", "counts", "is_one", "campaign", "fund", "source",
        "is_history", "created_at",
    )  # fmt: skip
    for contact, theirs in groupby(values.iterator(AT_ONCE), key=itemgetter(0)):
        yield contact, [known(row) for row in theirs]


def known(row: tuple) -> Known:
    """One row of the question."""
    _, on, pk, amount, refunded, counts, is_one, campaign, fund, source, is_history, created_at = row
    left = amount - refunded if refunded else amount
    return Known(Given(on, pk, left, counts, is_one, campaign, fund, source), is_history, created_at)


def next_donors(after: int, most: int) -> list[int]:
    """The next contacts, by number, who have gifts or milestones."""
    found: set[int] = set()
    for rows in (Giving.objects.all(), MilestoneReached.objects.distinct()):
        pks = rows.filter(contact__gt=after).order_by("contact_id").values_list("contact_id", flat=True)
        found.update(pks[:most])
    return sorted(found)[:most]
