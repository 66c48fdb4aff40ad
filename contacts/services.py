"""Verbs of the contacts app that write more than one row; admin, imports, APIs and webhooks all call these."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from contacts.holds import held, refuse_if_held
from contacts.models import Contact, ContactList, ContactTag, ListMembership, Tag
from contacts.models.recorded import chunks


def add_to_list(contact_list: ContactList, contacts: QuerySet[Contact]) -> int:
    """Put these contacts of the active tenant on a list; those on it already stay as they are.

    Returns how many are new.
    """
    added = 0
    for pks in chunks(list(contacts.order_by().values_list("pk", flat=True))):
        with transaction.atomic():
            here = set(contact_list.memberships.filter(contact__in=pks).values_list("contact_id", flat=True))
            new = Contact.objects.filter(pk__in=set(pks) - here)
            ListMembership.objects.bulk_create(
                [ListMembership(contact_list=contact_list, contact=contact) for contact in new]
            )
            added += len(new)
    return added


def take_off_list(contact_list: ContactList, contacts: QuerySet[Contact]) -> int:
    """Take these contacts off a list. Returns how many were on it."""
    pks = list(contacts.order_by().values_list("pk", flat=True))
    with transaction.atomic():
        return sum(
            contact_list.memberships.filter(contact__in=part).delete()[1].get("contacts.ListMembership", 0)
            for part in chunks(pks)
        )


def add_tag(tag: Tag, contacts: QuerySet[Contact]) -> int:
    """Put a tag on these contacts. Returns how many did not have it."""
    added = 0
    for pks in chunks(list(contacts.order_by().values_list("pk", flat=True))):
        try:
            added += tag_some(tag, pks)
        except IntegrityError:  # somebody else tagged one of them in this moment
            added += tag_some(tag, pks)
    return added


@transaction.atomic
def tag_some(tag: Tag, pks: list[int]) -> int:
    """One part of them."""
    here = set(tag.contact_tags.filter(contact__in=pks).values_list("contact_id", flat=True))
    new = Contact.objects.filter(pk__in=set(pks) - here)
    return len(ContactTag.objects.bulk_create([ContactTag(contact=contact, tag=tag) for contact in new]))


def take_off_tag(tag: Tag, contacts: QuerySet[Contact]) -> int:
    """Take a tag off these contacts. Returns how many had it."""
    pks = list(contacts.order_by().values_list("pk", flat=True))
    with transaction.atomic():
        return sum(
            tag.contact_tags.filter(contact__in=part).delete()[1].get("contacts.ContactTag", 0) for part in chunks(pks)
        )


def set_do_not_contact(contacts: QuerySet[Contact], value: bool) -> int:
    """Set or clear Do Not Contact everywhere. Returns how many contacts it changed."""
    return contacts.exclude(do_not_contact=value).update(do_not_contact=value)


def delete_contacts(contacts: QuerySet[Contact]) -> int:
    """Delete these contacts with all that hangs on them, but for those whom `contacts.holds` keeps, such as donors.
    Returns how many."""
    deleted = 0
    for pks in chunks(list(contacts.order_by().values_list("pk", flat=True))):
        with transaction.atomic():
            free = set(pks) - held(pks).keys()
            deleted += Contact.objects.filter(pk__in=free).delete()[1].get("contacts.Contact", 0)
    return deleted


def delete_contact(contact: Contact) -> None:
    """Delete one. Raises `contacts.holds.Held` with a sentence for somebody who has to stay."""
    with transaction.atomic():
        refuse_if_held(contact)
        contact.delete()


@transaction.atomic
def delete_list(contact_list: ContactList) -> None:
    """Delete a list; first everybody is taken off it, so that each person's history says so."""
    contact_list.memberships.all().delete()
    contact_list.delete()


@transaction.atomic
def delete_tag(tag: Tag) -> None:
    """Delete a tag; first it is taken off everybody, so that each person's history says so."""
    tag.contact_tags.all().delete()
    tag.delete()


@transaction.atomic
def set_tags(contact: Contact, tags: Iterable[Tag], new_names: Iterable[str] = ()) -> None:
    """Give a contact exactly these tags; names that no tag has yet become new tags."""
    wanted: dict[Any, Tag] = {tag.pk: tag for tag in tags}
    for name in new_names:
        tag = Tag.objects.filter(name__iexact=name).first() or Tag.objects.create(name=name)
        wanted[tag.pk] = tag
    here = contact.contact_tags.all()
    here.exclude(tag__in=wanted).delete()
    known = set(here.values_list("tag_id", flat=True))
    ContactTag.objects.bulk_create(
        [ContactTag(contact=contact, tag=tag) for pk, tag in wanted.items() if pk not in known]
    )
