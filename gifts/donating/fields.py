"""What was sent is written to the contact; what was not sent stays (O4). By the same rows that staff's forms write, so
that history, lists, consent and services elsewhere follow by themselves."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from contacts import custom
from contacts.importing.values import country as country_of
from contacts.importing.values import tidy
from contacts.models import Contact, CustomField, EmailAddress, OutsideIdentifier, PostalAddress, SpokenLanguage
from contacts.tenancy.walls import TenantQuerySet, current_tenant
from gifts.donating.said import Said, text

PLACE = {"locality": ("city", 100), "region": ("state", 100), "postal_code": ("postal_code", 20)}


def write(contact: Contact, said: Said, is_blind: bool = False, is_new: bool = False) -> None:
    """Names, postal address, languages, custom fields and identifiers. Of somebody new nothing is looked up."""
    changed = {name: value for name, value in said.names.items() if getattr(contact, name) != value}
    for name, value in changed.items():
        setattr(contact, name, value)
    if changed:
        contact.save()
    write_place(contact, said.address, is_new)
    if said.languages:
        write_languages(contact, said.languages, is_new)
    write_custom(contact, said.custom, may_add=not is_blind)
    if not is_blind:
        add_identifiers(contact, said.identifiers)


def write_place(contact: Contact, given: Mapping[str, Any], is_new: bool = False) -> None:
    """The main postal address, part by part. A country that is missing is the organization's."""
    lines = [tidy(text(line)) for line in given.get("address_lines") or ()]
    values = {"street": ", ".join(line for line in lines if line)[:200]}
    for theirs, (ours, longest) in PLACE.items():
        values[ours] = tidy(text(given.get(theirs)))[:longest]
    values["country"] = country_of(text(given.get("country"))) or ""
    values = {name: value for name, value in values.items() if value}
    if not values:
        return
    row = None if is_new else contact.postal_addresses.order_by("-is_primary", "pk").first()
    row = row or PostalAddress(contact=contact, is_primary=True)
    for name, value in values.items():
        setattr(row, name, value)
    tenant = current_tenant()
    row.country = row.country or (tenant.country if tenant else "")
    row.save()


def write_languages(contact: Contact, codes: list[str], is_new: bool = False) -> None:
    """Exactly these, in this order."""
    wanted = list(dict.fromkeys(codes))
    here = {} if is_new else {row.code: row for row in contact.languages.all()}
    for code, row in here.items():
        if code not in wanted:
            row.delete()
        elif row.position != wanted.index(code):
            row.position = wanted.index(code)
            row.save()
    SpokenLanguage.objects.bulk_create(
        SpokenLanguage(contact=contact, code=code, position=position)
        for position, code in enumerate(wanted) if code not in here
    )  # fmt: skip


def write_custom(contact: Contact, given: Mapping[str, Any], may_add: bool) -> None:
    """Answers to the organization's own questions, by their names. A question that it does not ask yet is added, if a
    key stands for it; an answer that the question does not allow is passed over. "" and null take an answer away."""
    if not given:
        return
    fields = {field.name.casefold(): field for field in custom.fields()}
    values: dict[CustomField, str] = {}
    for name, value in given.items():
        words, answer = tidy(str(name)), as_text(value)
        field = fields.get(words.casefold())
        if field is None:
            if not (may_add and answer and words) or len(words) > 60 or len(fields) >= custom.MOST_FIELDS:
                continue
            field = fields[words.casefold()] = CustomField.objects.create(name=words, position=len(fields))
        try:
            values[field] = custom.canonical(field, answer)
        except ValidationError:
            continue
    custom.set_values(contact, values)


def as_text(value: Any) -> str:
    """As people would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(as_text(one) for one in value)
    return "" if value is None or isinstance(value, dict) else str(value)[: custom.MOST]


def add_identifiers(contact: Contact, identifiers: list[str]) -> None:
    """What other systems call them; one that somebody else has stays there."""
    for one in identifiers:
        system, colon, value = (part.strip() for part in one.partition(":"))
        if not (colon and system and value) or len(system) > 50 or len(value) > 150:
            continue
        if not OutsideIdentifier.objects.filter(system__iexact=system, value=value).exists():
            OutsideIdentifier.objects.create(contact=contact, system=system, value=value)


def write_email(contact: Contact, said: Said) -> bool:
    """Their main address, if nobody else has it. Returns whether they have it now."""
    if not said.email:
        return False
    if contact.email_addresses.filter(address_key=said.email_key).exists():
        return True
    if EmailAddress.objects.filter(address_key=said.email_key).exists():
        return False
    row = contact.primary_email or EmailAddress(contact=contact, is_primary=True)
    row.address, row.state = said.email, EmailAddress.State.OK
    row.save()
    return True


def touch(contact: Contact, is_new: bool = False) -> None:
    """When they were changed, by whatever part of them; somebody new was changed when they were added."""
    at = contact.created_at if is_new else timezone.now()
    TenantQuerySet.update(Contact.objects.filter(pk=contact.pk), updated_at=at)  # no change of its own
