"""Calls of programs that could not be carried out afterwards (O9): what was sent, why it failed, and *Try again*."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.decorators import display

from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.cards import Need
from contacts.tenancy.changelist import is_number
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page
from gifts.donating import background
from gifts.models import BackgroundCall
from gifts.money import money

AREA = "gifts"
FAILED = BackgroundCall.State.FAILED


@admin.register(BackgroundCall)
class BackgroundCallAdmin(ReadOnlyTenantAdmin):
    """Those that failed, the newest first."""

    area = AREA
    list_display = ["came", "what", "about", "why", "tries"]
    list_display_links = ["came"]
    list_select_related = ["page"]
    ordering = ["-received_at", "-pk"]
    list_before_template = "admin/gifts/calls/before.html"
    empty_sentence = (
        "Programs of others may report donations and people without waiting. What could not be carried out then stands "
        "here, with the reason, until somebody tries it again or puts it aside. There is nothing now."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        found: QuerySet[Any] = rows.filter(state=FAILED)
        return found

    def get_urls(self) -> list[Any]:
        """The buttons; each is a POST."""
        wrap, name = self.admin_site.admin_view, "gifts_backgroundcall"
        return [
            path("again/", wrap(all_again), name=f"{name}_all_again"),
            path("<int:object_id>/again/", wrap(again), name=f"{name}_again"),
            path("<int:object_id>/aside/", wrap(aside), name=f"{name}_aside"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = is_allowed(request, CHANGE, AREA)
        return super().changelist_view(request, {"may_act": may, **(extra_context or {})})

    @display(description="Came in", ordering="received_at")
    def came(self, row: BackgroundCall) -> str:
        at = date_format(timezone.localtime(row.received_at), "M j, Y, H:i")
        return format_html('<span class="al-nowrap">{}</span>', at)

    @display(description="What")
    def what(self, row: BackgroundCall) -> str:
        return f"{row.get_verb_display()} ({row.words})"

    @display(description="About")
    def about(self, row: BackgroundCall) -> str:
        return whom(row)

    @display(description="Why it failed")
    def why(self, row: BackgroundCall) -> str:
        return row.reason

    @display(description="Tried")
    def tries(self, row: BackgroundCall) -> str:
        return "once" if row.attempts == 1 else f"{row.attempts} times"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One of them, with what was sent."""
        require(request, SEE, self.area)
        row = self.get_queryset(request).filter(pk=object_id).first() if is_number(object_id) else None
        if row is None:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            self._refuse(request, object_id)
        context = {"row": row, "sent": sent(row.given), "may_act": is_allowed(request, CHANGE, AREA)}
        return render_page(request, "admin/gifts/calls/call.html", str(row), context)


def whom(row: BackgroundCall) -> str:
    """The person and the sum, as far as they were sent."""
    person = row.given.get("person")
    person = person if isinstance(person, dict) else row.given
    name = " ".join(filter(None, [person.get("given_name"), person.get("family_name")]))
    ways = [one.get("address") or one.get("number") for key in ("email_addresses", "phone_numbers")
            for one in person.get(key) or []]  # fmt: skip
    sums = [money(Decimal(one["amount"])) for one in row.given.get("recipients") or [] if one.get("amount")]
    about = row.given.get("about") or ""
    return ", ".join(filter(None, [name, *ways, " + ".join(sums), about, str(row.page or "")]))


def sent(given: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(what, value) of everything that was sent, in a line each."""
    if isinstance(given, dict):
        for key, value in given.items():
            yield from sent(value, f"{name}, {key}" if name else str(key))
    elif isinstance(given, list):
        for number, value in enumerate(given, 1):
            yield from sent(value, name if len(given) == 1 else f"{name} {number}")
    elif given not in (None, ""):
        yield name.replace("_", " ").replace("action network:", ""), str(given)


def again(request: HttpRequest, object_id: int) -> HttpResponse:
    """Try one again."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, AREA)
    row = get_object_or_404(BackgroundCall, pk=object_id)
    if background.try_again(row, request.user):
        messages.success(request, "It is tried again now. If it fails once more, it comes back to this page.")
    else:
        messages.info(request, "Somebody has tried it again already.")
    return redirect("admin:gifts_backgroundcall_changelist")


def all_again(request: HttpRequest) -> HttpResponse:
    """Try all of them again."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, AREA)
    number = background.try_all_again(request.user)
    words = "1 report is" if number == 1 else f"{number:,} reports are"
    messages.success(request, f"{words} tried again now. What fails once more comes back to this page.")
    return redirect("admin:gifts_backgroundcall_changelist")


def aside(request: HttpRequest, object_id: int) -> HttpResponse:
    """It is not wanted any more."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, AREA)
    if background.put_aside(get_object_or_404(BackgroundCall, pk=object_id)):
        messages.success(request, "It was put aside. Nothing of it was carried out.")
    else:
        messages.info(request, "It is being tried again at this moment, and was not put aside.")
    return redirect("admin:gifts_backgroundcall_changelist")


def needs(request: HttpRequest) -> Iterator[Need]:
    """On the first page; one query."""
    if not is_allowed(request, SEE, AREA):
        return
    number = BackgroundCall.objects.filter(state=FAILED).count()
    noun = "donation or person" if number == 1 else "donations or people"
    yield Need(
        number, f"{noun} that a program reported could not be noted",
        reverse("admin:gifts_backgroundcall_changelist"), "See why", icon="sync_problem",
    )  # fmt: skip
