"""Connect and Disconnect: the buttons, the way back from the vendor, and the question about another account."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_variables

from contacts.tenancy.roles import CHANGE
from integrations import connecting
from integrations.connecting import NotConnected
from integrations.models import Connection
from integrations.provider_kit.base import Can
from integrations.sync.listening import start_listening
from integrations.views.page import connection_or_404, may_change, press, provider_or_404, render, see_page, staff_page


@press
def start(request: HttpRequest, provider: str) -> HttpResponse:
    """Off to the vendor's *Allow* page; by a page of ours, since browsers let a form lead only to its own site."""
    kind = provider_or_404(provider)
    if Can.OAUTH not in kind.can or not kind.is_available():
        messages.error(request, f"{kind.label} cannot be connected yet; the card says what is missing.")
        return redirect("integrations:setup")
    Connection.objects.get_or_create(provider=provider)
    asker: Any = request
    url = connecting.authorize_url(request.session, provider, asker.tenant, asker.user)
    return render(request, "leaving.html", f"Going to {kind.label}", service=kind.label, url=url)


@see_page
@sensitive_variables("code", "account", "verifier")
def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Back from the vendor: with a code, with an error, or with something that nobody here asked for."""
    kind = provider_or_404(provider)
    try:
        asker: Any = request
        state = request.GET.get("state", "")
        verifier = connecting.check_state(request.session, state, provider, asker.tenant, asker.user)
        if not may_change(request):
            raise NotConnected("Not connected: you may no longer change integrations. Ask an owner or a manager.")
        if error := request.GET.get("error", ""):
            raise NotConnected(connecting.refusal(provider, error))
        account = connecting.account_behind(provider, request.GET.get("code", ""), verifier)
    except NotConnected as sentence:
        messages.error(request, str(sentence))
        return redirect("integrations:setup")
    connection = Connection.objects.get_or_create(provider=provider)[0]
    if connecting.is_another_account(connection, account):
        connecting.offer(connection, account, request.user)  # type: ignore[arg-type]
        return redirect("integrations:account", provider)
    connecting.connect(connection, account, request.user)  # type: ignore[arg-type]
    return _connected(request, connection, kind.label, account.label)


def _connected(request: HttpRequest, connection: Connection, label: str, account_label: str) -> HttpResponse:
    connection.refresh_from_db()
    if connection.state == Connection.State.SETUP:
        messages.success(request, f"Connected to {label} as {account_label}. Please review these settings.")
        return redirect("integrations:settings", connection.provider)
    if Can.KEY in provider_or_404(connection.provider).can:  # it is another account: everything is off
        messages.success(request, f"{account_label} is connected. Turn on what is to be done with it.")
        return redirect("integrations:switches", connection.provider)
    messages.success(request, f"Connected to {label} again. Whatever waited is going out now.")
    if sentence := start_listening(connection):
        messages.warning(request, f"News from {label} does not reach Almoner at once yet: {sentence}")
    return redirect("integrations:setup")


@staff_page(CHANGE, ("GET", "HEAD", "POST"))
def account(request: HttpRequest, provider: str) -> HttpResponse:
    """Access came from another account than before: ask whether that was meant."""
    kind, connection = provider_or_404(provider), connection_or_404(provider)
    offered = connecting.offered(connection)
    if offered is None:
        messages.error(request, "There is nothing to decide any more. Press Connect to try again.")
        return redirect("integrations:setup")
    if request.method != "POST":
        return render(
            request, "account.html", f"Another {kind.label} account?", service=kind.label, connection=connection,
            offered=offered, by_key=Can.KEY in kind.can,
        )  # fmt: skip
    if request.POST.get("answer") == "yes":
        connecting.connect_another(connection, offered, request.user)  # type: ignore[arg-type]
        return _connected(request, connection, kind.label, offered.label)
    connecting.decline(connection, request.user)  # type: ignore[arg-type]
    messages.info(request, f"Nothing was changed. To use the account from before, log in to it at {kind.label} first.")
    return redirect("integrations:setup")


@staff_page(CHANGE, ("GET", "HEAD", "POST"))
def disconnect(request: HttpRequest, provider: str) -> HttpResponse:
    """Ask once, then stop pushing and erase the grant (L4)."""
    kind, connection = provider_or_404(provider), connection_or_404(provider)
    if request.method != "POST":
        return render(
            request, "disconnect.html", f"Disconnect {kind.label}?", service=kind.label, connection=connection,
            takes_lists=Can.PUSH_LISTS in kind.can, has_switches=bool(kind.switches),
        )  # fmt: skip
    connecting.disconnect(connection, request.user)  # type: ignore[arg-type]
    messages.success(request, f"{kind.label} is disconnected. Nothing more is sent; the history stays.")
    return redirect("integrations:setup")
