"""Who is not in step, and why: set aside by a refusal, left out with a reason, or held; with *Retry* where it helps."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from contacts.models import Contact, ListMembership
from contacts.tenancy.views import go_back
from integrations import jobs
from integrations.models import Connection, RemoteRecord
from integrations.models.remote import ON_ITS_WAY
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from integrations.shown import show_records
from integrations.sync import outbox
from integrations.views.page import kept_query, page_of, press, render, see_page
from integrations.words import REASONS, explain, some

State = RemoteRecord.State
KINDS = {
    "set_aside": ("Refused", "The service did not accept these. The others went on.", [State.SET_ASIDE]),
    "skipped": ("Left out", "These are not sent, for the reason shown.", [State.SKIPPED]),
    "waiting": ("Waiting for the person", "These people were asked to confirm by email.", [State.WAITING]),
    "held": (
        "Held",
        "These changes wait for an answer of yours, were left as they are, or were taken back.",
        [State.HELD],
    ),
    "due": ("On the way", "These changes have not been sent yet. They go out by themselves, the oldest first.", []),
}
# All at once only where Retry repeats; taking over what is there under a list's name is decided one by one (L33).
RETRY_HELPS = [code for code, reason in REASONS.items() if reason.retry_helps and code != "name_taken"]
# Sending it again would change nothing: a page may be older than what has come of it.
RETRY_IS_VAIN = [code for code, reason in REASONS.items() if not reason.retry_helps]


def of_people() -> "QuerySet[RemoteRecord]":
    """Rows about people and lists; what is saved about thank-you videos has a page of its own."""
    return RemoteRecord.objects.exclude(kind=RemoteRecord.Kind.INTERACTION)


def chosen(filters: Any) -> "QuerySet[RemoteRecord]":
    """The rows that these filters (of the address, or of a form) ask for."""
    kind = filters.get("kind", "") or "set_aside"
    if kind == "due":
        rows = of_people().filter(ON_ITS_WAY)
    else:
        rows = of_people().filter(state__in=KINDS.get(kind, KINDS["set_aside"])[2])
    if service := filters.get("service", ""):
        rows = rows.filter(connection__provider=service)
    if reason := filters.get("reason", ""):
        rows = rows.filter(reason_code=reason)
    if uid := _uid(filters.get("list", "")):
        places = ListMembership.objects.filter(contact__uid=OuterRef("subject_uid"), contact_list__uid=uid)
        rows = rows.filter(Exists(places))
    if words := filters.get("q", "").strip():
        rows = rows.filter(Q(subject_uid__in=_found(words)) | Q(known_address__icontains=words))
    return rows


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _found(words: str) -> Any:
    found = Contact.objects.order_by()
    for word in words.split():
        found = found.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(organization_name__icontains=word)
            | Q(pk__in=Contact.objects.filter(email_addresses__address_key__icontains=word.lower()).values("pk"))
        )  # fmt: skip
    return found.values("uid")


@see_page
def show(request: HttpRequest) -> HttpResponse:
    """A page of them, with the reasons and how many have each."""
    service_key = request.GET.get("service", "")
    if service_key in all_providers() and Can.PUSH_LISTS not in all_providers()[service_key].can:
        return redirect("integrations:not_saved", service_key)
    rows = chosen(request.GET)
    kind = request.GET.get("kind") if request.GET.get("kind") in KINDS else "set_aside"
    order = ("connection", "marked_at", "pk") if kind == "due" else ("connection", "pk")
    page = page_of(request, rows.select_related("connection").order_by(*order))
    states: Any = of_people().exclude(state=State.OK).order_by().values_list("state")
    counts = dict(states.annotate(Count("pk")))
    due = of_people().filter(ON_ITS_WAY).count()
    reasons: Any = rows.order_by().values_list("reason_code").annotate(count=Count("pk")).order_by("-count")
    services = list(Connection.objects.all())
    service = next((str(c) for c in services if c.provider == request.GET.get("service")), "")
    if not service:
        service = str(services[0]) if len(services) == 1 else "the service"
    return render(
        request, "aside.html", "Not in step", page=page, rows=show_records(page), query=kept_query(request), kind=kind,
        kinds=[
            (key, label, due if key == "due" else sum(counts.get(s, 0) for s in of))
            for key, (label, _, of) in KINDS.items()
        ],
        about=KINDS[str(kind)][1],
        reasons=[
            {"reason": explain(code, service=service), "count": count, "on": request.GET.get("reason") == code,
             "query": kept_query(request, reason=code)}
            for code, count in reasons if code
        ],
        everything=kept_query(request, reason=""),
        word=request.GET.get("q", ""),
        retry_all=rows.filter(reason_code__in=RETRY_HELPS).exists() if kind in ("set_aside", "skipped") else False,
        filters={key: request.GET.get(key, "") for key in ("kind", "service", "reason", "list", "q")},
    )  # fmt: skip


@press
def retry(request: HttpRequest) -> HttpResponse:
    """Send one again, or all that the filters name (L27)."""
    if pk := request.POST.get("record", ""):
        rows = RemoteRecord.objects.filter(pk=pk) if pk.isdecimal() else RemoteRecord.objects.none()
        if not rows.exists():
            raise Http404
        rows = rows.exclude(reason_code__in=RETRY_IS_VAIN)
    else:
        rows = chosen(request.POST).filter(reason_code__in=RETRY_HELPS)
    connections = list(Connection.objects.filter(pk__in=rows.order_by().values("connection").distinct()))
    count = outbox.retry(rows, f"Retry by {request.user}"[:200])
    for connection in connections:
        jobs.nudge(connection)
    if count:
        messages.success(request, f"{some(count, 'change is', 'changes are')} being sent again.")
    else:
        messages.info(request, "There was nothing to send again.")
    return go_back(request, request.POST.get("back", ""), reverse("integrations:aside"))
