"""The card on a contact's page about a service that gifts come from and interactions are saved at: as whom they are
known there, what was saved, and what was not and why (D7, D11)."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from contacts.models import Contact
from contacts.tenancy.roles import SEE, is_allowed
from gifts.models import Gift
from integrations.gift_sums import not_saved
from integrations.models import Connection, RemoteRecord
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from integrations.sync.interactions import KIND, ids_there, uid_of
from tasks_app.models import VideoEvent

AREA = "integrations"
MOST, LATEST = 5, 200


@dataclass(frozen=True, slots=True)
class KnownThere:
    """One contact at one such service."""

    connection: Connection
    numbers: list[str]
    gifts: int
    saved: int
    waiting: int
    left: list[dict[str, Any]]


def card(request: HttpRequest, contact: Contact) -> str:
    """Shown for whom there is something to say; a few queries for each such service."""
    if not is_allowed(request, SEE, AREA):
        return ""
    able = [key for key, one in all_providers().items() if {Can.PULL_GIFTS, Can.WRITE_INTERACTIONS} & one.can]
    found = [known_there(one, contact) for one in Connection.objects.filter(provider__in=able)]
    shown = [one for one in found if one.numbers or one.gifts or one.left]
    return render_to_string("integrations/cards/giving.html", {"shown": shown}, request) if shown else ""


def known_there(connection: Connection, contact: Contact) -> KnownThere:
    """What there is to say of them."""
    events = VideoEvent.objects.filter(thank_you__contact=contact).select_related("thank_you").order_by("-pk")[:LATEST]
    uids = {uid_of(event, each) for event in events for each in (True, False)}
    found = RemoteRecord.objects.filter(connection=connection, kind=KIND, subject_uid__in=uids)
    rows = list(found.select_related("connection")) if uids else []
    stuck = [row for row in rows if row.state != RemoteRecord.State.OK]
    return KnownThere(
        connection, ids_there(connection, [contact])[contact.pk],
        Gift.objects.filter(contact=contact, source=connection.provider).count(),
        sum(row.effect == RemoteRecord.Effect.DONE for row in rows),
        sum(row.due_at is not None for row in rows if row not in stuck), not_saved(stuck[:MOST]),
    )  # fmt: skip
