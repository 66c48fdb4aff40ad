"""Whom a program of others means: found by its own id, email address or phone number, and added only if nobody is."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from contacts.duplicates.merge import FORMER_ID
from contacts.importing.values import phone_number
from contacts.models import Contact, EmailAddress, OutsideIdentifier, PhoneNumber, Tenant
from contacts.models.contact import address_key
from contacts.tenancy.walls import current_tenant

MOST = 20
NAMES = ("first_name", "last_name", "organization_name")


class NoSuchNumber(Exception):
    """This is no phone number that can be dialled; the message says so."""


def by_custom_user_id(value: str, system: str = "") -> list[Contact]:
    """Whom another system knows by this id, or whoever has taken them in when two were merged. The program that calls
    itself `system` may know somebody by an id of its own beside it: they come first."""
    own = list(whose(system, value)) if system else []
    pks = set(Contact.objects.filter(custom_user_id=value).order_by().values_list("pk", flat=True)[:MOST])
    found = these(pks | set(own) or set(whose(FORMER_ID, value)))
    return sorted(found, key=lambda contact: contact.pk not in own)


def whose(system: str, value: str) -> QuerySet[OutsideIdentifier, Any]:
    """The contact, if any, whom this system calls so."""
    rows = OutsideIdentifier.objects.annotate(low=Lower("system")).filter(low=system.lower(), value=value)
    return rows.order_by().values_list("contact_id", flat=True)[:MOST]


def by_email(address: str) -> list[Contact]:
    """Everybody with this address; a family may share one."""
    rows = EmailAddress.objects.filter(address_key=address_key(address)).order_by("contact_id")
    return these(set(rows.values_list("contact_id", flat=True)[:MOST]))


def by_phone(number: str) -> list[Contact]:
    """Everybody with this number. Raises `NoSuchNumber`."""
    rows = PhoneNumber.objects.filter(number=dialled(number)).order_by("contact_id")
    return these(set(rows.values_list("contact_id", flat=True)[:MOST]))


def these(pks: set[int]) -> list[Contact]:
    """With the parts that are shown of them."""
    rows = Contact.objects.filter(pk__in=pks).prefetch_related("phone_numbers")
    return list(rows.order_by("pk"))


def dialled(number: str) -> str:
    """As it is kept. Raises `NoSuchNumber`."""
    tenant = current_tenant()
    kept, why = phone_number(number, (tenant.phone_region if tenant else "US",))
    if not kept:
        raise NoSuchNumber(why or "This is not a phone number.")
    return kept


@transaction.atomic
def find_or_add(values: Mapping[str, str], system: str) -> tuple[Contact, bool]:
    """The contact with these values, and whether it is new. Who is here already is not changed, but that their id at
    the program that asks, which calls itself `system`, is kept among their identifiers: it finds them from then on.

    `values`: kind, first_name, last_name, organization_name, custom_user_id, email, phone; empty where unknown. The id
    decides, then the email address if no name speaks against it (two names with one address are two people), then
    number and name together. An id that is not known here speaks against nobody: donors have the number that another
    service gave them. Of two programs that add the same person at once, the second finds whom the first has added.
    """
    tenant = current_tenant()
    assert tenant is not None  # noqa: S101 - outside of an organization every query raises anyway
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    number = dialled(values["phone"]) if values["phone"] else ""
    own_id = values["custom_user_id"]
    if own_id and (by_id := by_custom_user_id(own_id, system)):
        return by_id[0], False
    if known := known_as(values, number):
        if own_id and len(known) == 1:  # of several it is not sure whose id that is
            OutsideIdentifier.objects.get_or_create(contact=known[0], system=system, value=own_id)
        return known[0], False
    contact = Contact(kind=values["kind"], custom_user_id=own_id)
    for name in NAMES:
        setattr(contact, name, values[name])
    contact.save()
    if values["email"]:
        EmailAddress.objects.create(contact=contact, address=values["email"], is_primary=True)
    if number:
        PhoneNumber.objects.create(contact=contact, number=number, is_primary=True)
    contact.refresh_from_db()  # Do Not Contact that was kept for this address holds for them
    return contact, True


def known_as(values: Mapping[str, str], number: str) -> list[Contact]:
    """Who this may be, by address, number and name; whoever is called exactly so decides, if there is such a one."""
    found: list[Contact] = []
    if values["email"]:
        found = [row for row in by_email(values["email"]) if may_be(row, values)]
    if not found and number and any(values[name] for name in NAMES):
        found = [row for row in by_phone(number) if may_be(row, values) and has_name(row)]
    elif not found and number and not values["email"]:
        found = by_phone(number)
    called_so = [
        row for row in found if has_name(row) and all(plain(row, name) == said(values, name) for name in NAMES)
    ]
    return called_so or found


def may_be(row: Contact, values: Mapping[str, str]) -> bool:
    """Whether no name speaks against it: what is empty on either side says nothing, and a person's employer neither."""
    names = [name for name in NAMES[:2] if plain(row, name) and said(values, name)]
    if not any(plain(row, name) or said(values, name) for name in NAMES[:2]):
        names = [name for name in NAMES[2:] if plain(row, name) and said(values, name)]
    return all(plain(row, name) == said(values, name) for name in names)


def plain(row: Contact, name: str) -> str:
    """A name, as names are compared."""
    return " ".join(getattr(row, name).casefold().split())


def said(values: Mapping[str, str], name: str) -> str:
    """The same, of what a program says."""
    return " ".join(values[name].casefold().split())


def has_name(row: Contact) -> bool:
    """Whether they have a name that could be compared."""
    return any(plain(row, name) for name in NAMES)
