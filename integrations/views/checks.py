"""Check: the button, what was found, the choice of what is repaired or adopted, and what came of it (L31, L33)."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache

from contacts.tenancy.changelist import is_number
from integrations import jobs, undone
from integrations.check_words import DIFFERENCES
from integrations.checkup import Checkup, of_run
from integrations.models import Connection, RunItem, SyncRun
from integrations.overview import overview_of
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from integrations.shown import show_items
from integrations.sync import namesakes, runs
from integrations.views import runs as run_pages
from integrations.views.page import kept_query, lists_or_404, page_of, press, render, see_page

State = SyncRun.State
Difference = RunItem.Difference
REPAIRS = Q(difference__in=[kind for kind in Difference.values if kind != Difference.NOT_OURS])


@press
def start(request: HttpRequest, provider: str) -> HttpResponse:
    """Compare what is there with what is here; pressing twice leads to the same check."""
    connection = lists_or_404(provider)
    if connection.state != Connection.State.ACTIVE or Can.READ_MEMBERS not in all_providers()[provider].can:
        messages.error(request, f"{connection} cannot be checked yet: make its first Sync before.")
        return redirect("integrations:setup")
    run = runs.start(connection, request.user, kind=SyncRun.Kind.CHECK)
    if run.kind != SyncRun.Kind.CHECK:
        messages.info(request, f"Something else is going on with {connection}. When it is over, press Check again.")
    jobs.nudge(connection)
    return redirect("integrations:run", run.uid)


@see_page
@never_cache
def show(request: HttpRequest, uid: Any) -> HttpResponse:
    """The page of one run; a check has a page of its own."""
    run = run_pages.run_or_404(uid)
    if run.kind != SyncRun.Kind.CHECK:
        response: HttpResponse = run_pages.show(request, uid)  # type: ignore[assignment]
        return response
    service = str(run.connection)
    context: dict[str, Any] = {"run": run, "service": service, **run_pages.figures(run)}
    if run.state != State.PLANNING:
        context |= what_was_found(request, run, service)
    if run.state == State.READY:
        context |= {"losses": run_pages.losses(run), "age": run_pages.age(run)}
    context |= undone.about(run, service)
    context["questions"] = overview_of(run.connection).questions if run.state in (State.ASKING, State.RUNNING) else []
    return render(request, "check.html", f"{service}: Check", **context)


def what_was_found(request: HttpRequest, run: SyncRun, service: str) -> dict[str, Any]:
    """The figures, the chips and a page of rows."""
    rows = run_pages.filtered(request, run).select_related("record", "run")
    page = page_of(request, rows.order_by("label", "pk"))
    lists = of_run(run)
    whole = Checkup()
    for _, one in lists:
        whole.members, whole.in_step = whole.members + one.members, whole.in_step + one.in_step
        whole.moving += one.moving
    counted: Any = run.items.order_by().values_list("difference", "state")
    counts: dict[str, int] = {}
    open_rows: dict[str, int] = {}
    for kind, state, count in counted.annotate(Count("pk")):
        counts[kind] = counts.get(kind, 0) + count
        if state == RunItem.State.SHOWN:
            open_rows[kind] = open_rows.get(kind, 0) + count
    chosen = request.GET.get("difference", "")
    repairs = sum(count for kind, count in open_rows.items() if kind != Difference.NOT_OURS)
    return {
        "page": page, "rows": show_items(page, service), "query": kept_query(request), "lists": lists, "whole": whole,
        "chips": [
            {"label": words.label, "count": counts[kind], "query": f"difference={kind}", "on": chosen == kind}
            for kind, words in DIFFERENCES.items() if counts.get(kind)
        ],
        "about": about(chosen, service), "word": request.GET.get("q", ""), "is_filtered": bool(kept_query(request)),
        "difference": chosen, "differences": sum(counts.values()), "repairs": repairs,
        "adoptions": open_rows.get(Difference.NOT_OURS, 0), "these": open_rows.get(chosen, 0),
        "may_choose": run.state == State.READY and bool(open_rows),
    }  # fmt: skip


def about(difference: str, service: str) -> str:
    """What the rows of one kind have in common, once somebody looks at them alone."""
    words = DIFFERENCES.get(difference)
    return f"{words.sentence} {words.repair}".format(service=service) if words else ""


@press
def repair(request: HttpRequest, uid: Any) -> HttpResponse:
    """Send our side for the rows that were chosen: these, all of a kind, or all differences."""
    run = run_pages.run_or_404(uid)
    chosen = choice(request)
    if run.connection.state == Connection.State.RECONNECT:
        messages.error(request, f"{run.connection} has to be reconnected first.")
    elif chosen is None or not run.items.filter(chosen, state=RunItem.State.SHOWN).exists():
        messages.error(request, "Nothing was chosen. Tick a row first, or press the button for all of them.")
    elif runs.confirm(run, request.user, chosen):
        jobs.nudge(run.connection)
    else:
        messages.info(request, "This check was confirmed or replaced already.")
    return redirect("integrations:run", run.uid)


def choice(request: HttpRequest) -> Q | None:
    """What the form asks for, or None if it names nothing."""
    every = request.POST.get("all", "")
    if every == "repairs":
        return REPAIRS
    if every in Difference.values:
        return Q(difference=every)
    pks = [pk for pk in request.POST.getlist("item") if is_number(pk)]
    return Q(pk__in=pks) if pks else None


@press
def use_list(request: HttpRequest, uid: Any) -> HttpResponse:
    """In a preview: use the list of that name that is there already, or make a new one after all."""
    run = run_pages.run_or_404(uid)
    number = request.POST.get("item", "")
    row = get_object_or_404(RunItem, run=run, pk=number if is_number(number) else 0)
    use_it = request.POST.get("use") != "no"
    if not namesakes.choose(run, row, use_it):
        messages.info(request, "This preview was confirmed or replaced already.")
    elif use_it:
        messages.success(request, f"When you confirm, the list “{row.label}” that is at {run.connection} is used.")
    else:
        messages.success(request, f"When you confirm, a new list “{row.label}” is made at {run.connection}.")
    return redirect("integrations:run", run.uid)
