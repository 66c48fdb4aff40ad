"""A person whom a program names: found by email address and phone number, or added, and written down (O3-O6)."""

from collections.abc import Mapping
from typing import Any

from contacts.models import Contact
from gifts.donating.caller import KEYED, Caller

Given = Mapping[str, Any]


def sign_up(given: Given, caller: Caller = KEYED) -> tuple[Contact, bool]:
    """The person signup helper: find or add a person, write down what was sent, then tags. One transaction.

    `given`: {person: {...}, add_tags: [names], remove_tags: [names]}, well formed. `person` has the fields of OSDI:
    given_name, family_name, email_addresses [{address, status}], phone_numbers [{number, status}], postal_addresses
    [{address_lines, locality, region, postal_code, country}], languages_spoken, custom_fields {name: text},
    identifiers. Of several addresses or numbers the one marked primary counts, else the first that has one. Status:
    `subscribed`, and for email and text messages `unsubscribed`; any other is passed over.

    Returns the contact and whether it is new. Raises `DonatingRefused` for somebody without address and number.
    """
    raise RuntimeError("On its way.")


def update_person(contact: Contact, given: Given, caller: Caller = KEYED) -> Contact:
    """Write what was sent to a person who is known (PUT): the fields of `person` above. What is not sent stays; null
    takes nothing away but a custom field. An address that somebody else has is passed over, a number moves here.
    Status without an address or number is about the one that is there. One transaction. Returns the contact, which is
    another one if this one was merged into it."""
    raise RuntimeError("On its way.")
