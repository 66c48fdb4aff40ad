"""Totals per donor. One function makes them, for one donor after a single gift and for everybody at night alike."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from contacts.models import Contact, HistoryEntry
from contacts.models.recorded import chunks, describe, told_by
from contacts.tenancy.walls import current_tenant
from gifts import signals
from gifts.models.gift import NET, Gift
from gifts.models.giving import Giving
from gifts.models.pledge import MONEY

AT_ONCE = 1_000  # donors in one statement
VALUES = ("total", "number", "first_on", "last_on", "last_amount", "largest", "largest_on")


def recount(contact_pks: Iterable[int]) -> dict[int, uuid.UUID]:
    """Make the totals of these contacts from their gifts, as they are now. Returns {contact: its uid}.

    Five queries for each thousand. Whoever else recounts one of them at the same moment waits, and then sees both
    gifts: the rows of `Giving` are locked before the gifts are read.
    """
    uids: dict[int, uuid.UUID] = {}
    for part in chunks(sorted(set(contact_pks)), AT_ONCE):
        with transaction.atomic():
            here = hold(part)
            Giving.objects.filter(contact__in=here).update(**{name: from_gifts(name) for name in VALUES})
        uids |= here
    return uids


def hold(contact_pks: Iterable[int]) -> dict[int, uuid.UUID]:
    """Lock the totals of these contacts until the transaction ends. Returns {contact: its uid}.

    Whoever writes several gifts locks first those of them that are here, by number, then with this all donors
    concerned, and writes then: of two who take in gifts of the same donors in crosswise order one waits for the other.
    """
    here = dict(Contact.objects.filter(pk__in=set(contact_pks)).order_by().values_list("pk", "uid"))
    known = set(Giving.objects.filter(contact__in=here).order_by().values_list("contact_id", flat=True))
    if new := [Giving(contact_id=pk) for pk in sorted(here.keys() - known)]:
        Giving.objects.bulk_create(new, ignore_conflicts=True)
    rows = Giving.objects.filter(contact__in=here).select_for_update().order_by("contact_id")
    list(rows.values_list("pk", flat=True))
    return here


def from_gifts(name: str) -> Any:
    """What one of the totals is, as a question to the gifts of the contact at hand."""
    theirs = {"contact": OuterRef("contact")}
    one = Gift.objects.in_number().filter(**theirs)
    last, largest = one.order_by("-received_on", "-pk")[:1], one.order_by(NET.desc(), "received_on", "pk")[:1]
    questions: dict[str, tuple[QuerySet[Any], Any, Any]] = {
        "total": (summed(Gift.objects.in_totals().filter(**theirs), Sum(NET)), MONEY, Decimal(0)),
        "number": (summed(one, Count("pk")), None, 0),
        "first_on": (summed(one, Min("received_on")), None, None),
        "last_on": (summed(one, Max("received_on")), None, None),
        "last_amount": (last.annotate(of=NET).values("of"), MONEY, Decimal(0)),
        "largest": (largest.annotate(of=NET).values("of"), MONEY, Decimal(0)),
        "largest_on": (largest.values("received_on"), None, None),
    }
    rows, kind, otherwise = questions[name]
    found = Subquery(rows, output_field=kind) if kind else Subquery(rows)
    return found if otherwise is None else Coalesce(found, otherwise)


def summed(rows: QuerySet[Any], what: Any) -> QuerySet[Any]:
    """One figure over all of a donor's gifts, as a subquery wants it."""
    return rows.order_by().values("contact").annotate(of=what).values("of")


def after_deletion(sender: Any, uids: set[uuid.UUID]) -> None:
    """Gifts of these contacts are gone: totals, then whoever listens."""
    tenant = current_tenant()
    pks = list(Contact.objects.filter(uid__in=uids).order_by().values_list("pk", flat=True))
    recount(pks)
    if tenant is not None and pks:
        signals.gifts_changed.send(
            sender, tenant_id=tenant.pk, contact_uids=sorted(uids), gift_pks=[], is_new=False,
            cause=told_by(describe, (Gift(), {}, HistoryEntry.Verb.DELETED)),
        )  # fmt: skip


@dataclass
class Mended:
    """What a recount of everybody came to: how many donors, and whose totals were not what their gifts say."""

    donors: int = 0
    differing: int = 0


def recount_all() -> Mended:
    """Compare everybody's totals with their gifts, mend what differs, and note it in their history."""
    found, after = Mended(), 0
    while pks := next_donors(after):
        after = pks[-1]
        with transaction.atomic():
            before = totals_of(pks)
            recount(pks)
            now = totals_of(pks)
            wrong = {pk: row for pk, row in before.items() if row != now.get(pk, row)}
            wrong |= {pk: {} for pk in now.keys() - before.keys()}
            note(wrong, now)
        found.donors += len(now)
        found.differing += len(wrong)
    return found


def next_donors(after: int) -> list[int]:
    """The next contacts, by number, who have gifts or totals."""
    of_gifts = Gift.objects.filter(contact__gt=after).order_by("contact_id").values_list("contact_id", flat=True)
    of_totals = Giving.objects.filter(contact__gt=after).order_by("contact_id").values_list("contact_id", flat=True)
    return sorted({*of_gifts.distinct()[:AT_ONCE], *of_totals[:AT_ONCE]})[:AT_ONCE]


def totals_of(pks: Iterable[int]) -> dict[int, dict[str, Any]]:
    """{contact: its totals}, as they stand, locked: a gift that comes in meanwhile is nothing amiss."""
    rows = Giving.objects.filter(contact__in=list(pks)).order_by("contact_id").select_for_update()
    return {row.pop("contact_id"): row for row in rows.values("contact_id", *VALUES)}


def note(wrong: dict[int, dict[str, Any]], now: dict[int, dict[str, Any]]) -> None:
    """Into the history of those whose totals were put right."""
    names = Contact.objects.in_bulk(list(wrong)) if wrong else {}
    entries = []
    for pk, before in wrong.items():
        changes = {name: [str(before.get(name, "")), str(value)] for name, value in now[pk].items()
                   if before.get(name) != value}  # fmt: skip
        entries.append(
            HistoryEntry.by_actor(
                verb=HistoryEntry.Verb.CHANGED, what="totals of giving", label=str(names[pk])[:250],
                contact_uid=names[pk].uid, changes=changes,
            )
        )  # fmt: skip
    HistoryEntry.objects.bulk_create(entries, batch_size=500)
