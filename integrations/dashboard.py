"""What integrations add to the pages of the apps below: panels on the first page and what needs a person there, cards,
how members of a list stand, and a badge in the menu."""

from collections.abc import Iterator
from dataclasses import replace

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from contacts import timeline
from contacts.elsewhere import tell_about_services
from contacts.models import Contact, ContactList
from contacts.tenancy import cards
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from integrations import giving_card
from integrations.cards import contact_card, list_card
from integrations.models import Alarm, Connection, RemoteRecord, SyncRun
from integrations.overview import Overview, overviews
from integrations.results import with_results
from integrations.standings import Standings
from integrations.sync import gift_pages
from integrations.told import read_deliveries
from integrations.troubles import asleep

AREA = "integrations"
LATEST = 5


def register() -> None:
    """Called once when the app is ready."""
    cards.add_panel(question_panel, order=1)
    cards.add_panel(panel, order=10)
    cards.add_panel(runs_panel, order=70)
    cards.add_need(needs, order=10)
    cards.add_step(steps, order=20)
    cards.add_card(Contact, contact_card, order=20)
    cards.add_card(Contact, giving_card.card, order=21)
    cards.add_card(ContactList, list_card, order=20)
    cards.add_badge("integrations:setup", badge)
    tell_about_services(Standings())
    timeline.add_source("sent", "Services", read_deliveries)


def question_panel(request: HttpRequest) -> str:
    """Above everything else: what the brake asks (L32)."""
    if not is_allowed(request, SEE, AREA):
        return ""
    asking = [one for one in seen(request) if one.questions]
    context = {"asking": asking, "may_change": is_allowed(request, CHANGE, AREA)}
    return render_to_string("integrations/cards/questions.html", context, request) if asking else ""


def panel(request: HttpRequest) -> str:
    """The first page: how each integration is doing, and since when the oldest change waits."""
    if not is_allowed(request, SEE, AREA):
        return ""
    connected = [one for one in seen(request) if one.connection]
    context = {"connected": connected, "may_change": is_allowed(request, CHANGE, AREA)}
    return render_to_string("integrations/cards/dashboard.html", context, request)


def runs_panel(request: HttpRequest) -> str:
    """The first page: the last Syncs, with what was done."""
    if not is_allowed(request, SEE, AREA) or not any(one.connection for one in seen(request)):
        return ""
    # By night there is a check every day: it is told in the panel above, and here once something was repaired.
    told = SyncRun.objects.filter(~Q(kind=SyncRun.Kind.CHECK) | Q(confirmed_at__isnull=False))
    runs = list(told.select_related("connection", "started_by")[:LATEST])
    return render_to_string("integrations/cards/last_runs.html", {"runs": with_results(runs)}, request)


def needs(request: HttpRequest) -> Iterator[cards.Need]:
    """What waits for a person at the services."""
    if not is_allowed(request, SEE, AREA):
        return
    may, role = is_allowed(request, CHANGE, AREA), request.member.get_role_display().lower()  # type: ignore[attr-defined]
    if duration := asleep(one.connection.connected_at for one in seen(request) if one.connection):
        yield standstill(duration)
    for run in gift_pages.asking():
        link = reverse("integrations:gift_run", args=[run.connection.provider, run.uid])
        words = (
            f"{'gift is' if run.missing == 1 else 'gifts are'} missing at {run.connection}: were they deleted there?"
        )
        yield cards.Need(run.missing, words, link, "Answer" if may else "Look at it", "", "front_hand")
    for one in seen(request):
        if one.connection:
            for need in needs_of(one):
                others = "" if may else f" (as {role} you may look; an owner or manager does it)"
                yield replace(need, sentence=need.sentence + others, button=need.button if may else "")


def standstill(duration: str) -> cards.Need:
    """Nobody is at work in the background: no mail could tell."""
    words = f"part of Almoner stands still for {duration}: the background work. Nothing goes out until it runs again"
    setup = f"{reverse('integrations:setup')}#standstill"
    return cards.Need(1, words, setup, "What this means", "", "pause_circle", is_urgent=True)


