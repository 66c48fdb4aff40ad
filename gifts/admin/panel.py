"""The panel “Giving” of the first page: this month, and this fiscal year beside the last. Numbers open their rows."""

from datetime import date, timedelta

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format

from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from gifts import figures
from gifts.fiscal import Span, fiscal_year, month_of, year_before
from gifts.models import Gift
from gifts.money import money
from gifts.services import today


def spans(day: date, first_month: int) -> dict[str, Span]:
    """The times that are told of. So far means until today, and last year until the same day."""
    year = fiscal_year(day, first_month)
    before = fiscal_year(year.first - timedelta(days=1), first_month)
    return {
        "month": Span(month_of(day).first, day),
        "year": Span(year.first, day),
        "by_then": Span(before.first, year_before(day)),
        "before": before,
    }


def panel(request: HttpRequest) -> str:
    """Two queries."""
    if not is_allowed(request, SEE, "gifts"):
        return ""
    day, first_month = today(), request.tenant.fiscal_year_start  # type: ignore[attr-defined]
    asked, may = spans(day, first_month), is_allowed(request, CHANGE, "gifts")
    if not Gift.objects.exists():
        return render_to_string("admin/gifts/panel_empty.html", {"may_add": may}, request)
    found = figures.sums_of_spans(asked)
    kind = "year" if first_month == 1 else "fiscal year"
    since = date_format(asked["year"].first, "M j")
    words = {
        "month": f"this month, {gifts(found['month'].number)}",
        "year": f"this {kind}, since {since}, {gifts(found['year'].number)}",
        "by_then": f"last {kind} by this day, {gifts(found['by_then'].number)}",
        "before": f"in the whole last {kind}, {gifts(found['before'].number)}",
    }
    tiles = [(money(found[name].total, short=True), words[name], link(asked[name])) for name in asked]
    compared = compare(found["year"], found["by_then"], kind)
    return render_to_string("admin/gifts/panel.html", {"tiles": tiles, "sentence": compared, "may_add": may}, request)


def link(span: Span) -> str:
    """The gifts of this time."""
    return f"{reverse('admin:gifts_gift_changelist')}?date_from={span.first}&date_to={span.last}"


def gifts(number: int) -> str:
    """“1 gift”, “12 gifts”."""
    return f"{number:,} {'gift' if number == 1 else 'gifts'}"


def compare(now: figures.Sums, then: figures.Sums, kind: str) -> str:
    """How this year stands beside the last."""
    if not then.total or not now.total:
        return ""
    change = now.total - then.total
    if not change:
        return f"As much as by this day of the last {kind}."
    percent = abs(change) * 100 / then.total
    words = f"{money(abs(change), short=True)} {'more' if change > 0 else 'less'} than by this day of the last {kind}"
    return f"{words} ({'+' if change > 0 else '−'}{percent:,.0f} %)."
