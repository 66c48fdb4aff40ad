"""What donors have reached: the list, and for each the gifts behind it, so that anybody can say why."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from contacts.admin.whose import NamesContacts
from contacts.models import Contact
from contacts.search import contacts_matching
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.changelist import is_number
from contacts.tenancy.filters import TenantRelatedFilter
from contacts.tenancy.roles import SEE, require
from contacts.tenancy.views import render_page
from gifts.admin.filters import DonorFilter
from gifts.admin.gift import badges, link_to
from gifts.models import Gift, MilestoneReached
from gifts.money import money

PER_PAGE = 50


class StateFilter(DropdownFilter):
    """What became of it."""

    title, parameter_name = "state", "state"
    STATES = {
        "named": ("Somebody was asked to thank", {"is_quiet": False, "is_highest": True}),
        "passed": ("Passed on the way to a higher one", {"is_quiet": False, "is_highest": False}),
        "quiet": ("Noted quietly", {"is_quiet": True}),
        "gone": ("No longer met", {"no_longer_met_at__isnull": False}),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, words) for value, (words, _) in self.STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = self.STATES.get(self.value() or "")
        return queryset.filter(**known[1]) if known else queryset


def states(row: MilestoneReached) -> list[tuple[str, str]]:
    """(words, look)."""
    found = []
    if not row.stands:
        found.append(("No longer met", "bad"))
    if row.is_quiet:
        found.append(("Noted quietly", "none"))
    elif not row.is_highest:
        found.append(("Passed on the way", "none"))
    return found or [("Reached", "good")]


@admin.register(MilestoneReached)
class MilestoneReachedAdmin(NamesContacts, ReadOnlyTenantAdmin):
    """Every milestone of every donor, the latest first."""

    area = "rules"
    list_display = ["day", "donor", "what", "by_rule", "standing"]
    list_display_links = ["day", "what"]
    list_filter = [("rule", TenantRelatedFilter), StateFilter, DonorFilter]
    search_fields = ["period"]  # what is searched says `get_search_results`
    search_help_text = "Name, email address, phone number or id of the donor"
    ordering = ["-noted_at", "-pk"]
    rows_called = ("milestone", "milestones")
    empty_sentence = "Once a rule is on, what donors reach is listed here, with the gifts behind each."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("rule", "contact", "gift")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By donor, found as on the page of contacts."""
        if not search_term.strip():
            return queryset, False
        donors = contacts_matching(Contact.objects.all(), search_term).order_by().values("pk")
        return queryset.filter(contact__in=donors), False

    @display(description="Reached", ordering="reached_on")
    def day(self, row: MilestoneReached) -> str:
        return format_html('<span class="al-nowrap">{}</span>', date_format(row.reached_on, "M j, Y"))

    @display(description="Donor")
    def donor(self, row: MilestoneReached) -> str:
        return link_to(row.contact)

    @display(description="Milestone")
    def what(self, row: MilestoneReached) -> str:
        return str(row)

    @display(description="Rule")
    def by_rule(self, row: MilestoneReached) -> str:
        address = reverse("admin:gifts_milestonerule_change", args=[row.rule_id])
        return format_html('<a href="{}">{}</a>', address, row.rule)

    @display(description="State")
    def standing(self, row: MilestoneReached) -> str:
        shown = [format_html('<span class="al-badge al-{}">{}</span>', look, words) for words, look in states(row)]
        return format_html(" ".join("{}" for _ in shown), *shown)

    # --- one of them ---

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Why: the gifts that it was reached by, the last of them the one that reached it."""
        require(request, SEE, self.area)
        row = self.get_queryset(request).filter(pk=object_id).first() if is_number(object_id) else None
        if row is None:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            self._refuse(request, object_id)
        numbers = Paginator(row.gifts_behind, PER_PAGE).get_page(request.GET.get("p"))
        gifts = Gift.objects.in_bulk(list(numbers))
        shown = [gifts[pk] for pk in numbers if pk in gifts]
        context = {
            "row": row, "states": states(row), "page": numbers, "count": numbers.paginator.count,
            "gifts": [(gift, money(gift.net), badges(gift)) for gift in shown], "is_years": row.rule.kind == "years",
        }  # fmt: skip
        return render_page(request, "admin/gifts/reached.html", f"{row.contact.called}: {row}", context)
