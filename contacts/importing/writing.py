"""Write the changes of a whole batch: each kind of row created, changed and deleted together, so that 500 people take
as many queries as five. Everything goes through the recorded bulk methods, so history, ledger and outbox follow."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models.functions import Lower
from django.utils import timezone

from contacts import custom
from contacts.importing.columns import CUSTOM
from contacts.importing.crowd import OF_ADDRESS, OF_CONTACT, THERE, Known
from contacts.models import (
    Contact,
    ContactList,
    ContactTag,
    CustomField,
    CustomValue,
    EmailAddress,
    ListMembership,
    OutsideIdentifier,
    PhoneNumber,
    PostalAddress,
    Tag,
)
from contacts.models.contact import address_key

Changes = dict[str, list[Any]]
# What hangs on a contact, in the order in which it is written.
PARTS = (
    EmailAddress, PhoneNumber, PostalAddress, OutsideIdentifier, ContactTag, ListMembership, CustomValue,
)  # fmt: skip


@dataclass
class Batch:
    """What is to be written, collected."""

    created: dict[Any, list[Any]] = field(default_factory=lambda: defaultdict(list))
    changed: dict[Any, dict[int, Any]] = field(default_factory=lambda: defaultdict(dict))
    fields: dict[Any, set[str]] = field(default_factory=lambda: defaultdict(set))
    deleted: dict[Any, set[int]] = field(default_factory=lambda: defaultdict(set))
    lists: dict[str, ContactList] = field(default_factory=dict)
    customs: dict[str, CustomField] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)

    def change(self, row: Any, **values: Any) -> None:
        """Remember new values of a row."""
        for name, value in values.items():
            setattr(row, name, value)
        if row.pk:  # not one that is about to be made
            self.changed[type(row)][row.pk] = row
            self.fields[type(row)] |= values.keys()

    def write(self) -> None:
        """Contacts first, then what hangs on them; what goes makes room for what comes."""
        for part in PARTS:
            if self.deleted[part]:
                part.objects.filter(pk__in=self.deleted[part]).delete()
        models: tuple[Any, ...] = (Contact, *PARTS)
        for model in models:
            rows = [row for pk, row in self.changed[model].items() if pk not in self.deleted[model]]
            if rows:
                model.objects.bulk_update(rows, sorted(self.fields[model]))
            if self.created[model]:
                model.objects.bulk_create(self.created[model])


def write(changed: Iterable[tuple[Known, Changes]]) -> list[int]:
    """Write what changes for each of these people; returns the numbers of tags that had to be made."""
    changed = list(changed)
    keys = {key for _, changes in changed for key in changes}
    batch = Batch()
    uids = {key.partition("+")[2] for key in keys if key.startswith(("list+", "list_dnc+"))}
    if uids:
        batch.lists = {str(row.uid): row for row in ContactList.objects.filter(uid__in=uids)}
    if any(key.startswith(CUSTOM) for key in keys):
        batch.customs = {str(row.uid): row for row in custom.fields()}
    wanted_tags = {
        key.removeprefix("tag+"): after
        for _, changes in changed
        for key, (_, after) in changes.items()
        if key.startswith("tag+") and after
    }
    batch.tags, made = tags_called(wanted_tags)
    now = timezone.now()
    for known, changes in changed:
        if not changes:
            continue
        contact = known.contact
        if contact is None:
            contact = known.contact = Contact(uid=known.uid)
            known.parts = {
                "emails": [],
                "phones": [],
                "addresses": [],
                "ids": {},
                "tags": {},
                "lists": {},
                "customs": {},
            }
            batch.created[Contact].append(contact)
        note(batch, contact, known.parts, changes, now)
    batch.write()
    return made


def tags_called(names: dict[str, str]) -> tuple[dict[str, Tag], list[int]]:
    """{name in lower case: tag}, making those that are not there; two imports at once make each once."""
    if not names:
        return {}, []

    def there() -> dict[str, Tag]:
        rows = Tag.objects.annotate(folded=Lower("name")).filter(folded__in={name.lower() for name in names.values()})
        return {row.name.casefold(): row for row in rows}

    found = there()
    missing = [name for key, name in names.items() if key not in found]
    if not missing:
        return found, []
    Tag.objects.bulk_create([Tag(name=name) for name in missing], ignore_conflicts=True)
    after = there()
    return after, [row.pk for key, row in after.items() if key not in found]


def note(batch: Batch, contact: Contact, parts: dict[str, Any], changes: Changes, now: Any) -> None:
    """Sort one person's changes to the rows they concern."""
    own: dict[str, Any] = {name: after for name, (_, after) in changes.items() if name in OF_CONTACT}
    if "kind" in own:
        own["kind"] = own["kind"] or Contact.Kind.PERSON
    if own:
        batch.change(contact, **own, updated_at=now)
    note_emails(batch, contact, parts["emails"], changes)
    note_phones(batch, contact, parts["phones"], changes)
    note_address(batch, contact, parts["addresses"], changes)
    for key, (_, after) in changes.items():
        kind, _, rest = key.partition("+")
        if kind == "id":
            row: Any = OutsideIdentifier(contact=contact, system=after, value=rest.partition("|")[2]) if after else None
            there_or_not(batch, parts["ids"], key, row)
        elif kind == "tag":
            row = ContactTag(contact=contact, tag=batch.tags[rest]) if after and rest in batch.tags else None
            there_or_not(batch, parts["tags"], key, row)
        elif kind == "list":
            row = (
                ListMembership(contact=contact, contact_list=batch.lists[rest])
                if after and rest in batch.lists
                else None
            )
            there_or_not(batch, parts["lists"], rest, row)
        elif kind == "list_dnc" and rest in parts["lists"]:
            batch.change(parts["lists"][rest], do_not_contact=after == THERE)
        elif key.startswith(CUSTOM):
            note_custom(batch, contact, parts["customs"], key, str(after or ""))


