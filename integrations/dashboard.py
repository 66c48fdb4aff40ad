"""What integrations add to the pages of the apps below: a panel on the first page, cards, and a badge in the menu."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string

from contacts.models import Contact, ContactList
from contacts.tenancy import cards
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from integrations.cards import contact_card, list_card
from integrations.models import Connection, RemoteRecord, SyncRun
from integrations.overview import overviews
from integrations.words import sum_up

AREA = "integrations"
LATEST = 5
AHEAD = (SyncRun.State.PLANNING, SyncRun.State.READY)


def register() -> None:
    """Called once when the app is ready."""
    cards.add_panel(panel, order=10)
    cards.add_card(Contact, contact_card, order=20)
    cards.add_card(ContactList, list_card, order=20)
    cards.add_badge("integrations:setup", badge)


def panel(request: HttpRequest) -> str:
    """The first page: what needs a person, how each integration is doing, the last Syncs."""
    if not is_allowed(request, SEE, AREA):
        return ""
    found = overviews()
    connected = [o for o in found if o.connection]
    runs = list(SyncRun.objects.select_related("connection", "started_by")[:LATEST]) if connected else []
    context: dict[str, Any] = {
        "overviews": found, "connected": connected, "may_change": is_allowed(request, CHANGE, AREA),
        "runs": [(run, sum_up(run.counts, ahead=run.state in AHEAD)) for run in runs],
        "needs": [o for o in connected if o.needs_person or o.set_aside],
        "waiting": sum(o.waiting for o in connected),
    }  # fmt: skip
    return render_to_string("integrations/cards/dashboard.html", context, request)


def badge(request: HttpRequest) -> str:
    """How many things need a person, beside the menu entry."""
    needy = Connection.objects.filter(Q(state=Connection.State.RECONNECT) | ~Q(brake={})).count()
    refused = RemoteRecord.objects.filter(state=RemoteRecord.State.SET_ASIDE).count()
    return f"{needy + refused:,}" if needy + refused else ""
