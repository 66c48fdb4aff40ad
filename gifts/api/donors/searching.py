"""Whom a search means: AND between members, OR within an array, texts compared whole and without case (A6)."""

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Upper

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
NO_CRITERIA = "Send a JSON object; {} finds every donor."
FEW = 1_000  # contacts that one text may find by its index


def criteria_of(body: Any) -> dict[str, Any]:
    """What a body asks for; null, "" and [] ask for nothing."""
    if not isinstance(body, dict):
        raise Problem(400, "invalid", NO_CRITERIA)
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
    if not errors and (kind := (body.get("type") or "").strip()) and kind not in KINDS:
        errors.append(("type", f"This is one of {', '.join(KINDS)}."))
    if errors:
        raise invalid(*errors[:20])
    found = {name: " ".join(body[name].split()) for name in TEXTS if body.get(name)}
    found |= {name: body[name] for name in ARRAYS if body.get(name)}
    return {name: value for name, value in found.items() if value}


def matching(criteria: dict[str, Any]) -> "QuerySet[Donor]":
    """The donors of the active organization."""
    rows: QuerySet[Donor] = Donor.objects.all()
    for name, value in criteria.items():
        rows = rows.filter(of_array(name, value) if name in ARRAYS else of_text(name, value))
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
        return of_contacts(Contact.objects.filter(kind=KINDS[value]).order_by("kind", "pk"), "pk")
    if name == "email_address":
        emails = EmailAddress.objects.filter(address_key=address_key(value), is_primary=True)
        return of_contacts(emails.order_by(), "contact_id")
    if name in ("city", "state"):
        return of_contacts(alike(shown_places(), name, value), "contact_id")
    if name == "nickname":
        people = Contact.objects.filter(kind=Contact.Kind.PERSON)
        return of_contacts(alike(people, "first_name", value, *WHOLE.get(value.lower(), ())), "pk")
    return of_contacts(alike(Contact.objects.all(), name, value), "pk")


def of_contacts(rows: "QuerySet[Any]", link: str) -> Q:
    """Donors whose contacts these rows are, or lead to. Few are found by their index. Of many, a page is full after a
    short walk through the donors in their order, and nobody has to find all of them first."""
    pks = list(rows.values_list(link, flat=True)[: FEW + 1])
    if len(pks) <= FEW:
        return Q(contact__in=pks)
    return Q(Exists(rows.filter(**{link: OuterRef("contact_id")})))


def alike(rows: "QuerySet[Any]", name: str, *values: str) -> "QuerySet[Any]":
    """Those where one of these texts stands, whatever the case, by the index on its upper case. SQLite knows the two
    cases of the letters A to Z only, so usual spellings are named."""
    spellings = {each for value in values for each in (value, value.lower(), value.upper(), value.title())}
    wanted = [Upper(Value(each)) for each in sorted({ascii_upper(each) for each in spellings})]
    # Ordered, since SQLite would otherwise read a larger index from its beginning to its end.
    return rows.alias(compared=Upper(F(name))).filter(compared__in=wanted).order_by("compared")


def ascii_upper(text: str) -> str:
    """As SQLite has it."""
    return "".join(sign.upper() if sign.isascii() else sign for sign in text)


def shown_places() -> "QuerySet[PostalAddress]":
    """The postal address of each contact that is shown: the primary one, or else the first."""
    first = PostalAddress.objects.filter(contact=OuterRef("contact")).order_by("-is_primary", "pk")
    return PostalAddress.objects.filter(pk=Subquery(first.values("pk")[:1]))