def needs_of(one: Overview) -> Iterator[cards.Need]:
    """What waits for a person at one service; each number opens what it counts."""
    setup, aside = f"{reverse('integrations:setup')}#{one.key}", f"{reverse('integrations:aside')}?service={one.key}"
    if one.questions:
        words = "change waits" if one.braked == 1 else "changes wait"
        yield cards.Need(
            one.braked, f"{words} at {one.label} for your answer: many people would be taken off a list",
            f"{aside}&kind=held&reason=brake", "Answer", "#questions", "front_hand", is_urgent=True,
        )  # fmt: skip
    if one.state == Connection.State.RECONNECT:
        waiting = f"; {one.waiting:,} {'change waits' if one.waiting == 1 else 'changes wait'}" if one.waiting else ""
        words = f"service has to be reconnected: {one.label}{waiting}"
        yield cards.Need(1, words, setup, "Reconnect", "", "link_off", is_urgent=True)
    elif one.state == Connection.State.SETUP:
        yield cards.Need(1, f"service is connected but not set up: {one.label}", setup, "Review settings", "", "tune")
    elif one.state == Connection.State.READY and not one.unfinished:
        yield cards.Need(1, f"service waits for its first Sync: {one.label}", setup, "Go to Sync", "", "play_circle")
    for trouble in one.troubles:
        if trouble.alarm.kind != Alarm.Kind.RECONNECT:
            words = f"service {trouble.need}"
            yield cards.Need(1, words, setup, "Look at it", "", "notifications_active", is_urgent=trouble.is_urgent)
    if one.unfinished and one.unfinished.kind == SyncRun.Kind.CHECK:
        yield from differences_of(one, one.unfinished)
    elif one.unfinished and one.unfinished.state == SyncRun.State.READY:
        link, rows = reverse("integrations:run", args=[one.unfinished.uid]), sum(one.unfinished.counts.values())
        words = "row in a preview waits" if rows == 1 else "rows in a preview wait"
        if rows:
            yield cards.Need(rows, f"{words} for you to confirm at {one.label}", link, "Look at it", "", "visibility")
        else:
            yield cards.Need(
                1, f"preview waits for you at {one.label}; it is empty", link, "Look at it", "", "visibility"
            )
    if one.set_aside:
        words = "was refused" if one.set_aside == 1 else "were refused"
        yield cards.Need(one.set_aside, f"{words} by {one.label}", aside, "See why and mend", "", "person_alert")


def differences_of(one: Overview, run: SyncRun) -> Iterator[cards.Need]:
    """What a check has found and nobody has decided about (L31)."""
    kinds: dict[str, int] = run.found.get("classes", {})
    rows = sum(count for verb, count in run.counts.items() if verb not in ("heard", "skip", "adopt"))
    if run.state != SyncRun.State.READY or not rows or not kinds:
        return
    words = "difference was found" if rows == 1 else "differences were found"
    link = reverse("integrations:run", args=[run.uid])
    yield cards.Need(rows, f"{words} at {one.label} by the last check", link, "Look at them", "", "difference")


def steps(request: HttpRequest) -> Iterator[cards.Step]:
    """The third and fourth step of a new organization."""
    if not is_allowed(request, SEE, AREA):
        return
    found, may = seen(request), is_allowed(request, CHANGE, AREA)
    setup = reverse("integrations:setup") if may else ""
    is_connected = any(
        one.takes_lists and (one.is_connected or one.state == Connection.State.RECONNECT) for one in found
    )
    yield cards.Step(
        "Connect a newsletter service", "Almoner then keeps your lists there in step by itself.", is_connected, setup,
        "Connect a service",
    )  # fmt: skip
    has_synced = is_connected and SyncRun.objects.filter(confirmed_at__isnull=False).exists()
    yield cards.Step(
        "Sync", "Look at what would be sent. Nothing is sent before you confirm.", has_synced, setup, "Go to Sync"
    )


def seen(request: HttpRequest) -> list[Overview]:
    """How each integration is doing; read once for all panels of a page."""
    if not hasattr(request, "_overviews"):
        request._overviews = overviews()  # type: ignore[attr-defined]
    found: list[Overview] = request._overviews  # type: ignore[attr-defined]
    return found


def badge(request: HttpRequest) -> str:
    """How many things need a person, beside the menu entry; it stands on every page."""
    alarmed = Exists(Alarm.objects.filter(connection=OuterRef("pk"), cleared_at=None))
    connections = list(Connection.objects.annotate(alarmed=alarmed).values_list("pk", "state", "brake", "alarmed"))
    needy = sum(1 for _, state, *asks in connections if state == Connection.State.RECONNECT or any(asks))
    refused = 0
    if connections:
        # “Not in step” is said as the index of the few that are not says it; SQLite would not use it otherwise.
        apart = RemoteRecord.objects.exclude(state=RemoteRecord.State.OK)
        refused = apart.filter(
            connection__in=[pk for pk, *_ in connections], state=RemoteRecord.State.SET_ASIDE
        ).count()
    return f"{needy + refused:,}" if needy + refused else ""
