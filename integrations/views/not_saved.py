"""What should be saved at a service and was not, because … (D11); with the button that saves it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations import jobs
from integrations.gift_sums import not_saved
from integrations.models import Connection, RemoteRecord
from integrations.provider_kit.base import Can
from integrations.sync import interactions
from integrations.views.page import connection_or_404, page_of, press, provider_or_404, render, see_page

State = RemoteRecord.State


def saves_or_404(key: str) -> Connection:
    """The connection, if something is saved there."""
    if Can.WRITE_INTERACTIONS not in provider_or_404(key).can:
        raise Http404
    return connection_or_404(key)


@see_page
def show(request: HttpRequest, provider: str) -> HttpResponse:
    """A page of them."""
    connection = saves_or_404(provider)
    rows = RemoteRecord.objects.filter(connection=connection, kind=interactions.KIND).exclude(state=State.OK)
    page = page_of(request, rows.select_related("connection").order_by("-pk"))
    return render(
        request, "not_saved.html", f"Not saved at {connection}", connection=connection, page=page,
        rows=not_saved(page),
    )  # fmt: skip


@press
def save(request: HttpRequest, provider: str) -> HttpResponse:
    """Save one of them, or all that can be saved by now."""
    connection, pk = saves_or_404(provider), request.POST.get("record", "")
    rows = RemoteRecord.objects.filter(connection=connection, kind=interactions.KIND)
    if pk:
        rows = rows.filter(pk=pk) if pk.isdecimal() else rows.none()
        if not rows.exists():
            raise Http404
    if count := interactions.try_again(connection, rows):
        jobs.nudge(connection)
        messages.success(request, f"{count:,} {'is' if count == 1 else 'are'} being saved.")
    else:
        messages.info(request, f"Nothing could be saved: these contacts have no number of a donor at {connection} yet.")
    return redirect("integrations:not_saved", provider)
