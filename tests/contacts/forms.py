"""Fill in the page of a contact as a browser would."""

from typing import Any

from django.test import Client

from contacts.models import Contact
from tests.tenancy.walk import Fields

PREFIXES = {
    "email_addresses": ["address", "is_primary", "state"],
    "phone_numbers": ["number", "label", "is_primary"],
    "memberships": ["contact_list", "position", "do_not_contact"],
}


def page_of(contact: Contact | None) -> str:
    """The address of the form."""
    return f"/admin/contacts/contact/{contact.pk}/change/" if contact else "/admin/contacts/contact/add/"


def opened(client: Client, contact: Contact | None = None) -> dict[str, Any]:
    """What the form holds now, without the empty rows that scripts copy."""
    values = Fields(client.get(page_of(contact)).content.decode()).values
    return {name: value for name, value in values.items() if "__prefix__" not in name}


def with_row(form: dict[str, Any], prefix: str, **values: Any) -> dict[str, Any]:
    """The form with one more row in a part of it."""
    number = int(form[f"{prefix}-TOTAL_FORMS"])
    row = {f"{prefix}-{number}-{name}": value for name, value in values.items()}
    return form | row | {f"{prefix}-TOTAL_FORMS": str(number + 1)}


def sent(client: Client, form: dict[str, Any], contact: Contact | None = None) -> Any:
    """The answer to sending it."""
    return client.post(page_of(contact), {name: value for name, value in form.items() if value is not None})
