"""The staff's pages for lists and committees. The page of one list is about its members, of whom there may be 100,000:
how many, who is not reached and why, how it grows; its name and settings come last."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts import charts, elsewhere, figures, services
from contacts.admin import members
from contacts.admin.bulk import people
from contacts.admin.filters import SynchronizeFilter
from contacts.admin.history import HistoryPage
from contacts.models import ContactList, ListMembership
from contacts.tenancy.admin import TenantAdmin

FLAG = str(ContactList._meta.get_field("synchronize").verbose_name)  # type: ignore[union-attr]


@admin.register(ContactList)
class ContactListAdmin(HistoryPage, TenantAdmin):
    """Lists and committees."""

    area = "lists"
    history_by = ("list_uid", "uid")
    list_display = ["name", "kind", "members", "reachable", "synchronized"]
    list_filter = [("kind", ChoicesDropdownFilter), SynchronizeFilter]
    search_fields = ["name", "description"]
    empty_sentence = "Make a list for each newsletter, group or committee, and put contacts on it."
    search_help_text = "Name or description"
    fieldsets = [("Name and settings", {"fields": ["name", "kind", "description", "synchronize"]})]
    change_form_outer_before_template = "admin/contacts/list_page.html"
    change_form_outer_after_template = ""

    # --- all lists ---

    def listed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """With the number of members, counted from the index per list."""
        counted = ListMembership.objects.filter(contact_list=OuterRef("pk")).order_by().values("contact_list")
        counts = Subquery(counted.annotate(n=Count("pk")).values("n"))
        return rows.annotate(members=Coalesce(counts, 0))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The lists of one page with what their columns show, in a fixed number of queries."""
        changes = super().get_changelist_instance(request)
        lists = list(changes.result_list)
        reachable, teller = figures.reachable_of(lists), elsewhere.teller()
        standings = teller.of_lists(request, lists) if teller else {}
        for one in lists:
            one.reachable, one.standings = reachable[one.pk], standings.get(one.pk, [])
        changes.result_list = lists
        return changes

    @display(description="Members", ordering="members")
    def members(self, contact_list: Any) -> str:
        return f"{contact_list.members:,}"

    @display(description="May be written to")
    def reachable(self, contact_list: Any) -> str:
        count, as_of = contact_list.reachable
        if not as_of:
            return f"{count:,}"
        return format_html('{} <span class="al-subtle al-nowrap">as of {}</span>', f"{count:,}", charts.on(as_of))

    @display(description="Synchronized", ordering="synchronize")
    def synchronized(self, contact_list: Any) -> str:
        if not contact_list.synchronize:
            return format_html('<span class="al-badge" title="{}: no">No</span>', FLAG)
        words: Sequence[tuple[str, str]] = contact_list.standings or [("Yes", "good")]
        rows = ((text, tone, FLAG) for text, tone in words)
        return format_html_join(" ", '<span class="al-badge al-{1}" title="{2}: yes">{0}</span>', rows)

    # --- one list ---

    def get_urls(self) -> list[Any]:
        """The buttons of the table of members; each is a POST."""
        wrap, name = self.admin_site.admin_view, "contacts_contactlist_"
        ours = [
            path("<int:list_pk>/members/add/", wrap(members.add), name=f"{name}add_member"),
            path("<int:list_pk>/members/take-off/", wrap(members.take_off_chosen), name=f"{name}take_off_chosen"),
            path("<int:list_pk>/members/<int:pk>/take-off/", wrap(members.take_off), name=f"{name}take_off"),
            path("<int:list_pk>/members/<int:pk>/dnc/", wrap(members.do_not_contact), name=f"{name}dnc"),
            path("<int:list_pk>/members/<int:pk>/position/", wrap(members.position), name=f"{name}position"),
        ]
        return ours + super().get_urls()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj and obj.pk and request.method == "GET":
            context |= members.table(request, obj)
            context["media"] += context["add_form"].media
            context["chart"] = growth_of(request, obj, context["tally"])
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: ContactList) -> None:
        services.delete_list(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A plain warning with the count, instead of 100,000 lines."""
        sentences: list[str] = []
        count = 0
        for obj in objs:
            on_it = obj.memberships.count()
            count += on_it
            sentences.append(f"{people(on_it)} will be taken off it. The contacts themselves stay.")
            if obj.synchronize:
                sentences.append(
                    "The list is synchronized: it is deleted at every connected newsletter service too, and members "
                    "who are on no other synchronized list are switched off there."
                )
        return sentences, {"lists": len(objs), "places on it": count}, set(), []


def growth_of(request: HttpRequest, contact_list: ContactList, now: elsewhere.Tally) -> charts.Chart:
    """How the list has grown; the last point is what was counted for this page."""
    return charts.growth(
        request.tenant, timezone.now(), charts.span_of(request), now.members, now.reachable,  # type: ignore[attr-defined]
        uid=contact_list.uid, who=("member", "members"),
    )  # fmt: skip
