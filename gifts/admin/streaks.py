"""Streaks at risk: who gave every year but not yet this year; a page of them, in autumn a line on the first page."""

from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from contacts.models.contact import load_ways
from contacts.tenancy.cards import Need
from contacts.tenancy.roles import SEE, is_allowed, require
from contacts.tenancy.views import render_page
from gifts import streaks
from gifts.milestones import Kind
from gifts.models import MilestoneRule
from gifts.money import money
from gifts.services import today

PER_PAGE = 50
SINCE_MONTH = 10  # before October there is time, and nearly everybody would be listed


def count() -> int:
    """How many donors' streaks end with this year."""
    return streaks.at_risk(today()).count()


def page(request: HttpRequest) -> HttpResponse:
    """Who they are, those who have given most first. Six queries."""
    require(request, SEE, "gifts")
    year = today().year
    rows = streaks.at_risk(today()).select_related("contact").order_by("-total", "pk")
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
    load_ways(row.contact for row in shown)
    lengths = streaks.lengths([row.contact_id for row in shown], year - 1)
    context = {
        "page": shown, "year": year, "last": year - 1, "count": shown.paginator.count,
        "rows": [(row, lengths.get(row.contact_id, 0), money(row.last_amount), money(row.total)) for row in shown],
    }  # fmt: skip
    return render_page(request, "admin/gifts/streaks.html", "Streaks at risk", context)


def needs(request: HttpRequest) -> Iterator[Need]:
    """From October on, where an organization thanks for years in a row; two queries."""
    if today().month < SINCE_MONTH or not is_allowed(request, SEE, "gifts"):
        return
    if not MilestoneRule.objects.filter(is_on=True, kind=Kind.YEARS).exists():
        return
    number, year = count(), today().year
    have = "donor who gave in the years before has" if number == 1 else "donors who gave in the years before have"
    yield Need(
        number, f"{have} not given in {year}: their streak ends on December 31",
        reverse("admin:gifts_milestonerule_at_risk"), "See who", icon="local_fire_department",
    )  # fmt: skip
