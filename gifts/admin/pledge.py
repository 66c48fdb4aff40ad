"""The pages of pledges: what was promised, what came, and what is still to come."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts.admin.whose import NamesContacts
from contacts.models import Contact
from contacts.search import contacts_matching
from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.changelist import is_number
from contacts.tenancy.roles import CHANGE, is_allowed
from gifts import services
from gifts.admin import acts
from gifts.admin.filters import BalanceFilter, DonorFilter
from gifts.admin.forms import PledgeForm
from gifts.admin.gift import link_to
from gifts.models import Pledge
from gifts.money import money


@admin.register(Pledge)
class PledgeAdmin(NamesContacts, TenantAdmin):
    """What was promised, the newest first."""

    area = "gifts"
    form = PledgeForm
    list_display = ["day", "donor", "how_much", "came", "to_come", "how_often", "campaign"]
    list_display_links = ["day"]
    list_select_related = ["contact"]
    list_filter = [BalanceFilter, ("frequency", ChoicesDropdownFilter), DonorFilter]
    change_form_outer_after_template = "admin/gifts/pledge_after.html"
    search_fields = ["campaign"]  # what is searched says `get_search_results`
    search_help_text = "Name, email address, phone number or id of the donor"
    empty_sentence = "A pledge is money that somebody has promised. Note one, and name it with the gifts that pay it."
    ordering = ["-started_on", "-pk"]
    autocomplete_fields = ["contact"]
    fieldsets = [
        (None, {"fields": ["contact", ("amount", "started_on"), ("frequency", "campaign"), "fund", "comment"]}),
    ]  # fmt: skip
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        found: QuerySet[Any] = rows.select_related("contact").with_balance()
        return found

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By donor, found as on the page of contacts."""
        if not search_term.strip():
            return queryset, False
        donors = contacts_matching(Contact.objects.all(), search_term).order_by().values("pk")
        return queryset.filter(contact__in=donors), False

    @display(description="Promised on", ordering="started_on")
    def day(self, pledge: Pledge) -> str:
        return format_html('<span class="al-nowrap">{}</span>', date_format(pledge.started_on, "M j, Y"))

    @display(description="Donor")
    def donor(self, pledge: Pledge) -> str:
        return link_to(pledge.contact)

    @display(description="Promised", ordering="amount")
    def how_much(self, pledge: Pledge) -> str:
        return format_html('<span class="gf-amount">{}</span>', money(pledge.amount))

    @display(description="Paid", ordering="paid")
    def came(self, pledge: Any) -> str:
        return format_html('<span class="gf-amount">{}</span>', money(pledge.paid))

    @display(description="Still to come", ordering="balance")
    def to_come(self, pledge: Any) -> str:
        if pledge.balance > 0:
            return format_html('<span class="gf-amount">{}</span>', money(pledge.balance))
        return format_html('<span class="al-badge al-{}">{}</span>', *settled(pledge))

    @display(description="How often", ordering="frequency")
    def how_often(self, pledge: Pledge) -> str:
        return pledge.get_frequency_display()

    # --- one pledge ---

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        ours = path("<int:object_id>/write-off/", wrap(acts.write_off), name="gifts_pledge_write_off")
        return [ours, *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a service sent is corrected there."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_ours)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_ours)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["contact"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Today; and the contact from whose page one comes, if it is one of this organization's."""
        asked = request.GET.get("contact", "")
        known = is_number(asked) and Contact.objects.filter(pk=asked).exists()
        return {"started_on": services.today()} | ({"contact": asked} if known else {})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        pledge = kwargs.get("obj")
        if pledge and pledge.pk:
            payments = list(pledge.payments.order_by("-received_on", "-pk")[:10])
            context |= {
                "pledge": pledge, "payments": [(one, money(one.net)) for one in payments],
                "sums": [("promised", money(pledge.amount)), ("paid", money(pledge.paid)),
                         ("still to come", money(max(pledge.balance, 0)))],
                "may_act": is_allowed(request, CHANGE, self.area),
            }  # fmt: skip
        return super().render_change_form(request, context, *args, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The payments stay."""
        told = [f"{one} by {one.contact}. The gifts that paid it stay, as gifts without a pledge." for one in objs]
        return told, {"pledges": len(objs)}, set(), []

    def response_post_save_add(self, request: HttpRequest, obj: Pledge) -> HttpResponse:
        return redirect("admin:gifts_pledge_change", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: Pledge) -> HttpResponse:
        return redirect("admin:gifts_pledge_change", obj.pk)


def settled(pledge: Any) -> tuple[str, str]:
    """(look, words) of a pledge of which nothing is to come."""
    return ("none", "Written off") if pledge.written_off else ("good", "Paid")
