"""From JSON that a program sent to what is to be written (`gifts.donors.Wanted`), or to what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from contacts import custom
from contacts.api.problems import Problem
from contacts.models import Contact, CustomField
from gifts.api.donors import shown
from gifts.api.donors.members import CUSTOM, KNOWN, OWN, READ_ONLY, REFERENCES, WRITABLE, Invalid, as_uid
from gifts.donors import Wanted
from gifts.whole import Whole

KINDS = {shown.CONTACT: Contact.Kind.PERSON, shown.ORGANIZATION: Contact.Kind.ORGANIZATION}
KEEPS = ("string_value", "numeric_value", "boolean_value")
KEEPS_NOT = ("file_url_value", "list_value", "table_value")
MOST_ANSWERS = 200


def invalid(*errors: tuple[str, str]) -> Problem:
    """400: these members are wrong."""
    said = [{"path": f"/{name}", "message": message} for name, message in errors]
    return Problem(400, "invalid", "Nothing was done. " + " ".join(f"{n}: {m}" for n, m in errors)[:500], said)


def missing(name: str, sentence: str) -> Problem:
    """409: what this member refers to is not there."""
    return Problem(
        409, "no-such-reference", f"Nothing was done. {sentence}", [{"path": f"/{name}", "message": sentence}]
    )


def from_body(body: Mapping[str, Any], present: Whole | None = None) -> Wanted:
    """Of a POST, or of a PUT of the donor that is there. What the contact says stays where the body says nothing. If a
    PUT names another contact, what was read of the former one and is only sent back is not written to the new one."""
    contact = referred(body)
    if present and body.get("id") not in (None, "", str(present.donor.uid)):
        raise invalid(("id", "This is not the id in the address."))
    own = {name for name, member in WRITABLE.items() if member.part == OWN}
    given = dict.fromkeys(own if present else ()) | {name: body[name] for name in (*WRITABLE, CUSTOM) if name in body}
    if present and present.contact.pk != contact.pk:
        before = shown.donor(present)
        given = {name: value for name, value in given.items() if name in own or not same(value, before[name])}
    wanted = read({name: value for name, value in given.items() if name != CUSTOM}, contact)
    if CUSTOM in given:
        wanted.answers = answers(given[CUSTOM], present)
    wanted.contact = contact
    return wanted


def from_patch(before: Mapping[str, Any], after: Any, present: Whole) -> Wanted:
    """Of a document as it is shown and what a patch made of it. Only what differs is written."""
    if not isinstance(after, dict):
        raise invalid(("", "A donor stays an object."))
    errors = [(str(name)[:50], "There is no such member.") for name in after if name not in KNOWN]
    errors += [(name, "This cannot be changed.") for name in ("id", *READ_ONLY) if differs(before, after, name)]
    if errors:
        raise invalid(*errors[:20])
    is_moved = any(differs(before, after, name) for name in REFERENCES)
    contact = referred(after) if is_moved else present.contact
    wanted = read({name: after.get(name) for name in WRITABLE if differs(before, after, name)}, contact)
    if differs(before, after, "name") and contact.kind != Contact.Kind.ORGANIZATION:
        raise invalid(("name", "A contact’s name is made of first_name and last_name."))
    if differs(before, after, CUSTOM):
        wanted.answers = answers(after.get(CUSTOM), present)
    wanted.contact = contact
    return wanted


def differs(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> bool:
    """Whether a patch changed this member; true is not 1, and nothing is not null."""
    return (name in before) != (name in after) or not same(before.get(name), after.get(name))


def same(one: Any, other: Any) -> bool:
    """Equal as JSON has it."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return bool(one == other)


def read(given: Mapping[str, Any], contact: Contact) -> Wanted:
    """Each member as its kind wants it; all that is wrong is said at once."""
    wanted, errors = Wanted(), []
    for name, value in given.items():
        member = WRITABLE[name]
        if name == "name" and contact.kind != Contact.Kind.ORGANIZATION:
            continue
        try:
            kept = member.read(value)
        except Invalid as why:
            errors.append((name, str(why)))
            continue
        if name == "name" and not kept:
            errors.append((name, "An organization has a name."))
        (wanted.own if member.part == "own" else wanted.details)[member.name] = kept
    if errors:
        raise invalid(*errors)
    return wanted


def referred(body: Mapping[str, Any]) -> Contact:
    """The contact or organization that a donor is of (A12)."""
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        raise invalid(("type", f"Send one of {', '.join(KINDS)}."))
    name = f"{kind}_id"
    found = None
    for each in (name, *({"contact_id", "organization_id"} - {name})):
        given = body.get(each)
        if given in (None, "") and each != name:
            continue
        if not isinstance(given, str) or not given:
            raise invalid((each, f"A donor of type {kind} needs the id of {an(each)}."))
        contact = of_kind(given, KINDS[each.removesuffix("_id")])
        if contact is None:
            raise missing(each, f"There is no {each.removesuffix('_id')} with this id.")
        found = found or contact
    assert found is not None  # noqa: S101 - the first of the two was there, or refused
    return found


def an(name: str) -> str:
    """In a sentence."""
    return "a contact" if name == "contact_id" else "an organization"


def of_kind(given: str, kind: str) -> Contact | None:
    """Whoever has this id, if it is of this kind."""
    uid = as_uid(given)
    found: Contact | None = Contact.objects.filter(uid=uid, kind=kind).first() if uid else None
    return found


def answers(given: Any, present: Whole | None) -> dict[CustomField, str]:
    """What custom fields are to say: those that are sent, and nothing for all others. What is sent back as it was shown
    is not read anew."""
    if given is not None and not isinstance(given, list):
        raise invalid((CUSTOM, "This is an array."))
    rows = given or []
    if len(rows) > MOST_ANSWERS:
        raise invalid((CUSTOM, f"At most {MOST_ANSWERS} values."))
    fields = {str(field.uid): field for field in custom.fields()}
    known = {str(row.field.uid): row for row in present.answers} if present else {}
    found: dict[str, str] = {}
    for number, row in enumerate(rows):
        place = f"{CUSTOM}/{number}"
        if not isinstance(row, dict) or not isinstance(row.get("custom_field_id"), str):
            raise invalid((place, "This is an object with custom_field_id."))
        uid = row["custom_field_id"].lower()
        if uid not in fields:
            raise missing(place, "There is no custom field with this id.")
        if uid in found:
            raise invalid((place, "This custom field is there twice."))
        is_as_shown = uid in known and same(row, shown.answer(known[uid]))
        found[uid] = known[uid].value if is_as_shown else answer(fields[uid], row, place)
    return {field: found.get(uid, "") for uid, field in fields.items()}


def answer(field: CustomField, row: Mapping[str, Any], place: str) -> str:
    """One value as it is kept."""
    if any(row.get(name) not in (None, "", []) for name in KEEPS_NOT):
        raise invalid((place, f"A value is in one of {', '.join(KEEPS)}."))
    values = [row[name] for name in KEEPS if row.get(name) is not None]
    if len(values) > 1:
        raise invalid((place, f"Send one of {', '.join(KEEPS)}."))
    value = values[0] if values else ""
    if not isinstance(value, str | bool | int | float):
        raise invalid((place, "This is a text, a number, or true or false."))
    try:
        return custom.canonical(field, ("yes" if value else "no") if isinstance(value, bool) else str(value))
    except ValidationError as why:
        raise invalid((place, " ".join(why.messages))) from None
