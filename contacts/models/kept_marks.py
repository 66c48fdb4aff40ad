"""Do Not Contact that staff had set outlives the rows that it was set on (L35): it stays with the addresses when a
contact is deleted or gives one up, and whoever gets one of these addresses later is marked visibly, so that staff see
it and may clear it."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Q

from contacts.models.consent import ConsentEvent
from contacts.models.history import HistoryEntry
from contacts.tenancy.acting import By, acting

# Where these entries of the ledger come from, for people and for the questions below.
LEFT = "Kept when the contact was deleted"
TAKEN_OVER = "Kept from a deleted contact with this address"
ON_AGAIN = "Kept from when they were on this list before"
ADDRESS_LEFT = "Kept when the address was taken away"
COMING_BACK = [TAKEN_OVER, ON_AGAIN]
SOURCES = [LEFT, ADDRESS_LEFT, *COMING_BACK]
Kind, Verb = ConsentEvent.Kind, HistoryEntry.Verb
Scope = uuid.UUID | None  # a list, or None for everywhere


def rows_of(model: str) -> Any:
    """The rows of a model that stands on top of this one."""
    return apps.get_model("contacts", model)._default_manager.all()


def leave_marks(changes: list[Any]) -> None:
    """Before contacts are deleted: what staff had marked goes into the ledger under each of their addresses."""
    gone = {row.pk: row for row, _, verb in changes if verb == Verb.DELETED and row.pk}
    if not gone:
        return
    addresses = defaultdict(list)
    mail = rows_of("EmailAddress").filter(contact__in=list(gone)).order_by("pk")
    for pk, key in mail.values_list("contact_id", "address_key"):
        addresses[pk].append(key)
    leave(gone, addresses, LEFT)


def leave_marks_with(changes: list[Any]) -> None:
    """Before an address goes, or becomes another one: what staff have marked its contact for stays with it."""
    gone, addresses = {}, defaultdict(list)
    for row, diff, verb in changes:
        before, after = diff.get("address", ("", ""))
        if before and (verb == Verb.DELETED or before.lower() != (after or "").lower()):
            gone[row.contact_id] = row.contact
            addresses[row.contact_id].append(before.lower())
    if gone:
        leave(gone, addresses, ADDRESS_LEFT)


def leave(gone: Mapping[int, Any], addresses: Mapping[int, list[str]], source: str) -> None:
    """Into the ledger, under these addresses of the contacts, goes what staff have marked them for."""
    # As it is in the database: a row at hand may have been read before somebody cleared it.
    everywhere = rows_of("Contact").filter(pk__in=list(gone), do_not_contact=True).order_by()
    marks: list[tuple[Any, Any]] = [(gone[pk], None) for pk in everywhere.values_list("pk", flat=True)]
    places = rows_of("ListMembership").filter(contact__in=list(gone), do_not_contact=True).order_by()
    marks += [(gone[place.contact_id], place.contact_list) for place in places.select_related("contact_list")]
    if not marks:
        return
    own = last_words(row.uid for row, _ in marks)
    events = []
    for row, of in marks:
        if own.get((row.uid, of and of.uid), ("", ""))[1] == By.PERSON:
            continue  # their own word is kept by kept_words.py, and is stronger
        for address in addresses.get(row.pk, ()):
            with acting(By.SYSTEM, source):
                event = ConsentEvent.by_actor(
                    Kind.DNC_SET, row.uid, tenant_id=row.tenant_id, contact_name=str(row)[:250], address=address,
                    list_uid=of and of.uid, list_name=of.name if of else "",
                )  # fmt: skip
            events.append(event)
    ConsentEvent.objects.bulk_create(events, batch_size=500)


def marked_on(lists: Collection[uuid.UUID], uids: Iterable[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """(contact, list) where the last word is a mark that is not the person's own, be they on that list or not. What was
    said of somebody who was merged into them counts."""
    if not lists:
        return set()
    wanted = set(uids)
    merged = dict(rows_of("MergedIdentity").filter(kept_uid__in=wanted).order_by().values_list("gone_uid", "kept_uid"))
    words = last_words({*wanted, *merged}, lists, merged)
    return {pair for pair, (kind, by) in words.items() if kind == Kind.DNC_SET and by != By.PERSON}


def last_words(
    uids: Iterable[uuid.UUID], lists: Iterable[uuid.UUID] | None = None,
    merged: Mapping[uuid.UUID, uuid.UUID] | None = None,
) -> dict[Any, tuple[str, str]]:  # fmt: skip
    """{(contact, list or None): (last change of Do Not Contact, by whom)}. One query. `merged`: whose words count as
    somebody else's."""
    rows = ConsentEvent.objects.filter(contact_uid__in=set(uids), kind__in=[Kind.DNC_SET, Kind.DNC_CLEARED], place="")
    if lists is not None:
        rows = rows.filter(list_uid__in=set(lists))
    said = rows.order_by("at", "pk").values_list("contact_uid", "list_uid", "kind", "by")
    return {((merged or {}).get(uid, uid), scope): (kind, by) for uid, scope, kind, by in said}


