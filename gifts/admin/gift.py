"""The pages of gifts: the list with what it comes to, and one gift to note, correct, refund or reassign."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts.admin.whose import NamesContacts
from contacts.models import Contact
from contacts.search import contacts_matching
from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.changelist import SteadyChangeList, is_number
from contacts.tenancy.roles import CHANGE, is_allowed
from gifts import figures, services
from gifts.admin import acts
from gifts.admin.filters import (
    AmountBetween,
    CampaignFilter,
    DonorFilter,
    GivenBetween,
    ImportFilter,
    PledgeFilter,
    RefundFilter,
)  # fmt: skip
from gifts.admin.forms import DonorForm, GiftForm, RefundForm
from gifts.models import Gift
from gifts.money import money


class GiftChangeList(SteadyChangeList):
    """With what all rows that match come to; counted in the same question."""

    summary: figures.Sums

    def known_count(self) -> int | None:
        self.summary = figures.sums(self.queryset)
        return self.summary.listed


def badges(gift: Gift) -> list[tuple[str, str]]:
    """(words, look) of what became of a gift."""
    found = []
    if gift.gone_on:
        found.append(("Gone at its source", "bad"))
    if gift.refunded:
        in_part = gift.refunded < gift.amount
        found.append((f"{money(gift.refunded)} refunded" if in_part else "Refunded", "warn" if in_part else "bad"))
    if not gift.counts:
        found.append(("Not in totals", "none"))
    if gift.is_history:
        found.append(("History", "none"))
    return found


@admin.register(Gift)
class GiftAdmin(NamesContacts, TenantAdmin):
    """What was given, the newest first."""

    area = "gifts"
    form = GiftForm
    list_display = ["day", "donor", "how_much", "campaign", "came_from", "standing"]
    list_display_links = ["day"]
    list_select_related = ["contact"]
    list_filter = [
        GivenBetween, AmountBetween, CampaignFilter, ("source", ChoicesDropdownFilter), RefundFilter, DonorFilter,
        PledgeFilter, ImportFilter,
    ]  # fmt: skip
    list_before_template = "admin/gifts/gifts_before.html"
    change_form_outer_after_template = "admin/gifts/gift_after.html"
    search_fields = ["comment"]  # what is searched says `get_search_results`
    search_help_text = "Name, email address, phone number or id of the donor"
    empty_sentence = "Note a gift by hand, or bring in a file of them."
    ordering = ["-received_on", "-pk"]
    autocomplete_fields = ["contact", "pledge"]
    fieldsets = [
        (None, {"fields": ["contact", ("received_on", "amount"), ("campaign", "fund"), ("payment_method", "pledge"),
                           "comment", "is_history"]}),
    ]  # fmt: skip
    actions = None

    # --- all gifts ---

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SteadyChangeList]:
        return GiftChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By donor, found as on the page of contacts."""
        if not search_term.strip():
            return queryset, False
        donors = contacts_matching(Contact.objects.all(), search_term).order_by().values("pk")
        return queryset.filter(contact__in=donors), False

    @display(description="Date", ordering="received_on")
    def day(self, gift: Gift) -> str:
        return format_html('<span class="al-nowrap">{}</span>', date_format(gift.received_on, "M j, Y"))

    @display(description="Donor")
    def donor(self, gift: Gift) -> str:
        return link_to(gift.contact)

    @display(description="Amount", ordering="amount")
    def how_much(self, gift: Gift) -> str:
        return format_html('<span class="gf-amount{}">{}</span>', "" if gift.stands else " al-was", money(gift.amount))

    @display(description="From", ordering="source")
    def came_from(self, gift: Gift) -> str:
        return ", ".join(filter(None, [gift.get_source_display(), gift.source_place]))

    @display(description="State")
    def standing(self, gift: Gift) -> str:
        shown = [format_html('<span class="al-badge al-{}">{}</span>', look, words) for words, look in badges(gift)]
        return format_html(" ".join("{}" for _ in shown), *shown) if shown else ""

    # --- one gift ---

    def get_urls(self) -> list[Any]:
        """The buttons; each is a POST."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:object_id>/refund/", wrap(acts.refund), name="gifts_gift_refund"),
            path("<int:object_id>/reassign/", wrap(acts.reassign), name="gifts_gift_reassign"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a service sent is corrected there."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_ours)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.is_ours or obj.is_by_form)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The donor is called as everywhere else; and whoever may only look reads the date and the amount so."""
        if obj is None:
            return super().get_fieldsets(request, obj)
        read: dict[Any, Any] = {"contact": "donor"}
        if not self.has_change_permission(request, obj):
            read[("received_on", "amount")] = ("day", "how_much")
        (title, part), *more = self.fieldsets
        return [(title, part | {"fields": [read.get(row, row) for row in part["fields"]]}), *more]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who gave it is changed by a button, which says what that means."""
        return ["donor"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Today; and the contact from whose page one comes, if it is one of this organization's."""
        asked = request.GET.get("contact", "")
        known = is_number(asked) and Contact.objects.filter(pk=asked).exists()
        return {"received_on": services.today()} | ({"contact": asked} if known else {})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        gift = kwargs.get("obj")
        if gift and gift.pk:
            may = is_allowed(request, CHANGE, self.area)
            # Empty at first: nobody gives everything back by pressing the button once.
            refund_form = RefundForm(
                initial={"amount": gift.refunded or None, "on": gift.refunded_on or services.today()}
            )
            context |= {"gift": gift, "badges": badges(gift), "net": money(gift.net), "may_act": may}
            if may:
                context |= {"refund_form": refund_form, "donor_form": (donor_form := DonorForm())}
                context["media"] += donor_form.media + refund_form.media
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Gift) -> None:
        try:
            services.delete_gift(obj)
        except services.GiftRefused as why:
            raise Http404(str(why)) from None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counted, not listed."""
        told = [f"{one} from {one.contact} is taken off the record, and out of the totals. For money that was given "
                "back, note a refund instead." for one in objs]  # fmt: skip
        return told, {"gifts": len(objs)}, set(), []

    def response_post_save_add(self, request: HttpRequest, obj: Gift) -> HttpResponse:
        return redirect("admin:gifts_gift_change", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: Gift) -> HttpResponse:
        return redirect("admin:gifts_gift_change", obj.pk)


def link_to(contact: Contact) -> str:
    """To a donor's page."""
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:contacts_contact_change", args=[contact.pk]), contact.called
    )