def there_or_not(batch: Batch, rows: dict[str, Any], key: str, wanted: Any) -> None:
    """Make the wanted row unless there is one, or delete what is there when none is wanted."""
    row = rows.get(key)
    if wanted is not None and row is None:
        rows[key] = wanted
        batch.created[type(wanted)].append(wanted)
    elif wanted is None and row is not None and row.pk:
        batch.deleted[type(row)].add(row.pk)
        del rows[key]


def note_emails(batch: Batch, contact: Contact, rows: list[EmailAddress], changes: Changes) -> None:
    """The primary address is changed in its row; the others come and go."""
    if "email" in changes:
        after = changes["email"][1]
        state = changes.get("email_state", ["", ""])[1] or EmailAddress.State.OK
        primary = next((row for row in rows if row.is_primary), None)
        if not after and primary is not None:
            drop(batch, rows, primary)
        elif primary is not None:
            batch.change(primary, address=after, address_key=address_key(after), state=state)
        elif after:
            add(batch, rows, EmailAddress(contact=contact, address=after, address_key=address_key(after), state=state,
                                          is_primary=True))  # fmt: skip
    for key, (_, after) in changes.items():
        if not key.startswith("email+"):
            continue
        row = next((row for row in rows if row.address_key == key.removeprefix("email+") and not row.is_primary), None)
        if after and row is None:
            add(batch, rows, EmailAddress(contact=contact, address=after, address_key=address_key(after)))
        elif not after and row is not None:
            drop(batch, rows, row)


def note_phones(batch: Batch, contact: Contact, rows: list[PhoneNumber], changes: Changes) -> None:
    """One number for each label; `phone+` are further ones without."""
    for key, (before, after) in changes.items():
        if not key.startswith("phone"):
            continue
        label = key.partition(":")[2]
        same = [row for row in rows if row.label.lower() == label and str(row.number) == before] if before else []
        if same and after:
            batch.change(same[0], number=after)
        elif same:
            drop(batch, rows, same[0])
        elif after:
            add(batch, rows, PhoneNumber(contact=contact, number=after, label=label, is_primary=not rows))


def note_address(batch: Batch, contact: Contact, rows: list[PostalAddress], changes: Changes) -> None:
    """The first address; one of which nothing is left goes."""
    values = {name: changes[name][1] or "" for name in OF_ADDRESS if name in changes}
    if not values:
        return
    if not rows:
        add(batch, rows, PostalAddress(contact=contact, is_primary=True, **values))
    elif any(({name: getattr(rows[0], name) for name in OF_ADDRESS} | values).values()):
        batch.change(rows[0], **values)
    else:
        drop(batch, rows, rows[0])


def note_custom(batch: Batch, contact: Contact, rows: dict[str, CustomValue], key: str, after: str) -> None:
    """One answer to a question of the organization's own."""
    row, field_of = rows.get(key), batch.customs.get(key.removeprefix(CUSTOM))
    if field_of is None:
        return
    if row is None and after:
        rows[key] = custom.value_row(contact, field_of, after)
        batch.created[CustomValue].append(rows[key])
    elif row is not None and after:
        batch.change(row, value=after, number=custom.value_row(contact, field_of, after).number)
    elif row is not None:
        batch.deleted[CustomValue].add(row.pk)
        del rows[key]


def add(batch: Batch, rows: list[Any], row: Any) -> None:
    """A new row."""
    rows.append(row)
    batch.created[type(row)].append(row)


def drop(batch: Batch, rows: list[Any], row: Any) -> None:
    """A row that goes."""
    rows.remove(row)
    if row.pk:
        batch.deleted[type(row)].add(row.pk)


def merged(plans: Iterable[tuple[Known, Changes]]) -> list[tuple[Known, Changes]]:
    """One set of changes for each person whom several rows are about: the first before, the last after."""
    people: dict[uuid.UUID, tuple[Known, Changes]] = {}
    for known, changes in plans:
        _, so_far = people.setdefault(known.uid, (known, {}))
        for key, (before, after) in changes.items():
            so_far[key] = [so_far[key][0] if key in so_far else before, after]
    return [(known, {k: v for k, v in changes.items() if v[0] != v[1]}) for known, changes in people.values()]
