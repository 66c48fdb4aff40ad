"""The members of a donor: what each is, who writes it, and how what a program sends is checked. The document for
programs is made from the same table."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contacts.importing.values import is_email

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "number"}
MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
DAY: dict[str, Any] = {"type": "string", "format": "date"}
FLAG: dict[str, Any] = {"type": "boolean"}
ID: dict[str, Any] = {"type": "string", "pattern": r"^[A-Za-z0-9_|:\-]+$"}


class Invalid(Exception):
    """What is wrong with a member, in a sentence."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member that programs may write. `part` and `name` say where it is kept (`gifts.donors.Wanted`)."""

    part: str
    name: str
    schema: dict[str, Any]
    words: str = ""
    read: Callable[[Any], Any] = field(default=lambda value: value)


def text(longest: int, is_line: bool = True) -> Callable[[Any], str]:
    """A text of so many letters; one line is kept without spaces around it. null is empty."""

    def read(value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Invalid("This is a text.")
        kept = " ".join(value.split()) if is_line else value.replace("\r\n", "\n")
        if len(kept) > longest:
            raise Invalid(f"This has {longest:,} letters at most.")
        return kept

    return read


def flag(value: Any) -> bool:
    """true or false; null is false."""
    if value is not None and not isinstance(value, bool):
        raise Invalid("This is true or false.")
    return bool(value)


def email(value: Any) -> str:
    """An address, or nothing."""
    address = text(254)(value)
    if address and not is_email(address):
        raise Invalid("This is not an email address.")
    return address


def country(value: Any) -> str:
    """Two letters."""
    code = text(2)(value).upper()
    if code and not re.fullmatch("[A-Z]{2}", code):
        raise Invalid("A country is two letters, such as US.")
    return code


def line(part: str, name: str, longest: int, words: str = "") -> Member:
    """A member that is one line of text."""
    return Member(part, name, TEXT | {"maxLength": longest}, words, text(longest))


OWN, DETAILS = "own", "details"
NOTES = 20_000
WRITABLE: dict[str, Member] = {
    "first_name": line(DETAILS, "first_name", 100),
    "last_name": line(DETAILS, "last_name", 100),
    "name": line(DETAILS, "organization_name", 200, "Of an organization. A contact’s is made of first and last name."),
    "email_address": Member(
        DETAILS, "email", TEXT | {"maxLength": 254}, "The contact’s primary address, to which lists are sent.", email
    ),
    "city": line(DETAILS, "city", 100),
    "state": line(DETAILS, "state", 100),
    "country": Member(DETAILS, "country", TEXT | {"pattern": "^([A-Za-z]{2})?$"}, "Two letters, such as US.", country),
    "job_title": line(DETAILS, "job_title", 150),
    "anonymous": Member(OWN, "anonymous", FLAG, "Whether the donor wants to stay anonymous.", flag),
    "notes": Member(
        OWN, "notes", TEXT | {"maxLength": NOTES}, "Notes on the donor. Numbers of payment cards are taken out.",
        text(NOTES, is_line=False),
    ),
    "sys_external_id": line(OWN, "external_id", 150, "Your id of this donor. No two donors have the same."),
}  # fmt: skip

# What only we write. In POST and PUT these are ignored, so that what was read can be sent back; a PATCH that would
# change one is 400 (A10).
READ_ONLY: dict[str, tuple[dict[str, Any], str]] = {
    "donor_club_id": (TEXT, "The club that the donor is in."),
    "date_of_last_gift": (DAY, "Absent without gifts."),
    "total_number_of_gifts": (NUMBER, "Refunded gifts do not count."),
    "total_amount_of_gifts": (NUMBER, "Less what was refunded."),
    "pledge_balance": (NUMBER, "What is still to come of pledges."),
    "amount_of_largest_gift": (NUMBER, "Absent without gifts."),
    "donor_club_history": (
        {"type": "array", "items": {"$ref": "#/components/schemas/ClubSpell"}},
        "Every time in a club, the oldest first.",
    ),
    "sys_deleted_by_id": (TEXT, "Who last tried to delete this donor."),
    "sys_version": (NUMBER, "Rises by one with every change. A PUT that carries another one is 409."),
    "sys_created_at": (MOMENT, ""),
    "sys_last_modified_at": (MOMENT, ""),
    "sys_created_by_id": (TEXT, "The user or the API key."),
    "sys_last_modified_by_id": (TEXT, "The user or the API key."),
    "sys_locked": (FLAG, "If true, nothing of this donor can be changed through the API (403). Staff lock and unlock."),
    "sys_bulk_load_pk": (TEXT, "Not used here."),
    "sys_bulk_load_at": (TEXT, "Not used here."),
    "sys_bulk_load_id": (TEXT, "Not used here."),
    "sys_bulk_load_record_no": (NUMBER, "Not used here."),
    "sys_bulk_load_source_file": (TEXT, "Not used here."),
    "sys_last_bulk_data_operation_id": (TEXT, "Not used here."),
    "sys_last_bulk_data_operation_sys_version": (TEXT, "Not used here."),
    "sys_directive": (TEXT, "Accepted, and not kept."),
    "sys_calculated_field_error": (TEXT, "Not used here."),
    "sys_calculated_field_errors": ({"type": "array", "items": {"type": "object"}}, "Always empty: totals are exact."),
    "sys_snapshot_base_version": (NUMBER, "Not used here."),
    "sys_has_files_in_s3": (FLAG, "Always false."),
    "sys_configuration_snapshot_id": (TEXT, "Not used here."),
    "sys_last_security_context": ({"type": "object"}, "Not used here."),
}  # fmt: skip
REFERENCES = ("type", "contact_id", "organization_id")
CUSTOM = "custom_field_values"
KNOWN = {"id", *REFERENCES, *WRITABLE, CUSTOM, *READ_ONLY}


def as_uid(value: str) -> uuid.UUID | None:
    """An id of ours, or None for what cannot be one. Python reads further spellings: each donor has one id only."""
    try:
        found = uuid.UUID(value) if len(value) == 36 else None
    except ValueError:
        return None
    return found if str(found) == value.lower() else None
