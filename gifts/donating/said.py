"""What a program says of a person, read once into plain values. Pure, but for the organization's country."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import phonenumbers

from contacts.importing.values import is_email, repaired, tidy
from contacts.models.contact import address_key
from contacts.tenancy.walls import current_tenant
from gifts.donating.refused import DonatingRefused

SUBSCRIBED, UNSUBSCRIBED = "subscribed", "unsubscribed"
OURS = "action_network:"
NEEDED = "Send an email address or a phone number of the person."
ASKED = "almoner:asked"  # ours: they were asked whether they want mail, so that saying nothing is a no
NAMES = {"given_name": "first_name", "family_name": "last_name"}
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Said:
    """One person as they were sent. "" and empty stand for what was not."""

    email: str = ""
    mail_status: str = ""
    was_asked: bool = False  # whether a form asked if mail is welcome
    phone: str = ""  # as E.164
    text_status: str = ""
    names: dict[str, str] = field(default_factory=dict)  # by fields of the contact
    address: dict[str, Any] = field(default_factory=dict)
    languages: list[str] = field(default_factory=list)
    custom: dict[str, Any] = field(default_factory=dict)
    identifiers: list[str] = field(default_factory=list)

    @property
    def declines_mail(self) -> bool:
        """Whether they were asked and did not say yes."""
        return self.was_asked and self.mail_status != SUBSCRIBED

    @property
    def email_key(self) -> str:
        """The form in which two spellings of the address are equal."""
        return address_key(self.email)


def read_person(given: Mapping[str, Any] | None) -> Said:
    """From OSDI's own form, already found to be well formed. Raises `DonatingRefused` for an address that is none."""
    given = given or {}
    mail, phone = first(given, "email_addresses", "address"), first(given, "phone_numbers", "number")
    email = repaired(tidy(text(mail.get("address"))))
    if email and not is_email(email):
        raise DonatingRefused("The email address of the person is none.")
    names = {ours: tidy(text(given.get(theirs)))[:LONGEST] for theirs, ours in NAMES.items()}
    return Said(
        email=email, mail_status=status(mail), was_asked=mail.get(ASKED) is True,
        phone=dialled(text(phone.get("number"))), text_status=status(phone),
        names={name: value for name, value in names.items() if value}, address=first(given, "postal_addresses"),
        languages=[tidy(text(code))[:35] for code in given.get("languages_spoken") or () if text(code).strip()],
        custom=dict(given.get("custom_fields") or {}),
        identifiers=[text(one) for one in given.get("identifiers") or () if not text(one).lower().startswith(OURS)],
    )  # fmt: skip


def first(given: Mapping[str, Any], name: str, needed: str = "") -> dict[str, Any]:
    """The entry of a list that counts: the one marked primary, or the first; of those that have an address, if any."""
    rows: Sequence[Any] = [row for row in given.get(name) or () if isinstance(row, Mapping)]
    rows = [row for row in rows if row.get(needed)] or rows
    return dict(next((row for row in rows if row.get("primary") is True), rows[0] if rows else {}))


def text(value: Any) -> str:
    """Numbers of phones and postal codes come as JSON numbers, too."""
    return "" if value is None or isinstance(value, bool | list | dict) else str(value).strip()


def status(row: Mapping[str, Any]) -> str:
    """Subscribed or unsubscribed; any other word is passed over."""
    word = text(row.get("status")).lower()
    return word if word in (SUBSCRIBED, UNSUBSCRIBED) else ""


def dialled(number: str) -> str:
    """As it is kept; "" for what is no number. Every number of a possible length is taken, as the vendor does: the
    example of its own document is one that nobody has."""
    tenant = current_tenant()
    region = tenant.phone_region if tenant else "US"
    for written, country in ((number, region), (f"+{number.lstrip('+')}", None)):
        try:
            read = phonenumbers.parse(written, country)
        except phonenumbers.NumberParseException:
            continue
        read.extension = None
        if phonenumbers.is_possible_number(read):
            return str(phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164))
    return ""