@dataclass(slots=True)
class Left:
    """The marks that contacts have left at some addresses, who left the last one, and when somebody cleared them."""

    at: dict[tuple[str, Scope], tuple[int, uuid.UUID]] = field(default_factory=dict)
    cleared: dict[tuple[uuid.UUID, Scope], int] = field(default_factory=dict)

    def for_contact(self, uid: uuid.UUID, addresses: Iterable[str]) -> set[Scope]:
        """What a contact is marked for that gets these addresses; what staff cleared for it since stays cleared, and
        whoever gets their own address back is marked already or is not."""
        keys = set(addresses)
        return {
            scope for (key, scope), (number, left_by) in self.at.items()
            if key in keys and left_by != uid and number > self.cleared.get((uid, scope), -1)
        }  # fmt: skip


def left_at(addresses: Iterable[str], uids: Iterable[uuid.UUID]) -> Left:
    """The marks at these addresses that nobody has cleared. One query, and another if somebody gave one up.

    A mark is cleared where it had been taken over, and of whoever gave the address up, for whoever gets it next. That
    Do Not Contact of somebody else with the same address was cleared says nothing about it.
    """
    found = Left()
    heirs: defaultdict[tuple[uuid.UUID, Scope], set[str]] = defaultdict(set)
    keys, left = set(addresses), [LEFT, ADDRESS_LEFT, TAKEN_OVER]
    sources = Q(source__in=left, kind=Kind.DNC_SET) | Q(kind=Kind.DNC_CLEARED)
    columns = ["at", "pk", "kind", "source", "contact_uid", "address", "list_uid"]
    known = ConsentEvent.objects.filter(place="").order_by("at", "pk").values_list(*columns)
    rows = set(known.filter(Q(sources, address__in=keys) | Q(contact_uid__in=set(uids), kind=Kind.DNC_CLEARED)))
    if leavers := {uid for _, _, _, source, uid, _, _ in rows if source == ADDRESS_LEFT}:
        rows |= set(known.filter(contact_uid__in=leavers, kind=Kind.DNC_CLEARED))
    for number, (_, _, kind, source, uid, address, scope) in enumerate(sorted(rows, key=lambda row: row[:2])):
        if kind == Kind.DNC_CLEARED:
            found.cleared[uid, scope] = number
            for key in heirs.pop((uid, scope), ()):
                found.at.pop((key, scope), None)
            continue
        if source in (LEFT, ADDRESS_LEFT):
            found.at[address, scope] = number, uid
        if source in (ADDRESS_LEFT, TAKEN_OVER):
            heirs[uid, scope].add(address)
    return found


def gained(changes: list[Any]) -> tuple[dict[int, Any], dict[int, set[str]]]:
    """({number of a contact: it}, {number: the addresses that it has got}) by these changes of addresses."""
    new: defaultdict[int, set[str]] = defaultdict(set)
    contacts = {}
    for row, diff, verb in changes:
        before, after = diff.get("address", ("", ""))
        if verb != Verb.DELETED and (before or "").lower() != (after or "").lower():
            contacts[row.contact_id] = row.contact
            new[row.contact_id].add(row.address_key)
    return contacts, new


def take_over(changes: list[Any]) -> None:
    """Contacts that get an address at which a mark was left are marked, everywhere or on the list that it is about."""
    contacts, new = gained(changes)
    if not new:
        return
    left = left_at((key for keys in new.values() for key in keys), (one.uid for one in contacts.values()))
    if not left.at:
        return
    marks = {(pk, scope) for pk, keys in new.items() for scope in left.for_contact(contacts[pk].uid, keys)}
    set_marks({pk for pk, scope in marks if scope is None}, {mark for mark in marks if mark[1]}, TAKEN_OVER)


def take_over_on_lists(changes: list[Any]) -> None:
    """Who is put on a list for which a mark was left at one of their addresses, or was marked there before they were
    taken off it, is marked there."""
    new = {
        (row.contact_id, row.contact_list.uid): row.contact.uid
        for row, _, verb in changes if verb == Verb.ADDED and not row.do_not_contact
    }  # fmt: skip
    if not new:
        return
    uids, lists = set(new.values()), {scope for _, scope in new}
    own = marked_on(lists, uids)
    before = {mark for mark, uid in new.items() if (uid, mark[1]) in own}
    set_marks(set(), before, ON_AGAIN)
    theirs = defaultdict(set)
    mail = rows_of("EmailAddress").filter(contact__in={pk for pk, _ in new}).order_by()
    for pk, key in mail.values_list("contact_id", "address_key"):
        theirs[pk].add(key)
    left = left_at((key for keys in theirs.values() for key in keys), uids) if theirs else Left()
    set_marks(set(), {m for m, uid in new.items() if m[1] in left.for_contact(uid, theirs[m[0]])} - before, TAKEN_OVER)


def set_marks(everywhere: set[int], on_lists: set[Any], source: str) -> None:
    """Mark these contacts, and these (contact, list) where they are on it; history, ledger and outbox follow."""
    with acting(By.SYSTEM, source):
        if everywhere:
            rows_of("Contact").filter(pk__in=everywhere, do_not_contact=False).update(do_not_contact=True)
        if on_lists:
            places = rows_of("ListMembership").filter(
                contact__in={pk for pk, _ in on_lists}, contact_list__uid__in={uid for _, uid in on_lists},
                do_not_contact=False,
            ).order_by()  # fmt: skip
            here = places.values_list("pk", "contact_id", "contact_list__uid")
            wanted = [pk for pk, contact, uid in here if (contact, uid) in on_lists]
            if wanted:
                rows_of("ListMembership").filter(pk__in=wanted).update(do_not_contact=True)
