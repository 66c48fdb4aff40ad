"""Sync: the button, the preview, the confirmation, the progress and the report, all on one page per run."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.shortcuts import render as render_part
from django.utils import timezone
from django.views.decorators.cache import never_cache

from integrations import connecting, jobs, undone
from integrations.allowance import Allowance, allowance_of
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.overview import overview_of
from integrations.results import with_results
from integrations.shown import show_items
from integrations.sync import brake as holding
from integrations.sync import runs
from integrations.sync.listening import start_listening
from integrations.views.page import kept_query, lists_or_404, may_change, page_of, press, render, see_page
from integrations.words import VERBS, explain, lasting, sum_up

State = SyncRun.State
MOVING = (State.PLANNING, State.RUNNING)
TITLES = {State.PLANNING: "Preview", State.READY: "Preview", State.DONE: "Report", State.CANCELLED: "Cancelled Sync"}
OPEN_ITEMS = (RunItem.State.SHOWN, RunItem.State.HELD)


@press
def start(request: HttpRequest, provider: str) -> HttpResponse:
    """Make a preview; pressing twice leads to the same run (L5)."""
    connection = lists_or_404(provider)
    if connection.state not in (Connection.State.READY, Connection.State.ACTIVE):
        messages.error(request, f"{connection} cannot be synchronized yet. {connection.reason}".strip())
        return redirect("integrations:setup")
    run = runs.start(connection, request.user)
    jobs.nudge(connection)
    return redirect("integrations:run", run.uid)


@see_page
def all_runs(request: HttpRequest) -> HttpResponse:
    """Every Sync, newest first."""
    page = page_of(request, SyncRun.objects.select_related("connection", "started_by"))
    return render(request, "runs.html", "Syncs", page=page, rows=with_results(page))


def run_or_404(uid: Any) -> SyncRun:
    """A run of the active organization."""
    runs_with_all = SyncRun.objects.select_related("connection", "started_by", "undoes", "undoes__started_by")
    return get_object_or_404(runs_with_all, uid=uid)


def filtered(request: HttpRequest, run: SyncRun) -> "QuerySet[RunItem]":
    """The rows of a run that the filters in the address ask for."""
    rows = run.items.all()
    if verb := request.GET.get("verb", ""):
        rows = rows.filter(verb=verb)
    if state := request.GET.get("state", ""):
        rows = rows.filter(state=state)
    if reason := request.GET.get("reason", ""):
        rows = rows.filter(reason_code=reason)
    if difference := request.GET.get("difference", ""):
        rows = rows.filter(difference=difference)
    if words := request.GET.get("q", "").strip():
        rows = rows.filter(Q(label__icontains=words) | Q(address__icontains=words))
    return rows


@see_page
@never_cache
def show(request: HttpRequest, uid: Any) -> HttpResponse:
    """The page of one run, whatever it is doing."""
    run = run_or_404(uid)
    service = str(run.connection)
    context: dict[str, Any] = {"run": run, "service": service, **figures(run)}
    if run.state != State.PLANNING:
        page = page_of(request, filtered(request, run).select_related("record").order_by("label", "pk"))
        context |= {
            "page": page, "rows": show_items(page, service), "query": kept_query(request),
            "chips": chips(request, run, service), "reasons": reason_chips(request, run, service),
            "word": request.GET.get("q", ""), "is_filtered": bool(kept_query(request)),
            "kept_keys": [(key, request.GET[key]) for key in ("verb", "state", "reason") if request.GET.get(key)],
        }  # fmt: skip
    if run.state == State.READY:
        context |= {"losses": losses(run), "age": age(run), "has_changed": has_changed(run), "short": without_room(run)}
    context |= undone.about(run, service)
    context["questions"] = overview_of(run.connection).questions if run.state in (State.ASKING, State.RUNNING) else []
    title = "Taking back" if run.kind == SyncRun.Kind.UNDO else TITLES.get(State(run.state), "Sync")
    return render(request, "run.html", f"{service}: {title}", **context)


@see_page
@never_cache
def progress(request: HttpRequest, uid: Any) -> HttpResponse:
    """What the page asks for every second while something moves; when the run has moved on, the page loads anew."""
    run = run_or_404(uid)
    if request.GET.get("was") != run.state:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"run": run, "service": str(run.connection), "may_change": may_change(request), **figures(run)}
    return render_part(request, "integrations/parts/progress.html", context)


def figures(run: SyncRun) -> dict[str, Any]:
    """How far it is: done, refused, time left, and the counts as sentences."""
    is_over = run.state in (State.DONE, State.CANCELLED, State.FAILED)
    found: dict[str, Any] = {
        "moves": run.state in MOVING,
        "sentences": sum_up(run.counts, ahead=not is_over),
        "skipped": run.counts.get("skip", 0), "is_over": is_over,
    }  # fmt: skip
    allowance = allowance_of(run.connection)
    if run.state == State.PLANNING:
        done, total, reads = run.looked_at, run.to_look_at, reading(run)
        calls_nobody = run.kind == SyncRun.Kind.SYNC and not (allowance and allowance.is_stopped)
        return found | {
            "done": done, "total": total, "percent": percent(done, total), **reads,
            "waits": waits(run.connection, None if calls_nobody else allowance),
        }  # fmt: skip
    if run.confirmed_at is None:
        return found
    to_do = run.items.exclude(verb__in=[runs.SKIP, "heard"]).exclude(reason_code="not_chosen")
    rows: Any = to_do.order_by().values_list("state")
    counted = dict(rows.annotate(Count("pk")))
    total = sum(counted.values())
    done = total - sum(counted.get(state, 0) for state in OPEN_ITEMS)
    return found | {
        "done": done, "total": total, "percent": percent(done, total),
        "left": time_left(run, done, total, allowance),
        "outcomes": [(state, label, counted[state]) for state, label in RunItem.State.choices if counted.get(state)],
        "refused": counted.get(RunItem.State.REFUSED, 0), "waits": waits(run.connection, allowance),
    }  # fmt: skip


def reading(run: SyncRun) -> dict[str, Any]:
    """How far a check is in reading who is there, which is the first half of it."""
    if run.kind != SyncRun.Kind.CHECK or run.cursor.startswith("compare"):
        return {"percent": 50 + percent(run.looked_at, run.to_look_at) // 2} if run.kind == SyncRun.Kind.CHECK else {}
    read = run.found.get("read", 0)
    return {"reads": True, "read": read, "percent": percent(read, max(read, run.to_look_at)) // 2}


def percent(done: int, total: int) -> int:
    """How much of it, as a whole number."""
    return min(100, done * 100 // total) if total else 0


def time_left(run: SyncRun, done: int, total: int, allowance: Allowance | None = None) -> str:
    """An estimate from the pace so far, once there is one; where calls are counted, it knows when those are used up."""
    if run.state != State.RUNNING or run.confirmed_at is None or not done or total <= done:
        return ""
    if allowance is not None:
        when = allowance.is_out(total - done)
        return f"at this pace it is done {when}" if when else ""
    spent = (timezone.now() - run.confirmed_at).total_seconds()
    return f"{lasting(spent / done * (total - done))} to go"


def waits(connection: Connection, allowance: Allowance | None) -> str:
    """Why nothing moves at the moment, if so."""
    if connection.state == Connection.State.RECONNECT:
        return f"{connection} has to be reconnected first. Nothing is lost; the Sync goes on afterwards."
    if allowance is not None and allowance.waits:
        return allowance.waits
    if connection.is_failing:
        return f"{connection.last_error or f'{connection} does not answer.'} Almoner tries again by itself."
    return ""


def losses(run: SyncRun) -> list[dict[str, Any]]:
    """The lists that would lose more than the brake lets pass unasked."""
    return [
        {"name": name, "going": going, "there": there, "limit": holding.chosen(run.connection.settings).of(there)}
        for name, going, there in run.removals.values()
    ]


def without_room(run: SyncRun) -> dict[str, int] | None:
    """When lists are about to become places of their own (L24): how many there is room for, if that is too few."""
    settings = run.new_settings or {}
    return connecting.too_many(run.connection, settings, settings.get("room"), run.counts.get("create_list", 0))


def age(run: SyncRun) -> str:
    """How old a preview is, once that matters."""
    seconds = (timezone.now() - run.created_at).total_seconds()
    return lasting(seconds) if seconds > 10 * 60 else ""


def has_changed(run: SyncRun) -> bool:
    """Whether something was changed here since the preview was begun."""
    due = RemoteRecord.objects.filter(connection=run.connection, due_at__isnull=False)
    return due.filter(marked_at__gt=run.created_at).exists()


def chips(request: HttpRequest, run: SyncRun, service: str) -> list[dict[str, Any]]:
    """The filters by kind of change or, in a report, also by what came of it."""
    found = [{"label": "Everything", "count": None, "query": "", "on": not kept_query(request)}]
    for verb, words in VERBS.items():
        if count := run.counts.get(verb, 0):
            on = request.GET.get("verb") == verb
            found.append({"label": words.label, "count": count, "query": f"verb={verb}", "on": on})
    return found


def reason_chips(request: HttpRequest, run: SyncRun, service: str) -> list[dict[str, Any]]:
    """Who is left out or refused, and why, with how many."""
    rows: Any = run.items.filter(state__in=[RunItem.State.SKIPPED, RunItem.State.REFUSED]).exclude(reason_code="")
    counted: Any = rows.order_by().values_list("reason_code").annotate(count=Count("pk")).order_by("-count")
    return [
        {
            "reason": explain(code, service=service), "count": count, "query": f"reason={code}",
            "on": request.GET.get("reason") == code,
        }
        for code, count in counted
    ]  # fmt: skip


@press
def confirm(request: HttpRequest, uid: Any) -> HttpResponse:
    """Send what the preview shows."""
    run = run_or_404(uid)
    if run.connection.state == Connection.State.RECONNECT:
        messages.error(request, f"{run.connection} has to be reconnected first.")
    elif runs.confirm(run, request.user):
        jobs.nudge(run.connection)
        if run.new_settings is not None:  # people may live in another audience now: it is listened to as well
            run.connection.refresh_from_db()
            start_listening(run.connection)
    else:
        messages.info(request, "This preview was confirmed or replaced already.")
    return redirect("integrations:run", run.uid)


@press
def cancel(request: HttpRequest, uid: Any) -> HttpResponse:
    """Throw a preview away, or stop a Sync: what was sent stays sent, the rest is not sent by it."""
    run = run_or_404(uid)
    if runs.cancel(run, request.user):
        stopped = "Stopped. What had been sent stays as it is."
        messages.success(request, stopped if run.confirmed_at else "Cancelled. Nothing was sent.")
    else:
        messages.info(request, "This Sync is over already.")
    return redirect("integrations:run", run.uid) if run.confirmed_at else redirect("integrations:setup")


@press
def brake(request: HttpRequest, provider: str) -> HttpResponse:
    """The answer to the brake's question: take them off, or leave them (L32)."""
    connection = lists_or_404(provider)
    answer = request.POST.get("answer")
    if answer == "release":
        count = holding.release(connection, request.user)
        jobs.nudge(connection)
        messages.success(
            request,
            f"Understood: {count:,} held changes are being sent now. For 30 days their report lets you take that back.",
        )
    elif answer == "keep":
        count = holding.keep(connection, request.user)
        messages.success(request, f"Understood: nobody is taken off. {count:,} changes stay held.")
    run = SyncRun.objects.filter(connection=connection, confirmed_at__isnull=False).first()
    if run is not None and request.POST.get("back") == "run":
        return redirect("integrations:run", run.uid)
    return redirect("integrations:setup")
