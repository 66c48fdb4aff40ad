"""The switches of one connection (D4): what each does, since when, who turned it on, and when it last did its work."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations import switching
from integrations.models import Connection
from integrations.provider_kit.errors import CallFailed
from integrations.switching import NotSwitched
from integrations.views.page import connection_or_404, press, provider_or_404, render, see_page


@see_page
def show(request: HttpRequest, provider: str) -> HttpResponse:
    """Every switch, on or off."""
    kind = provider_or_404(provider)
    if not kind.switches:
        raise Http404
    connection = connection_or_404(provider)
    return render(
        request, "switches.html", f"{kind.label}: what it does", service=kind.label, connection=connection,
        switches=switching.switches_of(connection), can_turn_on=connection.state == Connection.State.ACTIVE,
    )  # fmt: skip


@press
def turn(request: HttpRequest, provider: str) -> HttpResponse:
    """One switch, on or off."""
    connection = connection_or_404(provider)
    kind = switching.kinds_of(connection).get(request.POST.get("kind", ""))
    if kind is None:
        raise Http404
    asker: Any = request
    try:
        if request.POST.get("to") == "on":
            switching.turn_on(connection, kind.key, asker.user)
            messages.success(request, f"“{kind.label}” is on. What happened before this moment is left alone.")
        else:
            switching.turn_off(connection, kind.key)
            messages.success(request, f"“{kind.label}” is off.")
    except NotSwitched as sentence:
        messages.error(request, str(sentence))
    except CallFailed as failure:
        messages.error(request, f"“{kind.label}” stays off: {failure} Please try again.")
    return redirect("integrations:switches", provider)
