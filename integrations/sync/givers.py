"""Which contact a donor of a service is (D7): by their number there, then by email, then by phone; else a new contact.

Whoever was found once is known by an identifier, of which the database lets only one of a number be. Somebody new is on
no list. The stop before is gift_store.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower

from contacts.importing.values import is_email, phone_number
from contacts.models import Contact, EmailAddress, OutsideIdentifier, PhoneNumber
from contacts.models.contact import address_key
from contacts.tenancy.models import Tenant
from integrations.models import Connection
from integrations.provider_kit.giving import PersonThere

PERSON, ORGANIZATION = Contact.Kind.PERSON, Contact.Kind.ORGANIZATION


def identifiers(system: str) -> Any:
    """What this system calls our contacts, by the index of the names' lower case."""
    return OutsideIdentifier.objects.annotate(low=Lower("system")).filter(low=system.lower()).order_by("pk")


def of_service(connection: Connection) -> Any:
    """What any account of this service calls our contacts, the present one and former ones."""
    return OutsideIdentifier.objects.annotate(low=Lower("system")).filter(low__startswith=str(connection).lower())


def known_donors(system: str, numbers: set[str]) -> dict[str, int]:
    """{number there: contact} of those whom we know by it. One query."""
    rows = identifiers(system).filter(value__in=numbers)
    return dict(rows.values_list("value", "contact_id"))


@dataclass
class Givers:
    """Some donors and the contacts they turn out to be; six queries, and a few more if anybody is new."""

    connection: Connection
    tenant: Tenant
    found: dict[str, Contact] = field(default_factory=dict)
    new: list[Contact] = field(default_factory=list)
    emails: list[EmailAddress] = field(default_factory=list)
    phones: list[PhoneNumber] = field(default_factory=list)

    @property
    def system(self) -> str:
        """What identifiers of this account are called."""
        return self.connection.system

    def meet(self, people: Mapping[str, PersonThere]) -> dict[str, Contact]:
        """{number there: contact} for all of them; whoever is new here is added."""
        known = known_donors(self.system, set(people))
        here = Contact.objects.in_bulk(set(known.values()))
        self.found = {number: here[pk] for number, pk in known.items() if pk in here}
        strangers = {number: person for number, person in people.items() if number not in self.found}
        if strangers:
            self.recognize(strangers)
        return self.found

    def recognize(self, people: Mapping[str, PersonThere]) -> None:
        """Somebody who is here under another name than this number, or somebody new."""
        keys = {number: address_key(one.email) if is_email(one.email) else "" for number, one in people.items()}
        region = (self.tenant.phone_region,)
        dialled = {number: phone_number(one.phone, region)[0] for number, one in people.items()}
        by_custom, by_email, by_phone = self.candidates(list(people), keys, dialled)
        pks = {one.pk for group in (by_custom, by_email, by_phone) for found in group.values() for one in found}
        owned = set(identifiers(self.system).filter(contact__in=pks).values_list("contact__uid", flat=True))
        links, noted = [], []
        for number, person in people.items():
            key, phone = keys[number], dialled[number]
            groups = (by_custom[number], by_email[key] if key else [], by_phone[phone] if phone else [])
            contact = next(filter(None, (self.best(group, person, owned) for group in groups)), None)
            if contact is None:
                contact = self.add(person, key, phone)
                by_email[key].append(contact)
                by_phone[phone].append(contact)
            elif contact.pk and not contact.custom_user_id:
                noted.append(contact)
            contact.custom_user_id = contact.custom_user_id or number
            owned.add(contact.uid)
            links.append(OutsideIdentifier(contact=contact, system=self.system, value=number))
            self.found[number] = contact
        Contact.objects.bulk_create(self.new)
        if noted:
            Contact.objects.bulk_update(noted, ["custom_user_id"])
        EmailAddress.objects.bulk_create(self.emails)
        PhoneNumber.objects.bulk_create(self.phones)
        OutsideIdentifier.objects.bulk_create(links)

    def candidates(
        self, numbers: list[str], keys: Mapping[str, str], dialled: Mapping[str, str]
    ) -> tuple[defaultdict[str, list[Contact]], ...]:
        """Who has one of these numbers as custom user id, one of these addresses, one of these phone numbers."""
        found: tuple[defaultdict[str, list[Contact]], ...] = (defaultdict(list), defaultdict(list), defaultdict(list))
        former = of_service(self.connection).exclude(low=self.system.lower())
        of_former = Exists(former.filter(contact=OuterRef("pk"), value=OuterRef("custom_user_id")))
        for contact in Contact.objects.filter(custom_user_id__in=numbers).exclude(of_former).order_by("pk"):
            found[0][contact.custom_user_id].append(contact)
        emails = EmailAddress.objects.filter(address_key__in={key for key in keys.values() if key})
        same: dict[int, Contact] = {}  # one object for each, so that what is noted on it is seen everywhere
        for row in emails.select_related("contact").order_by("-is_primary", "contact_id"):
            found[1][row.address_key].append(same.setdefault(row.contact_id, row.contact))
        wanted = {number for number in dialled.values() if number}
        rows = PhoneNumber.objects.filter(number__in=wanted) if wanted else PhoneNumber.objects.none()
        for phone in rows.select_related("contact").order_by("contact_id"):
            found[2][str(phone.number)].append(same.setdefault(phone.contact_id, phone.contact))
        found[1].pop("", None)
        found[2].pop("", None)
        return found

    def best(self, group: list[Contact], person: PersonThere, owned: set[UUID]) -> Contact | None:
        """Whoever of these it is. Somebody of the same name comes first; a contact who is another donor there already
        is only taken if the name is the same, too: couples share an address."""
        of_kind = [one for one in group if one.kind == (ORGANIZATION if person.is_organization else PERSON)]
        for one in of_kind:
            if name_of(one) == folded(person):
                return one
        return next((one for one in of_kind if one.uid not in owned), None)

    def add(self, person: PersonThere, key: str, phone: str) -> Contact:
        """A new contact with name, email and phone, and nothing else (D9)."""
        contact = Contact(
            kind=ORGANIZATION if person.is_organization else PERSON,
            first_name=person.first_name[:100],
            last_name="" if person.is_organization else person.last_name[:100],
            organization_name=person.last_name[:200] if person.is_organization else "",
        )
        self.new.append(contact)
        if key:
            address = person.email.strip()
            self.emails.append(EmailAddress(contact=contact, address=address, address_key=key, is_primary=True))
        if phone:
            self.phones.append(PhoneNumber(contact=contact, number=phone, is_primary=True))
        return contact


def name_of(contact: Contact) -> str:
    """A contact's name, as names are compared."""
    return " ".join(str(contact).casefold().split())


def folded(person: PersonThere) -> str:
    """A donor's name, likewise."""
    return " ".join(f"{person.first_name} {person.last_name}".casefold().split())
