"""Streaks: donors who have given year after year, and who have not given yet this year."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import ExtractYear

from gifts import milestones
from gifts.models import Gift, Giving


def at_risk(day: date) -> "QuerySet[Giving]":
    """Those who gave in each of the last two years, and whose last gift was last year: on December 31 their streak
    ends. Found by the date of the last gift, from an index."""
    last = day.year - 1
    before = Gift.objects.in_number().filter(contact=OuterRef("contact"), received_on__year=last - 1)
    found: QuerySet[Giving] = Giving.objects.filter(
        Exists(before), last_on__range=(date(last, 1, 1), date(last, 12, 31))
    )
    return found


def lengths(contact_pks: Iterable[int], last: int) -> dict[int, int]:
    """{contact: how many years in a row, until this year, they have given}. One query."""
    rows = Gift.objects.in_number().filter(contact__in=list(contact_pks), received_on__year__lte=last).order_by()
    years: dict[int, set[int]] = {}
    for contact, year in rows.values_list("contact_id", ExtractYear("received_on")).distinct():
        years.setdefault(contact, set()).add(year)
    return {contact: milestones.streak(theirs, last) for contact, theirs in years.items()}
