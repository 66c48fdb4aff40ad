"""Verbs of the contacts app that write more than one row; admin, imports, APIs and webhooks all call these."""

from django.db import transaction
from django.db.models import QuerySet

from contacts.models import Contact, ContactList, ListMembership
from contacts.models.recorded import chunks


def add_to_list(contact_list: ContactList, contacts: QuerySet[Contact]) -> int:
    """Put these contacts of the active tenant on a list; those on it already stay as they are. Returns how many are new."""
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


def set_do_not_contact(contacts: QuerySet[Contact], value: bool) -> int:
    """Set or clear Do Not Contact everywhere. Returns how many contacts it changed."""
    return contacts.exclude(do_not_contact=value).update(do_not_contact=value)
