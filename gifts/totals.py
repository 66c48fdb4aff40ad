"""Totals per donor. One function makes them, for one donor after a single gift and for everybody at night alike."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from contacts.models import Contact, HistoryEntry
from contacts.models.recorded import chunks, describe, told_by
from contacts.tenancy.walls import current_tenant
from gifts import follow, signals
from gifts.models.amount import to_cents
from gifts.models.donor import Donor
from gifts.models.gift import NET, Gift
from gifts.models.giving import Giving
from gifts.models.pledge import MONEY, Pledge

AT_ONCE = 1_000  # donors in one statement
VALUES = ("total", "number", "first_on", "last_on", "last_amount", "largest", "largest_on")
COMPARED = (*VALUES, "pledged")


def recount(contact_pks: Iterable[int]) -> dict[int, uuid.UUID]:
    """Make the totals of these contacts from their gifts, as they are now. Returns {contact: its uid}.

    As many queries for a thousand as for one. Whoever else recounts one of them at the same moment waits, and then sees
    both gifts: the rows of `Giving` are locked before the gifts are read. Their rows as donors follow (A7, A14).
    """
    return {pk: uid for part in recounted(contact_pks) for pk, uid in part.uids.items()}


@dataclass
class Recounted:
    """What became of at most a thousand: who they are, what stood there before, and how many donors changed."""

    uids: dict[int, uuid.UUID]
    before: dict[int, dict[str, Any]]
    now: dict[int, dict[str, Any]]
    followed: follow.Followed


def recounted(contact_pks: Iterable[int]) -> Iterator[Recounted]:
    """The same, with what it came to; each thousand is a transaction."""
    for part in chunks(sorted(set(contact_pks)), AT_ONCE):
        with transaction.atomic():
            here = dict(Contact.objects.filter(pk__in=part).order_by().values_list("pk", "uid"))
            before = locked(here)
            Giving.objects.filter(contact__in=here).update(**{name: from_gifts(name) for name in VALUES})
            now = totals_of(here)
            count_pledges(now)
            found = Recounted(here, before, now, follow.bring_up_to_date(before, now))
        yield found


def locked(contact_pks: Collection[int]) -> dict[int, dict[str, Any]]:
    """Lock the totals of these contacts, in a fixed order, until the transaction ends; they are made where there are
    none. Returns them as they stood, {} for new ones."""
    known = set(Giving.objects.filter(contact__in=contact_pks).order_by().values_list("contact_id", flat=True))
    new = [Giving(contact_id=pk) for pk in sorted(set(contact_pks) - known)]
    if new:
        Giving.objects.bulk_create(new, ignore_conflicts=True)
    rows = Giving.objects.filter(contact__in=contact_pks).select_for_update().order_by("contact_id")
    found = {row.pop("contact_id"): row for row in rows.values("contact_id", *COMPARED)}
    return {pk: row if pk in known else {} for pk, row in found.items()}


def count_pledges(now: dict[int, dict[str, Any]]) -> None:
    """What is still to come of each donor's pledges; one that was paid in excess makes up for no other."""
    waiting: dict[int, Decimal] = defaultdict(Decimal)
    pledges = Pledge.objects.with_balance().filter(contact__in=list(now)).order_by()
    for pk, balance in pledges.values_list("contact_id", "balance"):
        waiting[pk] += max(to_cents(balance), Decimal(0))  # SQLite reckons in floating point
    if wrong := {pk for pk, row in now.items() if row["pledged"] != waiting[pk]}:
        rows = list(Giving.objects.filter(contact__in=wrong).order_by("contact_id"))
        for row in rows:
            row.pledged = now[row.contact_id]["pledged"] = waiting[row.contact_id]
        Giving.objects.bulk_update(rows, ["pledged"], batch_size=AT_ONCE)


def hold(contact_pks: Iterable[int]) -> None:
    """Lock the totals of these contacts until the transaction ends.

    Whoever writes several gifts locks first those of them that are here, by number, then with this all donors
    concerned, and writes then: of two who take in gifts of the same donors in crosswise order one waits for the other.
    """
    locked(set(Contact.objects.filter(pk__in=set(contact_pks)).order_by().values_list("pk", flat=True)))


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
    """What a recount of everybody came to: how many have totals, whose were not what their gifts say, and of how many
    donors (of how many) anything that the donors API shows has changed."""

    donors: int = 0
    differing: int = 0
    changed: int = 0
    counted: int = 0


def recount_all() -> Mended:
    """Compare everybody's totals with their gifts, mend what differs, and note it in their history."""
    found, after = Mended(), 0
    while pks := next_donors(after):
        after = pks[-1]
        part = recount_next(pks)
        found.donors += part.donors
        found.differing += part.differing
        found.changed += part.changed
        found.counted += part.counted
    return found


@transaction.atomic
def recount_next(pks: list[int]) -> Mended:
    """The same of these, at most a thousand."""
    found = Mended()
    for part in recounted(pks):
        wrong = {pk: row for pk, row in part.before.items() if row != part.now[pk]}
        note(wrong, part.now)
        found = Mended(len(part.now), len(wrong), part.followed.changed, part.followed.donors)
    return found


def next_donors(after: int) -> list[int]:
    """The next contacts, by number, who have gifts, pledges or totals, or are donors."""
    found: set[int] = set()
    for model in (Gift, Pledge, Giving, Donor):
        rows = model.objects.filter(contact__gt=after).order_by("contact_id").values_list("contact_id", flat=True)
        found |= set(rows.distinct()[:AT_ONCE])
    return sorted(found)[:AT_ONCE]


def totals_of(pks: Iterable[int]) -> dict[int, dict[str, Any]]:
    """{contact: its totals}, as they stand."""
    rows = Giving.objects.filter(contact__in=list(pks)).order_by().values("contact_id", *COMPARED)
    return {row.pop("contact_id"): row for row in rows}


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
