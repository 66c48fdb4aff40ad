"""The pages of fundraising pages: which programs have made, what came by them, and whether forms without a key may
report donations (O10)."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.decorators import display

from contacts.models.contact import load_ways
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.changelist import is_number
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page
from contacts.tenancy.walls import current_tenant
from gifts.admin import network_card, website_form
from gifts.models import Donation, FundraisingPage
from gifts.models.pledge import MONEY
from gifts.money import money

PER_PAGE = 25
AREA = "gifts"


@admin.register(FundraisingPage)
class FundraisingPageAdmin(ReadOnlyTenantAdmin):
    """All of them, the newest first."""

    area = AREA
    list_display = ["called", "how_many", "how_much", "made", "without_key"]
    list_display_links = ["called"]
    search_fields = ["title", "name"]
    search_help_text = "Title or name"
    ordering = ["-created_at", "-pk"]
    empty_sentence = (
        "A fundraising page stands somewhere else, such as on a donation platform. The program that runs it makes one "
        "here with an API key, and reports what is given on it. Ask whoever looks after your website."
    )

    def listed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """With what came by them: only those on this page of the list are counted."""
        theirs = Donation.objects.filter(page=OuterRef("pk")).order_by().values("page")
        return rows.annotate(
            number=Coalesce(Subquery(theirs.annotate(of=Count("pk")).values("of")), 0),
            total=Subquery(theirs.annotate(of=Sum("amount")).values("of"), output_field=MONEY),
        )

    def get_urls(self) -> list[Any]:
        """The button, a POST; and the form for a website."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:object_id>/without-key/", wrap(without_key), name="gifts_fundraisingpage_without_key"),
            path("network/", wrap(network_card.save), name="gifts_network"),
            *website_form.addresses(wrap),
            *super().get_urls(),
        ]

    @display(description="Page", ordering="title")
    def called(self, row: FundraisingPage) -> str:
        return str(row)

    @display(description="Donations")
    def how_many(self, row: Any) -> str:
        return intcomma(row.number)

    @display(description="Amount")
    def how_much(self, row: Any) -> str:
        return format_html('<span class="gf-amount">{}</span>', money(row.total))

    @display(description="Made", ordering="created_at")
    def made(self, row: FundraisingPage) -> str:
        return format_html('<span class="al-nowrap">{}</span>', date_format(row.created_at, "M j, Y"))

    @display(description="Forms without a key")
    def without_key(self, row: FundraisingPage) -> str:
        look, words = ("good", "Open") if row.made_by_api and row.takes_blind else ("none", "Closed")
        return format_html('<span class="al-badge al-{}">{}</span>', look, words)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One page: figures, what was given on it, the switch, and the form for a website."""
        require(request, SEE, self.area)
        row = self.get_queryset(request).filter(pk=object_id).first() if is_number(object_id) else None
        if row is None:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            self._refuse(request, object_id)
        return render_page(request, "admin/gifts/fundraising/page.html", str(row), shown(request, row))


def shown(request: HttpRequest, row: FundraisingPage) -> dict[str, Any]:
    """What stands on the page of one; six queries, however much was given."""
    donations = Donation.objects.filter(page=row).select_related("gift__contact").order_by("-created_at", "-pk")
    figures = Donation.objects.filter(page=row).aggregate(
        number=Count("pk"), total=Sum("amount"), recurring=Count("pk", filter=Q(is_recurring=True)),
        blind=Count("pk", filter=Q(is_blind=True)), people=Count("gift__contact", distinct=True),
    )  # fmt: skip
    page = Paginator(donations, PER_PAGE).get_page(request.GET.get("p"))
    load_ways(one.gift.contact for one in page)
    tenant = current_tenant()
    return {
        "row": row, "page": page, "may_act": is_allowed(request, CHANGE, AREA),
        "has_network": tenant is not None and tenant.parent_id is not None,
        "rows": [(one, money(one.amount, one.currency)) for one in page],
        "sums": [
            ("donations", intcomma(figures["number"])), ("given", money(figures["total"])),
            ("donors", intcomma(figures["people"])), ("given again and again", intcomma(figures["recurring"])),
            ("by forms without a key", intcomma(figures["blind"])),
        ],
    }  # fmt: skip


def without_key(request: HttpRequest, object_id: int) -> HttpResponse:
    """Let forms without a key report donations, or no longer."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, CHANGE, AREA)
    row = get_object_or_404(FundraisingPage, pk=object_id)
    row.takes_blind = request.POST.get("verb") == "open"
    row.save()
    messages.success(
        request,
        f"Forms on websites can report donations on “{row}” now, without a key."
        if row.takes_blind
        else f"“{row}” takes no more donations from forms without a key. Programs with a key go on as before.",
    )
    return redirect("admin:gifts_fundraisingpage_change", row.pk)
