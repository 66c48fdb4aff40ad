"""Contacts as files need them: a page of them with all that hangs on them, in a number of queries that never grows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import phonenumbers
from django.db.models import CharField
from django.db.models.functions import Cast

from contacts import standing
from contacts.households import Name, greet, name_of
from contacts.models import (
    Contact,
    ContactTag,
    CustomValue,
    EmailAddress,
    Household,
    ListMembership,
    OutsideIdentifier,
    PhoneNumber,
    PostalAddress,
)

FIELDS = [
    "pk", "uid", "kind", "first_name", "last_name", "organization_name", "job_title", "do_not_contact",
    "custom_user_id", "notes", "household_id", "created_at", "updated_at",
]  # fmt: skip


@dataclass(slots=True)
class Row:
    """One contact. What no chosen column asks for stays empty."""

    contact: dict[str, Any]
    emails: list[Any] = field(default_factory=list)  # (address, key, is_primary, state), primary first
    phones: list[str] = field(default_factory=list)
    postal: list[Any] = field(default_factory=list)  # (street, city, state, postal code, country)
    tags: list[str] = field(default_factory=list)
    places: list[Any] = field(default_factory=list)  # (list, its name, Do Not Contact, position, since)
    ids: list[str] = field(default_factory=list)
    custom: dict[int, str] = field(default_factory=dict)
    household: str = ""
    greeting: str = ""
    out: dict[str, str] = field(default_factory=dict)  # what they opted out of, as contacts/standing.py has it

    @property
    def primary(self) -> Any:
        """The address that lists are sent to, or None."""
        return next((email for email in self.emails if email[2]), None)


Rows = dict[int, Row]


def read(pks: Sequence[int], parts: Iterable[str], region: str) -> list[Row]:
    """These contacts in this order, those still there; `parts` are names of the functions below."""
    here = Contact.objects.filter(pk__in=pks).order_by().values(*FIELDS)
    found = {values["pk"]: Row(values) for values in here}
    for part in ORDER:
        if part in parts:
            PARTS[part](found, region)
    return [found[pk] for pk in pks if pk in found]


def emails(rows: Rows, region: str) -> None:
    """Every address."""
    here = EmailAddress.objects.filter(contact__in=rows).order_by("-is_primary", "pk")
    for pk, *email in here.values_list("contact_id", "address", "address_key", "is_primary", "state"):
        rows[pk].emails.append(email)


def phones(rows: Rows, region: str) -> None:
    """Every number, those of the organization's own country as people write them there."""
    here = PhoneNumber.objects.filter(contact__in=rows).order_by("-is_primary", "pk")
    # As plain text: the field would read each number, and it is read below.
    for pk, number in here.annotate(e164=Cast("number", CharField())).values_list("contact_id", "e164"):
        rows[pk].phones.append(as_dialled(number, region))


def postal(rows: Rows, region: str) -> None:
    """Every postal address."""
    here = PostalAddress.objects.filter(contact__in=rows).order_by("-is_primary", "pk")
    for pk, *address in here.values_list("contact_id", "street", "city", "state", "postal_code", "country"):
        rows[pk].postal.append(address)


def tags(rows: Rows, region: str) -> None:
    """The names of their tags."""
    here = ContactTag.objects.filter(contact__in=rows).order_by("tag__name")
    for pk, name in here.values_list("contact_id", "tag__name"):
        rows[pk].tags.append(name)


def places(rows: Rows, region: str) -> None:
    """Their places on lists, each with its own Do Not Contact (L7)."""
    here = ListMembership.objects.filter(contact__in=rows).order_by("contact_list__name")
    columns = ("contact_id", "contact_list_id", "contact_list__name", "do_not_contact", "position", "joined_at")
    for pk, *place in here.values_list(*columns):
        rows[pk].places.append(place)


def ids(rows: Rows, region: str) -> None:
    """What other systems call them."""
    here = OutsideIdentifier.objects.filter(contact__in=rows).order_by("system", "value")
    for pk, system, value in here.values_list("contact_id", "system", "value"):
        rows[pk].ids.append(f"{system}: {value}")


def custom(rows: Rows, region: str) -> None:
    """The values of custom fields."""
    here = CustomValue.objects.filter(contact__in=rows).order_by()
    for pk, of, value in here.values_list("contact_id", "field_id", "value"):
        rows[pk].custom[of] = value


def household(rows: Rows, region: str) -> None:
    """Whose household they belong to and how it is greeted; its other members may be on no page of this file."""
    homes = {row.contact["household_id"] for row in rows.values()} - {None}
    if not homes:
        return
    names: dict[int, list[Name]] = {}
    for member in Contact.objects.filter(household__in=homes).order_by("pk"):
        names.setdefault(member.household_id, []).append(name_of(member))  # type: ignore[arg-type]
    for home in Household.objects.filter(pk__in=homes):
        greeting = greet(names.get(home.pk, []), home.name, home.greeting).first
        for row in rows.values():
            if row.contact["household_id"] == home.pk:
                row.household, row.greeting = home.name, greeting


def consent(rows: Rows, region: str) -> None:
    """What they opted out of themselves: the word follows the person and each of their addresses."""
    keys = {pk: [email[1] for email in row.emails] for pk, row in rows.items()}
    by_uid, by_address = standing.load(
        [row.contact["uid"] for row in rows.values()], [key for some in keys.values() for key in some]
    )
    for pk, row in rows.items():
        words = standing.strictest(by_uid.get(str(row.contact["uid"])), *(by_address.get(key) for key in keys[pk]))
        row.out = {scope: state for scope, state in words.items() if state != standing.FREE}


PARTS: dict[str, Callable[[Rows, str], None]] = {
    "emails": emails, "phones": phones, "postal": postal, "tags": tags, "places": places, "ids": ids,
    "custom": custom, "household": household, "consent": consent,
}  # fmt: skip
ORDER = list(PARTS)  # consent looks at the addresses


def as_dialled(number: str, region: str) -> str:
    """“(415) 555-0132” at home, “+44 20 7946 0958” abroad; in any case what is read back as the same number."""
    try:
        parsed = phonenumbers.parse(number, None)
        if parsed.country_code == phonenumbers.country_code_for_region(region):
            national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
            if phonenumbers.parse(national, region) == parsed:
                return national
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number
