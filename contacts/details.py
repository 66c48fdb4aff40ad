"""What a program of others may say of a contact: names, the primary email address, the place of the primary postal one.

Written row by row as the staff's forms do it, so that lists, consent, search and services that are kept in step follow.
"""

from collections.abc import Mapping

from django.db import transaction

from contacts.models import Contact, EmailAddress, PostalAddress
from contacts.models.contact import address_key

NAMES = ("first_name", "last_name", "organization_name", "job_title")
EMAIL = "email"
PLACE = ("city", "state", "country")


@transaction.atomic
def set_details(contact: Contact, values: Mapping[str, str]) -> bool:
    """Write these of NAMES, EMAIL and PLACE; "" empties, what is not named stays. Returns whether anything changed.

    The contact is locked by the caller, and read after that.
    """
    changed = [set_names(contact, {name: values[name] for name in NAMES if name in values})]
    if EMAIL in values:
        changed.append(set_email(contact, values[EMAIL].strip()))
    if place := {name: values[name] for name in PLACE if name in values}:
        changed.append(set_place(contact, place))
    return any(changed)


def set_names(contact: Contact, values: Mapping[str, str]) -> bool:
    """On the contact itself."""
    wrong = {name: value for name, value in values.items() if getattr(contact, name) != value}
    for name, value in wrong.items():
        setattr(contact, name, value)
    if wrong:
        contact.save()
    return bool(wrong)


def set_email(contact: Contact, address: str) -> bool:
    """The address that lists are sent to. One that the contact has already becomes the primary one; otherwise it takes
    the place of the present one, and that mail came back from the old one says nothing about it (L20)."""
    rows = {row.address_key: row for row in EmailAddress.objects.filter(contact=contact).order_by("pk")}
    primary = next((row for row in rows.values() if row.is_primary), None)
    if (primary.address if primary else "") == address:
        return False
    other = rows.get(address_key(address))
    if not address:
        primary.delete()  # type: ignore[union-attr]
    elif other is not None and other is not primary:
        if primary:
            primary.is_primary = False
            primary.save()
        other.is_primary, other.address = True, address
        other.save()
    elif primary:
        if other is None:
            primary.state = EmailAddress.State.OK
        primary.address = address
        primary.save()
    else:
        EmailAddress.objects.create(contact=contact, address=address, is_primary=True)
    return True


def set_place(contact: Contact, values: Mapping[str, str]) -> bool:
    """Of the primary postal address, which is made where there is none and goes when nothing stands in it any more."""
    row = PostalAddress.objects.filter(contact=contact).order_by("-is_primary", "pk").first()
    row = row or PostalAddress(contact=contact, is_primary=True)
    if all(getattr(row, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    if str(row) or row.label:
        row.save()
    elif row.pk:
        row.delete()
    return True
