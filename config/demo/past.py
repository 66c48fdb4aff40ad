"""Write invented people with their past: rows, history and consent, each with the date at which it happened.

The everyday ways of writing stamp everything with today. So the rows are added plainly here, and their history, which
otherwise comes by itself, is written beside them. No vendor is connected yet, so nobody has to hear of it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.demo.people import Person, Place
from contacts import figures, search
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactList,
    ContactTag,
    DailyCount,
    EmailAddress,
    HistoryEntry,
    ListMembership,
    OutsideIdentifier,
    PhoneNumber,
    PostalAddress,
    Tag,
    User,
)
from contacts.models.contact import address_key
from contacts.models.recorded import Recorded, chunks
from contacts.tenancy.acting import By
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import TenantQuerySet

CHUNK = 1000


class Chronicle:
    """The organization whose past is being written, and who is said to have done it."""

    def __init__(self, tenant: Tenant, user: User, system: str) -> None:
        self.tenant = tenant
        self.user = user
        self.system = system
        self.lists = {row.name: row for row in ContactList.objects.all()}
        self.tags = {row.name: row for row in Tag.objects.all()}
        self.entries: list[HistoryEntry] = []
        self.consents: list[ConsentEvent] = []

    def write(self, people: Iterable[Person]) -> int:
        """Write them all, a thousand at a time. Returns how many there are."""
        count = 0
        for part in chunks(people, CHUNK):
            with transaction.atomic():
                self.write_part(part)
            count += len(part)
        if count:
            self.count_days()
        return count

    def count_days(self) -> None:
        """The daily counts of the past that has just been written."""
        DailyCount.objects.all().delete()
        while figures.count_next(self.tenant, timezone.now()):
            pass

    def write_part(self, people: Sequence[Person]) -> None:
        """One thousand: the contacts first, then what hangs on them, then what is told about them."""
        contacts = [self.contact(person) for person in people]
        self.add(contacts, [person.created_at for person in people], [first_values(person) for person in people])
        pairs = list(zip(people, contacts, strict=True))
        for make in (self.emails, self.phones, self.addresses, self.identifiers, self.tagged):
            dated = [row for person, contact in pairs for row in make(person, contact)]
            self.add([row for row, _ in dated], [at for _, at in dated])
        joined = [(p, place, self.membership(place, contact)) for p, contact in pairs for place in p.places]
        self.add([row for *_, row in joined], [place.joined_at for _, place, _ in joined])
        search.refresh(contact.uid for contact in contacts)
        for person, contact in pairs:
            self.tell_changes(person, contact)
        for person, place, row in joined:
            if place.opted_out_at:
                self.tell_opt_out(row, place.opted_out_at, person)
        self.entries.sort(key=lambda entry: entry.at)
        HistoryEntry.objects.bulk_create(self.entries, batch_size=500)
        ConsentEvent.objects.bulk_create(sorted(self.consents, key=lambda event: event.at), batch_size=500)
        self.entries, self.consents = [], []

    # --- rows ---
    def contact(self, person: Person) -> Contact:
        return Contact(
            kind=person.kind, first_name=person.first, last_name=person.last, organization_name=person.organization,
            job_title=person.title, do_not_contact=person.do_not_contact_at is not None, created_at=person.created_at,
        )  # fmt: skip

    def emails(self, person: Person, contact: Contact) -> list[tuple[Recorded, datetime]]:
        rows = [
            EmailAddress(contact=contact, address=address, address_key=address_key(address), state=state)
            for address, state in person.emails
        ]
        for row in rows[:1]:
            row.is_primary = True
        return [(row, person.created_at) for row in rows]

    def phones(self, person: Person, contact: Contact) -> list[tuple[Recorded, datetime]]:
        if not person.phone:
            return []
        return [(PhoneNumber(contact=contact, number=person.phone, label="mobile", is_primary=True), person.created_at)]

    def addresses(self, person: Person, contact: Contact) -> list[tuple[Recorded, datetime]]:
        if not person.town:
            return []
        city, state, code = person.town
        row = PostalAddress(
            contact=contact, label="home", street=person.street, city=city, state=state, postal_code=code, country="US",
            is_primary=True,
        )  # fmt: skip
        return [(row, person.created_at)]

    def identifiers(self, person: Person, contact: Contact) -> list[tuple[Recorded, datetime]]:
        if not person.identifier:
            return []
        return [(OutsideIdentifier(contact=contact, system=self.system, value=person.identifier), person.created_at)]

    def tagged(self, person: Person, contact: Contact) -> list[tuple[Recorded, datetime]]:
        return [(ContactTag(contact=contact, tag=self.tags[name]), person.created_at) for name in person.tags]

    def membership(self, place: Place, contact: Contact) -> ListMembership:
        return ListMembership(
            contact_list=self.lists[place.list_name], contact=contact, position=place.position,
            joined_at=place.joined_at, do_not_contact=place.opted_out_at is not None,
        )  # fmt: skip

    # --- what is told about them ---
    def add(self, rows: Sequence[Recorded], dates: Sequence[datetime], first: Sequence[Any] = ()) -> None:
        """Add rows of one kind, and note that they were added then, with the values they had at `first`."""
        if not rows:
            return
        TenantQuerySet(type(rows[0])).bulk_create(rows, batch_size=500)
        dated: Iterable[tuple[Any, Any, Any]] = zip_longest(rows, dates, first, fillvalue={})
        for row, at, values in dated:
            changes = row.difference(None, HistoryEntry.Verb.ADDED) | values
            if "do_not_contact" in changes:
                changes["do_not_contact"] = [None, False]
            self.tell(row, at, HistoryEntry.Verb.ADDED, changes)

    def tell(self, row: Recorded, at: datetime, verb: str, changes: dict[str, list[Any]]) -> None:
        self.entries.append(
            HistoryEntry(
                at=at, verb=verb, what=str(row._meta.verbose_name), label=str(row)[:250], changes=changes,
                contact_uid=row.contact_uid_concerned(), list_uid=row.list_uid_concerned(), by=By.STAFF, user=self.user,
                actor_label=str(self.user), source="Almoner",
            )
        )  # fmt: skip

    def tell_changes(self, person: Person, contact: Contact) -> None:
        """A job changed, or the wish to be left alone."""
        if person.title_changed_at:
            changes: dict[str, list[Any]] = {"job_title": [person.former_title, person.title]}
            self.tell(contact, person.title_changed_at, HistoryEntry.Verb.CHANGED, changes)
        if person.do_not_contact_at:
            changes = {"do_not_contact": [False, True]}
            self.tell(contact, person.do_not_contact_at, HistoryEntry.Verb.CHANGED, changes)
            self.consents.append(self.consent(contact, person.do_not_contact_at, person))

    def tell_opt_out(self, row: ListMembership, at: datetime, person: Person) -> None:
        """They asked to be left alone by one list."""
        self.tell(row, at, HistoryEntry.Verb.CHANGED, {"do_not_contact": [False, True]})
        event = self.consent(row.contact, at, person)
        event.list_uid, event.list_name = row.contact_list.uid, row.contact_list.name
        self.consents.append(event)

    def consent(self, contact: Contact, at: datetime, person: Person) -> ConsentEvent:
        return ConsentEvent(
            at=at, kind=ConsentEvent.Kind.DNC_SET, by=By.STAFF, user=self.user, actor_label=str(self.user),
            source="Almoner", contact_uid=contact.uid, contact_name=str(contact)[:250],
            address=address_key(person.emails[0][0]) if person.emails else "", detail="Asked by telephone.",
        )  # fmt: skip


def first_values(person: Person) -> dict[str, list[Any]]:
    """What has changed since they were added."""
    return {"job_title": [None, person.former_title]} if person.former_title else {}
