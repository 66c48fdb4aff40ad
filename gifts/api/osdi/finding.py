"""Rows by the ids in addresses and links. What is another organization's is not there, and told so."""

import uuid
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request

from contacts.api.auth import Caller as Program
from contacts.duplicates.identities import now_of
from contacts.models import ApiToken, Contact
from gifts.api.osdi.errors import NotThere, Wrong
from gifts.donating.caller import Caller


def uid_of(text: str) -> uuid.UUID | None:
    """The id, if it is one."""
    try:
        return uuid.UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def one(rows: "QuerySet[Any]", what: str, text: str) -> Any:
    """The row with this id. Raises `NotThere`."""
    uid = uid_of(text)
    row = rows.filter(uid=uid).first() if uid else None
    if row is None:
        raise NotThere(what, text)
    return row


def person(text: str) -> Contact:
    """Somebody by their id; whoever was merged into another goes on answering as that one. Raises `NotThere`."""
    contact = living(uid_of(text))
    if contact is None:
        raise NotThere("person", text)
    return contact


def living(uid: uuid.UUID | None) -> Contact | None:
    """The contact with this id, or the one that it is part of by now."""
    if uid is None:
        return None
    rows = Contact.objects.filter(uid=uid)
    found: Contact | None = rows.first()
    if found is None and (kept := now_of([uid]).get(uid)):
        found = Contact.objects.filter(uid=kept).first()
    return found


def linked_person(uid: str | None) -> Contact:
    """The person that a link leads to. Raises `Wrong`."""
    contact = living(uid_of(uid or ""))
    if contact is None:
        raise Wrong("You must specify a valid person id")
    return contact


def caller(request: Request) -> Caller:
    """Whose call it is, for the services: the key names the list that new people join."""
    token: ApiToken = request.auth  # type: ignore[assignment]
    return Caller(joins=token.joins)


def words(request: Request) -> str:
    """The key's name, for histories."""
    return str(Program(request.auth))[:100]  # type: ignore[arg-type]


def wants_background(request: Request) -> bool:
    """Whether it is to be answered at once and done afterwards (O9)."""
    return request.query_params.get("background_request", "").lower() == "true"
