"""Rows about somebody of whom an earlier row of the same file spoke already. Nothing is kept of it but the contact whom
both are about: that is what makes one the repetition of the other, in the preview and after the import alike."""

from collections.abc import Iterable, Sequence

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from contacts.importing.deciding import Plan
from contacts.models import Import, ImportRow

WRITING = [ImportRow.Outcome.CREATE, ImportRow.Outcome.UPDATE]


def count_repeats(data_import: Import, number: int, plans: Sequence[Plan]) -> None:
    """Add these rows, the first of which has this number, to the figures: which of them repeat others, and how many
    contacts they are the first to change. One query."""
    uids = {plan.uid for plan in plans if plan.uid}
    before = ImportRow.objects.filter(data_import=data_import, contact_uid__in=uids, number__lt=number).order_by()
    writes = Count("pk", filter=Q(outcome__in=WRITING))
    spoken_of = dict(before.values_list("contact_uid").annotate(writes=writes))
    counts = data_import.counts
    for plan in plans:
        if not plan.uid:
            continue
        if plan.uid in spoken_of:
            repeats = counts.setdefault("repeats", {})
            repeats[plan.outcome] = repeats.get(plan.outcome, 0) + 1
        if plan.outcome == ImportRow.Outcome.UPDATE and not spoken_of.get(plan.uid):
            counts["changed"] = counts.get("changed", 0) + 1
        spoken_of[plan.uid] = spoken_of.get(plan.uid, 0) + (plan.outcome in WRITING)


def only_repeats(data_import: Import) -> "QuerySet[ImportRow]":
    """The rows that repeat an earlier one."""
    rows = ImportRow.objects.filter(data_import=data_import)
    earlier = rows.order_by().filter(contact_uid=OuterRef("contact_uid"), number__lt=OuterRef("number"))
    return rows.filter(Exists(earlier))


def repeated_by(data_import: Import, rows: Iterable[ImportRow]) -> dict[int, int]:
    """{number of a row: number of the first one that it repeats}, of these; one query."""
    about = {row.number: row.contact_uid for row in rows if row.contact_uid}
    there = ImportRow.objects.filter(data_import=data_import, contact_uid__in=set(about.values())).order_by()
    first = dict(there.values_list("contact_uid").annotate(Min("number"))) if about else {}
    return {number: first[uid] for number, uid in about.items() if first[uid] < number}
