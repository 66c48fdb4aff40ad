"""Whom a program of others means: found by its own id, email address or phone number, and added only if nobody is."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q

from contacts.duplicates.merge import FORMER_ID
from contacts.importing.values import phone_number
from contacts.models import Contact, EmailAddress, OutsideIdentifier, PhoneNumber, Tenant
from contacts.models.contact import address_key
from contacts.tenancy.walls import current_tenant

MOST = 20
NAMES = ("first_name", "last_name", "organization_name")


class NoSuchNumber(Exception):
    """This is no phone number that can be dialled; the message says so."""


def by_custom_user_id(value: str) -> list[Contact]:
    """Whom another system knows by this id, or whoever has taken them in when two were merged."""
    pks = set(Contact.objects.filter(custom_user_id=value).order_by().values_list("pk", flat=True)[:MOST])
    former = OutsideIdentifier.objects.filter(system__iexact=FORMER_ID, value=value).order_by()
    return these(pks or set(former.values_list("contact_id", flat=True)[:MOST]))


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
def find_or_add(values: Mapping[str, str]) -> tuple[Contact, bool]:
    """The contact with these values, and whether it is new. Who is here already is not changed.

    `values`: kind, first_name, last_name, organization_name, custom_user_id, email, phone; empty where unknown. The id
    decides, then the email address (two first names with one address are two people), then number and name together.
    Of two programs that add the same person at once, the second finds whom the first has added.
    """
    tenant = current_tenant()
    assert tenant is not None  # noqa: S101 - outside of an organization every query raises anyway
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    number = dialled(values["phone"]) if values["phone"] else ""
    if (known := known_as(values, number)) is not None:
        return known, False
    contact = Contact(kind=values["kind"], custom_user_id=values["custom_user_id"])
    for name in NAMES:
        setattr(contact, name, values[name])
    contact.save()
    if values["email"]:
        EmailAddress.objects.create(contact=contact, address=values["email"], is_primary=True)
    if number:
        PhoneNumber.objects.create(contact=contact, number=number, is_primary=True)
    contact.refresh_from_db()  # Do Not Contact that was kept for this address holds for them
    return contact, True


def known_as(values: Mapping[str, str], number: str) -> Contact | None:
    """Who this is, if they are here."""
    if values["custom_user_id"] and (found := by_custom_user_id(values["custom_user_id"])):
        return found[0]
    others = Q() if not values["custom_user_id"] else Q(custom_user_id="")  # with another id they are somebody else
    if values["email"]:
        pks = {contact.pk for contact in by_email(values["email"])}
        rows = Contact.objects.filter(others, pk__in=pks).order_by("pk")
        if (same := next((row for row in rows if may_be(row, values)), None)) is not None:
            return same
    if number and any(values[name] for name in NAMES):
        pks = {contact.pk for contact in by_phone(number)}
        rows = Contact.objects.filter(others, pk__in=pks).order_by("pk")
        return next((row for row in rows if may_be(row, values) and has_name(row)), None)
    if number and not values["email"]:
        pks = {contact.pk for contact in by_phone(number)}
        return Contact.objects.filter(others, pk__in=pks).order_by("pk").first()
    return None


def may_be(row: Contact, values: Mapping[str, str]) -> bool:
    """Whether no name speaks against it: what is empty on either side says nothing."""
    return all(
        not values[name].strip() or not getattr(row, name).strip()
        or values[name].strip().casefold() == getattr(row, name).strip().casefold()
        for name in ("first_name", "last_name")
    )  # fmt: skip


def has_name(row: Contact) -> bool:
    """Whether they have a name that could be compared."""
    return any(getattr(row, name).strip() for name in NAMES)
