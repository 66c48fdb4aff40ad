"""Looks for gifts at a service, newest first, with the report of each; and the buttons that begin one (D5, D8)."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from integrations import jobs
from integrations.gift_sums import sum_up
from integrations.models import Connection, GiftRun, GiftRunItem
from integrations.provider_kit.base import Can
from integrations.sync import gift_pages
from integrations.views.page import connection_or_404, kept_query, page_of, press, provider_or_404, render, see_page

STARTED = {
    "new": "Almoner is looking for new gifts now.",
    "changes": "Almoner is looking for changed and deleted gifts now.",
    "history": "Earlier gifts are coming in now. They count in totals, and nobody is asked to thank for them.",
}
NEWS = Q(new__gt=0) | Q(updated__gt=0) | Q(gone__gt=0) | Q(skipped__gt=0) | ~Q(state=GiftRun.State.DONE)


def gifts_or_404(key: str) -> Connection:
    """The connection, if gifts come from there."""
    if Can.PULL_GIFTS not in provider_or_404(key).can:
        raise Http404
    return connection_or_404(key)


@see_page
def all_runs(request: HttpRequest, provider: str) -> HttpResponse:
    """The looks that brought something; all of them if asked."""
    connection = gifts_or_404(provider)
    rows = GiftRun.objects.filter(connection=connection).select_related("connection", "started_by")
    everything = request.GET.get("all") == "1"
    page = page_of(request, rows if everything else rows.filter(NEWS))
    return render(
        request, "gift_runs.html", f"{connection}: gifts that came in", connection=connection, page=page,
        rows=[(run, sum_up(run)) for run in page], everything=everything, query=kept_query(request),
        can_look=gift_pages.switch_of(connection) is not None and connection.state == Connection.State.ACTIVE,
    )  # fmt: skip


@see_page
def show(request: HttpRequest, provider: str, uid: Any) -> HttpResponse:
    """One look: each gift with what became of it, and why."""
    connection = gifts_or_404(provider)
    run = get_object_or_404(
        GiftRun.objects.select_related("connection", "started_by", "confirmed_by"), connection=connection, uid=uid
    )
    outcome = request.GET.get("outcome", "")
    items = GiftRunItem.objects.filter(run=run).select_related("gift__contact")
    if outcome in GiftRunItem.Outcome.values:
        items = items.filter(outcome=outcome)
    page = page_of(request, items)
    counts = {"new": run.new, "updated": run.updated, "gone": run.gone, "skipped": run.skipped}
    return render(
        request, "gift_run.html", f"{connection}: {run.get_kind_display().lower()}", connection=connection, run=run,
        page=page, outcome=outcome, query=kept_query(request), sentence=sum_up(run),
        chips=[(key, label, counts[key]) for key, label in GiftRunItem.Outcome.choices if counts[key]],
        is_history=run.kind == GiftRun.Kind.HISTORY,
    )  # fmt: skip


@press
def confirm(request: HttpRequest, provider: str, uid: Any) -> HttpResponse:
    """What was missing was deleted there."""
    connection = gifts_or_404(provider)
    run = get_object_or_404(GiftRun, connection=connection, uid=uid)
    asker: Any = request
    if connection.state == Connection.State.ACTIVE and gift_pages.confirm(run, asker.user):
        jobs.nudge(connection)
        messages.success(request, f"Almoner goes on: what is not at {connection} any more counts no more here.")
    else:
        messages.error(request, "There is nothing to confirm here any more. Look at the latest look for changes.")
    return redirect("integrations:gift_run", provider, run.uid)


@press
def look(request: HttpRequest, provider: str) -> HttpResponse:
    """Look now; or bring in what was there before."""
    connection, kind = gifts_or_404(provider), request.POST.get("kind", "new")
    if kind not in STARTED:
        raise Http404
    asker: Any = request
    run = None
    if connection.state == Connection.State.ACTIVE:
        run = gift_pages.begin(connection, kind, asker.user)
    if run is None:
        messages.error(request, f"Turn on that gifts come in from {connection} first.")
        return redirect("integrations:switches", provider)
    jobs.nudge(connection)
    messages.success(request, f"{STARTED[kind]} What it finds stands here.")
    return redirect("integrations:gift_run", provider, run.uid)
