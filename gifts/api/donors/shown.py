"""A donor as the API shows one: every member of the customer's document that has a value, and all texts, "" when empty.

Amounts are JSON numbers: `number` gives them out exactly. They have 14 digits at most, and 15 survive in any reader.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from contacts.models import Contact, CustomField, CustomValue
from gifts.models import DonorClubSpell
from gifts.whole import Whole

CONTACT, ORGANIZATION = "contact", "organization"


def donor(one: Whole) -> dict[str, Any]:
    """All of it."""
    row, contact, place, giving = one.donor, one.contact, one.place, one.giving
    is_organization = contact.kind == Contact.Kind.ORGANIZATION
    found = {
        "id": str(row.uid),
        "type": ORGANIZATION if is_organization else CONTACT,
        ("organization_id" if is_organization else "contact_id"): str(contact.uid),
        "name": contact.organization_name if is_organization else str(contact) if contact.has_name else "",
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email_address": one.email,
        "city": place.city if place else "",
        "state": place.state if place else "",
        "country": place.country if place else "",
        "job_title": contact.job_title,
        "anonymous": row.anonymous,
        "notes": row.notes,
        "total_number_of_gifts": giving.number if giving else 0,
        "total_amount_of_gifts": number(giving.total) if giving else 0,
        "pledge_balance": number(giving.pledged) if giving else 0,
        "donor_club_history": [spell(each) for each in one.spells],
        "custom_field_values": [answer(each) for each in one.answers],
        "sys_version": row.version,
        "sys_created_at": moment(row.created_at),
        "sys_last_modified_at": moment(row.updated_at),
        "sys_created_by_id": row.created_by,
        "sys_last_modified_by_id": row.updated_by,
        "sys_external_id": row.external_id,
        "sys_locked": row.is_locked,
        "sys_has_files_in_s3": False,
        "sys_calculated_field_errors": [],
    }
    if giving and giving.last_on:
        found |= {"date_of_last_gift": giving.last_on.isoformat(), "amount_of_largest_gift": number(giving.largest)}
    if row.club:
        found["donor_club_id"] = str(row.club.uid)
    if row.deleted_by:
        found["sys_deleted_by_id"] = row.deleted_by
    return found


def only(found: dict[str, Any], names: Iterable[str] | None) -> dict[str, Any]:
    """The members that were asked for, and always the id; all of them where nothing was asked."""
    wanted = {*(names or ()), "id"}
    return {name: value for name, value in found.items() if name in wanted} if names else found


def spell(row: DonorClubSpell) -> dict[str, Any]:
    """A time in a club; the one that lasts has no end yet."""
    end = row.end_on.isoformat() if row.end_on else None
    return {"donor_club_id": str(row.club.uid), "start_date": row.start_on.isoformat(), "end_date": end}


def answer(row: CustomValue) -> dict[str, Any]:
    """What stands in a custom field, in the member for its kind."""
    found: dict[str, Any] = {"custom_field_id": str(row.field.uid)}
    if row.field.kind == CustomField.Kind.NUMBER and row.number is not None:
        return found | {"numeric_value": number(row.number)}
    if row.field.kind == CustomField.Kind.YES_NO:
        return found | {"boolean_value": row.value == "yes"}
    return found | {"string_value": row.value}


def number(amount: Decimal) -> int | float:
    """As a JSON number with the same digits."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def moment(at: datetime) -> str:
    """A time in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
