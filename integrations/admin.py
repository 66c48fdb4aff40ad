"""The ledger of everything that was sent, for reading and searching; contacts and lists show their own part of it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.changelist import SteadyChangeList
from integrations.models import Delivery
from integrations.shown import LIST, Names, Shown, show_deliveries


class WithNames(SteadyChangeList):
    """Looks up the names of a page's contacts and lists together, in two queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        names = Names((r.subject_uid for r in rows if r.kind != LIST), (r.subject_uid for r in rows if r.kind == LIST))
        for row, shown in zip(rows, show_deliveries(rows), strict=True):
            row.shown = shown
            row.named = names.of(row.kind, row.subject_uid)
        self.result_list = rows


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyTenantAdmin):
    """What was sent and heard, newest first."""

    area = "integrations"
    list_display = ("when", "who", "what", "changed", "service", "came_of_it", "cause")
    list_display_links = None
    list_select_related: ClassVar[list[str]] = ["connection"]
    list_filter = (("outcome", ChoicesDropdownFilter),)
    search_fields = ("cause", "answer")
    search_help_text = "Search by reason or answer"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SteadyChangeList]:
        return WithNames

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Everything that was sent", **(extra_context or {})})

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As a list only: a row alone says nothing that the list does not."""
        return obj is None and super().has_view_permission(request, obj)

    @display(description="When", ordering="at")
    def when(self, row: Any) -> str:
        return date_format(timezone.localtime(row.at), "M j, Y, H:i:s")

    @display(description="Integration")
    def service(self, row: Any) -> str:
        return str(row.connection)

    @display(description="Who")
    def who(self, row: Any) -> str:
        name, link = row.named
        return format_html('<a href="{}">{}</a>', link, name) if link else "Deleted here"

    @display(description="What")
    def what(self, row: Any) -> str:
        return str(row.shown.verb)

    @display(description="Changes")
    def changed(self, row: Any) -> str:
        shown: Shown = row.shown
        return "; ".join(map(str, shown.brief))

    @display(description="Outcome")
    def came_of_it(self, row: Any) -> str:
        return f"{row.get_outcome_display()}. {row.answer}" if row.answer else str(row.get_outcome_display())
