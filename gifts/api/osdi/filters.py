"""What each collection can be filtered by, and how that is asked of the database by an index (O14)."""

import uuid
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Lower

from contacts.models import Contact, EmailAddress, HistoryEntry, OutsideIdentifier, PhoneNumber, PostalAddress
from contacts.models.contact import address_key
from gifts.api.osdi.filter import Compare, moment, only_eq, read_moment, words
from gifts.donating.said import OURS, dialled
from gifts.models import DonationIdentifier, FundraisingPage, PageIdentifier

NOBODY = Q(pk__in=[])


def own_uid(text: str) -> uuid.UUID | None:
    """The id in an identifier of ours, also without the word before it."""
    try:
        return uuid.UUID(text.removeprefix(OURS).strip())
    except ValueError:
        return None


def person_identifier(text: str) -> Q:
    """Ours, or `system:id` of another system."""
    if (uid := own_uid(text)) is not None:
        return Q(uid=uid)
    system, _, value = text.partition(":")
    # In the form of the unique index.
    rows = OutsideIdentifier.objects.alias(folded=Lower("system"))
    rows = rows.filter(folded=Lower(Value(system.strip())), value=value.strip())
    return Q(pk__in=rows.order_by().values("contact")) if value else NOBODY


def page_identifier(text: str) -> Q:
    """Ours, or another system's."""
    if (uid := own_uid(text)) is not None:
        return Q(uid=uid)
    return Q(pk__in=PageIdentifier.objects.filter(text=text.strip()).order_by().values("page"))


def donation_identifier(text: str) -> Q:
    """Ours, or another system's."""
    if (uid := own_uid(text)) is not None:
        return Q(uid=uid)
    return Q(pk__in=DonationIdentifier.objects.filter(text=text.strip()).order_by().values("donation"))


def email(text: str) -> Q:
    """Any of their addresses, whatever its case."""
    rows = EmailAddress.objects.filter(address_key=address_key(text))
    return Q(pk__in=rows.order_by().values("contact"))


def phone(text: str) -> Q:
    """Any of their numbers, with the country's code or without."""
    number = dialled(text)
    return Q(pk__in=PhoneNumber.objects.filter(number=number).order_by().values("contact")) if number else NOBODY


def changed(op: str, value: str) -> Q:
    """When anything of them was last changed, as their history has it: a new address moves no clock of the contact."""
    when = read_moment(value)
    entries = HistoryEntry.objects.filter(contact_uid=OuterRef("uid")).order_by()
    if op == "gt":
        return Q(Exists(entries.filter(at__gt=when)))
    if op == "lt":
        return ~Q(Exists(entries.filter(at__gte=when)))
    until = when + timedelta(seconds=1)
    return Q(Exists(entries.filter(at__gte=when, at__lt=until))) & ~Q(Exists(entries.filter(at__gte=until)))


PEOPLE: dict[str, Compare] = {
    "identifier": only_eq("identifier", person_identifier),
    "created_date": moment("created_at"),
    "modified_date": changed,
    "given_name": words(Contact, "first_name"),
    "family_name": words(Contact, "last_name"),
    "email_address": only_eq("email_address", email),
    "phone_number": only_eq("phone_number", phone),
    "region": words(PostalAddress, "state", "contact"),
    "postal_code": words(PostalAddress, "postal_code", "contact"),
}
PEOPLE["email"] = PEOPLE["email_address"]  # as some clients call it
PAGES: dict[str, Compare] = {
    "identifier": only_eq("identifier", page_identifier),
    "created_date": moment("created_at"),
    "modified_date": moment("updated_at"),
    "origin_system": words(FundraisingPage, "origin_system"),
    "title": words(FundraisingPage, "title"),
}
DONATIONS: dict[str, Compare] = {
    "identifier": only_eq("identifier", donation_identifier),
    "created_date": moment("given_at"),
    "modified_date": moment("updated_at"),
}
NONE: dict[str, Compare] = {}
