"""Whom a search means: AND between members, OR within an array, texts compared whole and without case (A6)."""

from typing import Any

from django.db.models import Q, QuerySet

from contacts.api.problems import Problem
from contacts.duplicates.nicknames import WHOLE
from contacts.models import Contact, EmailAddress, PostalAddress
from contacts.models.contact import address_key
from gifts.api.donors.members import as_uid
from gifts.api.donors.wanted import KINDS, invalid
from gifts.models import Donor

TEXTS = ("first_name", "last_name", "email_address", "nickname", "type", "job_title", "city", "state")
ARRAYS = ("ids", "organization_id", "contact_id")
MOST, LONGEST = 1_000, 300


def criteria_of(body: Any) -> dict[str, Any]:
    """What a body asks for; null, "" and [] ask for nothing."""
    if not isinstance(body, dict):
        raise Problem(400, "invalid", "Send a JSON object; {} finds every donor.")
    errors = [(str(name)[:50], "There is no such criterion.") for name in body if name not in (*TEXTS, *ARRAYS)]
    for name in TEXTS:
        if (value := body.get(name)) is not None and (not isinstance(value, str) or len(value) > LONGEST):
            errors.append((name, f"This is a text of {LONGEST} letters at most."))
    for name in ARRAYS:
        value = body.get(name)
        if value is not None and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            errors.append((name, "This is an array of texts."))
        elif value is not None and len(value) > MOST:
            errors.append((name, f"At most {MOST:,} ids."))
    if not errors and body.get("type") and body["type"] not in KINDS:
        errors.append(("type", f"This is one of {', '.join(KINDS)}."))
    if errors:
        raise invalid(*errors[:20])
    return {name: body[name] for name in (*TEXTS, *ARRAYS) if body.get(name)}


def matching(criteria: dict[str, Any]) -> "QuerySet[Donor]":
    """The donors of the active organization."""
    rows: QuerySet[Donor] = Donor.objects.all()
    for name, value in criteria.items():
        rows = rows.filter(of_array(name, value) if name in ARRAYS else of_text(name, " ".join(value.split())))
    return rows


def of_array(name: str, values: list[str]) -> Q:
    """One of these ids; what cannot be an id is nobody's."""
    uids = [uid for uid in map(as_uid, values) if uid]
    if name == "ids":
        return Q(uid__in=uids)
    return Q(contact__uid__in=uids, contact__kind=KINDS[name.removesuffix("_id")])


def of_text(name: str, value: str) -> Q:
    """This text, whole."""
    if name == "type":
        return Q(contact__kind=KINDS[value])
    if name == "email_address":
        emails = EmailAddress.objects.filter(address_key=address_key(value), is_primary=True)
        return Q(contact__in=emails.order_by().values("contact"))
    if name in ("city", "state"):
        return Q(contact__in=primary_places().filter(alike(name, value)).values("contact"))
    if name == "nickname":
        return Q(contact__kind=Contact.Kind.PERSON) & called(value)
    return alike(f"contact__{name}", value)


def called(nickname: str) -> Q:
    """Who goes by this name: Bob is Bob, and Robert."""
    found = alike("contact__first_name", nickname)
    for name in sorted(WHOLE.get(nickname.lower(), ())):
        found |= Q(contact__first_name__iexact=name)
    return found


def alike(name: str, value: str) -> Q:
    """Equal without case. SQLite knows the two cases of the letters A to Z only, so usual spellings are named."""
    found = Q(**{f"{name}__iexact": value})
    return found if value.isascii() else found | Q(**{f"{name}__in": [value.lower(), value.upper(), value.title()]})


def primary_places() -> "QuerySet[PostalAddress]":
    """The postal address of each contact that is shown: the primary one, or else the first."""
    from django.db.models import OuterRef, Subquery

    first = PostalAddress.objects.filter(contact=OuterRef("contact")).order_by("-is_primary", "pk")
    return PostalAddress.objects.filter(pk=Subquery(first.values("pk")[:1])).order_by()
