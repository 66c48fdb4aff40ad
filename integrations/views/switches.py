"""The switches of one connection (D4): what each does, since when, who turned it on, and when it last did its work."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from contacts.tenancy.roles import CHANGE
from integrations import switching
from integrations.forms import dress
from integrations.gift_sums import figures
from integrations.models import Connection
from integrations.provider_kit.base import Can
from integrations.provider_kit.errors import CallFailed
from integrations.providers import provider_for
from integrations.switching import NotSwitched
from integrations.sync import gift_pages, thanking
from integrations.sync.interactions import EVERY_WATCH
from integrations.views.page import connection_or_404, press, provider_or_404, render, see_page, staff_page


@see_page
def show(request: HttpRequest, provider: str) -> HttpResponse:
    """Every switch, on or off."""
    kind = provider_or_404(provider)
    if not kind.switches:
        raise Http404
    connection = connection_or_404(provider)
    switches = switching.switches_of(connection)
    beside = figures(connection, switches)
    return render(
        request, "switches.html", f"{kind.label}: what it does", service=kind.label, connection=connection,
        switches=[
            (each, switch, switching.code_of(connection, each.key), beside[each.key]) for each, switch in switches
        ],
        thanking=thanking.choice_of(connection), thanking_choices=list(thanking.CHOICES.items()),
        every_watch=bool(connection.settings.get(EVERY_WATCH)), is_pulling=Can.PULL_GIFTS in kind.can,
        is_saving=Can.WRITE_INTERACTIONS in kind.can, not_saved=sum(one.not_saved for one in beside.values()),
        asking=gift_pages.asking().filter(connection=connection).first(), words=kind.code_words,
        can_turn_on=connection.state == Connection.State.ACTIVE,
    )  # fmt: skip


def codes_there(connection: Connection) -> list[tuple[str, str]]:
    """What there is to choose from. Raises `CallFailed`."""
    with provider_for(connection) as provider:
        return provider.codes()


@staff_page(CHANGE, ("GET", "HEAD", "POST"))
def codes(request: HttpRequest, provider: str) -> HttpResponse:
    """Under which of the vendor's codes things are saved there (D10)."""
    kind, connection = provider_or_404(provider), connection_or_404(provider)
    needing = [each for each in kind.switches if each.needs_code]
    if not needing:
        raise Http404
    try:
        found = codes_there(connection)
    except CallFailed as failure:
        messages.error(request, f"{kind.label} could not be asked just now: {failure} Please try again.")
        return redirect("integrations:switches", provider)
    choices = [("", "Please choose"), *((code, f"{words} ({code})") for code, words in found)]
    form = forms.Form(request.POST if request.method == "POST" else None)
    for each in needing:
        chosen = switching.code_of(connection, each.key)
        form.fields[each.key] = forms.ChoiceField(label=each.label, choices=choices, required=False, initial=chosen)
    if form.is_bound and form.is_valid():
        switching.choose_codes(connection, {name: code for name, code in form.cleaned_data.items() if code})
        messages.success(request, "Saved.")
        return redirect("integrations:switches", provider)
    return render(
        request, "codes.html", f"{kind.label}: {kind.code_words}s", service=kind.label, connection=connection,
        form=dress(form), words=kind.code_words, nothing="" if found else kind.no_codes,
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


@press
def choices(request: HttpRequest, provider: str) -> HttpResponse:
    """How new gifts are thanked for (D6), and whether every watch is saved (D12)."""
    connection = connection_or_404(provider)
    changes: dict[str, Any] = {}
    if thanking.CHOICE in request.POST:
        if request.POST[thanking.CHOICE] not in thanking.CHOICES:
            raise Http404
        changes[thanking.CHOICE] = request.POST[thanking.CHOICE]
    if "watches" in request.POST:
        changes[EVERY_WATCH] = request.POST["watches"] == "every"
    switching.choose(connection, changes)
    messages.success(request, "Saved.")
    return redirect("integrations:switches", provider)
