"""Who is meant (O3): found by email address and by phone number, and what becomes of those who are found.

`decide` is pure: who has the address, who has the number, and the plan comes out. The table stands in the dossier.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from contacts.models import Contact, EmailAddress, PhoneNumber
from gifts.donating.said import Said

MOST = 50  # with one number or address: more is a switchboard, and looked at no further
Person = TypeVar("Person")


@dataclass(frozen=True, slots=True)
class Plan(Generic[Person]):
    """`person` is updated, or somebody new is added. These are merged into them; those lose the number to them."""

    person: Person | None
    merged: list[Person] = field(default_factory=list)
    losing: list[Person] = field(default_factory=list)


def decide(
    has_email: bool, has_phone: bool, by_email: Sequence[Person], with_mail: Sequence[Person],
    mobile_only: Sequence[Person],
) -> Plan[Person]:  # fmt: skip
    """`by_email`: who has the address that was sent, the best first. `with_mail` and `mobile_only`: who has the number,
    by whether they have any email address. A family may share either: who has both is meant, and nobody loses."""
    holders = [*with_mail, *mobile_only]
    if not has_email:
        return Plan(holders[0] if holders else None)
    if by_email:
        both = next((one for one in by_email if one in holders), None)
        person = both or by_email[0]
        if both is not None or not has_phone:
            return Plan(person)
        return Plan(person, list(mobile_only), [one for one in with_mail if one != person])
    return Plan(mobile_only[0] if mobile_only else None, list(mobile_only[1:]), list(with_mail))


def plan_for(said: Said) -> Plan[int]:
    """Whom this names now, by numbers of contacts. At most three queries."""
    holders = with_number(said.phone)
    mail = EmailAddress.objects.filter(contact__in=holders).order_by().values_list("contact_id", flat=True)
    has_mail = set(mail) if holders else set()
    return decide(
        bool(said.email), bool(said.phone), with_address(said), [pk for pk in holders if pk in has_mail],
        [pk for pk in holders if pk not in has_mail],
    )  # fmt: skip


def with_address(said: Said) -> list[int]:
    """Whoever has this address: first those whose names fit, then those whose mail goes there, then the oldest."""
    if not said.email:
        return []
    rows = EmailAddress.objects.filter(address_key=said.email_key).select_related("contact").order_by("contact_id")
    found = sorted(rows[:MOST], key=lambda mail: (not fits(mail.contact, said), not mail.is_primary, mail.contact_id))
    return list(dict.fromkeys(mail.contact_id for mail in found))


def with_number(number: str) -> list[int]:
    """Whoever has this number: first those to whom it is the main one, then the oldest."""
    if not number:
        return []
    rows = PhoneNumber.objects.filter(number=number).order_by("-is_primary", "contact_id")
    return list(dict.fromkeys(rows.values_list("contact_id", flat=True)[:MOST]))


def fits(contact: Contact, said: Said) -> bool:
    """Whether no name speaks against it: what is empty on either side says nothing."""
    return all(
        not getattr(contact, name) or getattr(contact, name).strip().casefold() == value.casefold()
        for name, value in said.names.items()
    )
