"""Take an import back: every row backwards, the last one first. What somebody has changed since stays, and is said."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q

from contacts import standing
from contacts.importing import crowd as crowds
from contacts.importing import writing
from contacts.importing.crowd import Crowd, Known
from contacts.importing.words import field_names
from contacts.models import ConsentEvent, Contact, HistoryEntry, Import, ImportRow, ListMembership, Tag
from contacts.models.kept_marks import ADDRESS_LEFT, ON_AGAIN, TAKEN_OVER
from contacts.models.kept_words import COMPLAINED_BEFORE
from contacts.tenancy.acting import By

Undo = ImportRow.Undo
CHANGED_SINCE = "They were changed or used by somebody since, so the contact stays as it is."
SAID_SINCE = "They have said themselves since whether they want mail, so the contact stays as it is."
NOT_HERE = "The contact is not here any more, because it was deleted or merged; so there is nothing to take back."
THEIR_WORD = "They have opted out themselves, so Do Not Contact stays."
SET_SINCE = "Do Not Contact was set again by somebody since, so it stays."
HEARD = {"do_not_contact", "state"}  # the latter of an email address
Marks = set[tuple[uuid.UUID, str]]  # (contact, list, or "" for everywhere)


@dataclass(slots=True)
class Reverse:
    """What taking back one row does."""

    row: ImportRow
    undo: str
    known: Known | None = None
    changes: dict[str, list[Any]] = field(default_factory=dict)
    reason: str = ""


def reverse(data_import: Import, rows: Sequence[ImportRow], lock: bool) -> list[Reverse]:
    """What taking back these rows, the last ones first, would do. The number of queries does not depend on theirs."""
    uids = {row.contact_uid for row in rows if row.contact_uid}
    people = crowds.read((), uids, lock=lock)
    if not lock:
        rehearse(people, data_import, rows)
    crowd = Crowd(people)
    crowd.hear()
    ours = ImportRow.objects.filter(data_import=data_import, outcome=ImportRow.Outcome.CREATE, contact_uid__in=uids)
    made = set(ours.order_by().values_list("contact_uid", flat=True))
    touched = touched_by_others(data_import, made) | dict.fromkeys(held_elsewhere(people, made), CHANGED_SINCE)
    marked = marked_since(data_import, uids)
    return [back(row, crowd, made, touched, marked) for row in rows]


def rehearse(people: dict[uuid.UUID, Known], data_import: Import, rows: Sequence[ImportRow]) -> None:
    """The rows after these were looked at already: make the people what they will be when those are taken back."""
    later = ImportRow.objects.filter(
        data_import=data_import, contact_uid__in=list(people), undo__in=[Undo.RESTORE, Undo.PART],
        number__gt=max(row.number for row in rows),
    )  # fmt: skip
    for row in later.order_by("-number"):
        known = people[row.contact_uid]
        known.become(going_back(row, known)[0])


def back(row: ImportRow, crowd: Crowd, made: set[Any], touched: dict[uuid.UUID, str], marked: Marks) -> Reverse:
    """One row. Whoever was added by the import goes, or stays, as a whole, whatever later rows said about them."""
    known = crowd.people.get(row.contact_uid)  # type: ignore[arg-type]
    if row.outcome not in (ImportRow.Outcome.CREATE, ImportRow.Outcome.UPDATE):
        return Reverse(row, Undo.NOTHING)
    if known is None:
        return Reverse(row, Undo.KEEP, reason=NOT_HERE)
    if known.uid in made:
        if known.uid in touched:
            return Reverse(row, Undo.KEEP, reason=touched[known.uid])
        # The row that added them comes last, and deletes them.
        return Reverse(row, Undo.DELETE, known if row.outcome == ImportRow.Outcome.CREATE else None)
    changes, kept = going_back(row, known)
    reasons = []
    is_out = known.has_opted_out or bool(known.addresses & crowd.out_addresses)
    for key in [key for key in changes if key == "do_not_contact" or key.startswith("list_dnc+")]:
        if is_out or (known.uid, key.partition("+")[2]) in marked:
            del changes[key]
            reasons = [THEIR_WORD if is_out else SET_SINCE]
    if kept:
        reasons.append(f"Changed by somebody since, so it stays: {', '.join(field_names(kept))}.")
    known.become(changes)
    undo = (Undo.PART if reasons else Undo.RESTORE) if changes else Undo.KEEP if reasons else Undo.NOTHING
    return Reverse(row, undo, known, changes, " ".join(reasons)[:400])


def going_back(row: ImportRow, known: Known) -> tuple[dict[str, list[Any]], list[str]]:
    """(changes backwards where the value is still what the import wrote, what is not)."""
    changes: dict[str, list[Any]] = {}
    kept = []
    for key, (before, after) in row.changes.items():
        now = known.state.get(key, "")
        uid = key.removeprefix("list+")
        if not same(now, after):
            if not same(now, before):
                kept.append(key)
        elif uid != key and known.state.get(f"list_dnc+{uid}") and f"list_dnc+{uid}" not in row.changes:
            kept.append(key)  # what they said about this list since would go with their place on it
        elif key == "email" and before and f"email+{before.lower()}" in known.state:
            kept.append(key)
        else:
            changes[key] = [after, before]
    if "email_state" in row.changes:  # that of the former address, and comes back with it only
        changes.pop("email_state", None)
        if "email" in changes:
            kept = [key for key in kept if key != "email_state"]
            changes["email_state"] = [known.state.get("email_state", ""), row.changes["email_state"][0]]
    return changes, kept


def same(one: Any, other: Any) -> bool:
    """Nothing is nothing, however it is written."""
    return (one or "") == (other or "")


def marked_since(data_import: Import, uids: set[Any]) -> Marks:
    """Who was marked Do Not Contact after the import, and not by it; what it had set itself is then not its own."""
    events = ConsentEvent.objects.filter(
        contact_uid__in=uids, kind__in=standing.OPTING_OUT, at__gte=data_import.confirmed_at or data_import.created_at
    ).exclude(source__in=[data_import.source, data_import.undo_source, ADDRESS_LEFT])  # fmt: skip
    return {(uid, str(of or "")) for uid, of in events.order_by().values_list("contact_uid", "list_uid")}


def touched_by_others(data_import: Import, uids: set[Any]) -> dict[uuid.UUID, str]:
    """{contact: why they stay} for those in whose history there is anything but this import. What a service told us of
    by itself, such as that mail came back, is nobody's work here and nobody's word."""
    ours = [data_import.source, data_import.undo_source, TAKEN_OVER, ON_AGAIN, COMPLAINED_BEFORE]
    entries = HistoryEntry.objects.filter(contact_uid__in=uids).exclude(source__in=ours).order_by()
    found: dict[uuid.UUID, str] = {}
    for uid, by, verb, diff in entries.values_list("contact_uid", "by", "verb", "changes"):
        if by == By.STAFF or verb != HistoryEntry.Verb.CHANGED or not diff.keys() <= HEARD:
            found[uid] = CHANGED_SINCE
        elif by == By.PERSON:
            found.setdefault(uid, SAID_SINCE)
    return found


def held_elsewhere(people: dict[uuid.UUID, Known], uids: set[Any]) -> set[uuid.UUID]:
    """Contacts on whom rows of the apps above hang, such as gifts: those would go with them."""
    pks = {known.contact.pk: uid for uid, known in people.items() if uid in uids and known.contact}
    held: set[uuid.UUID] = set()
    for link in Contact._meta.related_objects:
        if link.related_model._meta.app_label != Contact._meta.app_label:
            name = link.field.name
            rows = link.related_model._default_manager.filter(**{f"{name}__in": list(pks)}).order_by()  # type: ignore[union-attr]
            held |= {pks[pk] for pk in rows.values_list(name, flat=True)}
    return held


def write(reverses: Sequence[Reverse]) -> None:
    """Put values back, and delete who was added."""
    going = {one.known.uid for one in reverses if one.undo == Undo.DELETE and one.known}
    restored = [(one.known, one.changes) for one in reverses if one.known and one.known.uid not in going]
    writing.write(writing.merged(restored))
    if going:
        unmark(reverses[0].row.data_import, [one.known for one in reverses if one.undo == Undo.DELETE and one.known])
        Contact.objects.filter(uid__in=going).delete()


def unmark(data_import: Import, people: Sequence[Known]) -> None:
    """Marks that the import had set go before the contacts that it added: otherwise they would stay with the addresses.
    Those that were there before the import stay, and so does what people have said themselves."""
    _, by_address = standing.load([], {key for known in people for key in known.addresses})
    out = {key for key, said in by_address.items() if crowds.is_out(said)}
    uids = [known.uid for known in people if not known.has_opted_out and not known.addresses & out]
    set_by_it = ConsentEvent.objects.filter(
        contact_uid__in=uids, kind=ConsentEvent.Kind.DNC_SET, source=data_import.source
    ).order_by()  # fmt: skip
    pairs = set(set_by_it.values_list("contact_uid", "list_uid"))
    everywhere = {uid for uid, of in pairs if of is None}
    Contact.objects.filter(uid__in=everywhere, do_not_contact=True).update(do_not_contact=False)
    places = ListMembership.objects.filter(contact__uid__in={uid for uid, of in pairs if of}, do_not_contact=True)
    here = places.order_by().values_list("pk", "contact__uid", "contact_list__uid")
    lists = [pk for pk, uid, of in here if (uid, of) in pairs]
    ListMembership.objects.filter(pk__in=lists).update(do_not_contact=False)


def count_people(data_import: Import) -> None:
    """Into the figures: how many people are deleted, put back or left, however many rows were about each of them."""
    fates = {undo: Count("pk", filter=Q(undo=undo)) for undo in (Undo.DELETE, Undo.PART, Undo.KEEP, Undo.RESTORE)}
    rows = ImportRow.objects.filter(data_import=data_import).exclude(undo__in=["", Undo.NOTHING]).order_by()
    counts: Counter[str] = Counter()
    for _, deleted, part, kept, restored in rows.values_list("contact_uid").annotate(**fates).iterator():
        is_mixed = part or (kept and restored)
        counts[Undo.DELETE if deleted else Undo.PART if is_mixed else Undo.KEEP if kept else Undo.RESTORE] += 1
    data_import.counts["undo_people"] = dict(counts)


def drop_made_tags(data_import: Import) -> None:
    """Tags that the import made, if nobody has them any more."""
    Tag.objects.filter(pk__in=data_import.options.get("made_tags", []), contact_tags=None).delete()
