"""Households: how their members are greeted together (pure), who should be one, and the verbs that make and change
them. The staff's pages and `integrations/sync/people.py` both greet through this file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from contacts.models import Contact, EmailAddress, Household
from contacts.models.household import is_family_name_in, is_named_in

MOST_NAMES = 5  # a greeting that names more is no greeting


@dataclass(frozen=True, slots=True)
class Name:
    """What a greeting needs of one person; an organization's name stands in `first`."""

    first: str = ""
    last: str = ""


def name_of(contact: Contact) -> Name:
    """The name of a contact as newsletters know it."""
    is_organization = contact.kind == Contact.Kind.ORGANIZATION and contact.organization_name
    if is_organization or not (contact.first_name or contact.last_name):
        return Name(contact.organization_name)
    return Name(contact.first_name, contact.last_name)


def joined(names: Sequence[str]) -> str:
    """“Ada”, “Ada and Ben”, “Ada, Ben and Cy”."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def greet(here: Sequence[Name], household: str, written: str = "", absent: Iterable[str] = ()) -> Name:
    """How these members are greeted with one name, and their last name if it is the same and belongs behind it: behind
    “Ada and Ben”, not behind “The Okoros” or “Dear friends”.

    `household` is its name; `written` a greeting that staff have chosen, which holds unless it names somebody of
    `absent`: first names of members who must not be greeted with them.
    """
    last = here[0].last if here and len({one.last.casefold() for one in here}) == 1 else ""
    if written and not any(is_named_in(name, written) for name in absent):
        is_of_first_names = any(is_named_in(one.first, written) for one in here)
        return Name(written, last if is_of_first_names and not is_family_name_in(last, written) else "")
    firsts = list({one.first.casefold(): one.first for one in here if one.first}.values())
    if not firsts or len(firsts) > MOST_NAMES:
        return Name(household)
    return Name(joined(firsts), last)


def greeting_of(household: Household, members: Sequence[Contact] | None = None) -> str:
    """What stands after “Dear”: as staff wrote it, or made from the first names of its members."""
    members = list(household.members.order_by("pk")) if members is None else members
    return greet([name_of(one) for one in members], household.name, household.greeting).first


def greeting_at(address_key: str) -> str:
    """“Ada and Ben Okoro”: how newsletters greet those who share an address, if they are all of one household."""
    emails = EmailAddress.objects.filter(address_key=address_key, is_primary=True).order_by("contact_id")
    holders = [(email, email.contact) for email in emails.select_related("contact__household")]
    here = [one for email, one in holders if email.state == EmailAddress.State.OK and not one.do_not_contact]
    home = here[0].household if len(here) > 1 else None
    if home is None or any(one.household_id != home.pk for one in here):
        return ""
    absent = [name_of(one).first for _, one in holders if one not in here and one.household_id == home.pk]
    name = greet([name_of(one) for one in here], home.name, home.greeting, absent)
    return f"{name.first} {name.last}".strip()


def sharing(contact: Contact) -> QuerySet[Contact]:
    """Who else has this contact's primary email address."""
    own = EmailAddress.objects.filter(contact=contact, is_primary=True).values("address_key")
    holders = EmailAddress.objects.filter(address_key__in=own, is_primary=True).values("contact")
    return Contact.objects.filter(pk__in=holders).exclude(pk=contact.pk).select_related("household").order_by("pk")


def shared_addresses() -> Any:
    """Addresses that several contacts have as their primary one, of whom at least one is in no household."""
    rows: Any = EmailAddress.objects.filter(is_primary=True).order_by().values("address_key")
    alone = Count("pk", filter=Q(contact__household=None))
    return rows.annotate(people=Count("pk"), alone=alone).filter(people__gt=1, alone__gt=0).order_by("address_key")


@dataclass(slots=True)
class Shared:
    """One address and everybody who has it; `household` if some of them are in one already, and in one only."""

    address: str
    contacts: list[Contact]
    household: Household | None = None
    is_possible: bool = True  # not where they are in different households


def suggestions(addresses: Iterable[str]) -> list[Shared]:
    """Who could be a household because of these addresses, in two queries."""
    found: dict[str, list[Contact]] = {address: [] for address in addresses}
    rows = EmailAddress.objects.filter(address_key__in=list(found), is_primary=True).order_by("contact_id")
    for email in rows.select_related("contact__household"):
        found[email.address_key].append(email.contact)
    suggested = []
    for address, contacts in found.items():
        homes = {one.household_id: one.household for one in contacts if one.household}
        suggested.append(Shared(address, contacts, next(iter(homes.values()), None), len(homes) < 2))
    return suggested


def proposed_name(contacts: Sequence[Contact]) -> str:
    """A name for a new household: “The Okoro household”, or “Ada and Ben”."""
    names = [name_of(one) for one in contacts]
    if names and names[0].last and len({one.last.casefold() for one in names}) == 1:
        return f"The {names[0].last} household"
    firsts = [one.first or one.last for one in names if one.first or one.last]
    return joined(firsts[:MOST_NAMES])[:200] or "A household"


@transaction.atomic
def make_household(contacts: Sequence[Contact], name: str = "") -> Household:
    """A new household of these contacts; ValidationError if somebody is in one already."""
    household = Household(name=name or proposed_name(contacts))
    household.save()
    add_members(household, [one.pk for one in contacts])
    return household


@transaction.atomic
def add_members(household: Household, pks: Iterable[int]) -> int:
    """Put contacts into a household; ValidationError if somebody is in another one. Returns how many are new."""
    wanted = list(pks)
    elsewhere = Contact.objects.filter(pk__in=wanted).exclude(household=None).exclude(household=household)
    for contact in elsewhere.select_related("household")[:1]:
        raise ValidationError(
            f"{contact} is in the household “{contact.household}” already. Take them out of it first: each contact is "
            "in one household at most."
        )
    return Contact.objects.filter(pk__in=wanted, household=None).update(household=household)


def take_out(contact: Contact) -> None:
    """Out of their household; the others stay."""
    Contact.objects.filter(pk=contact.pk).exclude(household=None).update(household=None)
