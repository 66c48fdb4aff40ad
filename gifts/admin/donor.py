"""The page of donors: who has given, how much, how often and when last. Totals are kept, so nothing is counted."""

from typing import Any

from django.contrib import admin
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.decorators import display

from contacts.admin.whose import NamesContacts
from contacts.models import Contact
from contacts.search import contacts_matching
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.changelist import SteadyChangeList
from contacts.tenancy.roles import SEE, require
from gifts.admin.donor_filters import ClubFilter, NotedFilter
from gifts.admin.filters import LastBetween, NumberBetween, TotalBetween
from gifts.admin.gift import link_to
from gifts.models import Donor, Giving
from gifts.money import money


class DonorChangeList(SteadyChangeList):
    """With what all who match have given together."""

    total: Any = 0

    def known_count(self) -> int | None:
        self.total = self.queryset.order_by().aggregate(sum=Sum("total"))["sum"]
        return None


@admin.register(Giving)
class DonorAdmin(NamesContacts, ReadOnlyTenantAdmin):
    """Contacts who have given, those who gave most first."""

    area = "gifts"
    list_display = ["donor", "club", "given", "number", "last", "last_gift", "largest_gift", "first"]
    list_display_links = None
    rows_called = ("donor", "donors")
    list_select_related = ["contact__donor__club"]
    list_filter = [ClubFilter, TotalBetween, NumberBetween, LastBetween, NotedFilter]
    list_before_template = "admin/gifts/donors_before.html"
    search_fields = ["contact__last_name"]  # what is searched says `get_search_results`
    search_help_text = "Name, email address, phone number or id"
    empty_sentence = "Once a gift is noted, its donor is listed here with what they have given."
    ordering = ["-total", "-pk"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SteadyChangeList]:
        return DonorChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Found as on the page of contacts."""
        if not search_term.strip():
            return queryset, False
        donors = contacts_matching(Contact.objects.all(), search_term).order_by().values("pk")
        return queryset.filter(contact__in=donors), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A donor's page is that of the contact."""
        require(request, SEE, self.area)
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if request.method not in ("GET", "HEAD"):
            self._refuse(request, object_id)
        return redirect("admin:contacts_contact_change", row.contact_id)

    @display(description="Donor")
    def donor(self, row: Giving) -> str:
        return marked(row.contact, donor_of(row))

    @display(description="Club", ordering="contact__donor__club__minimum")
    def club(self, row: Giving) -> str:
        noted = donor_of(row)
        mark = format_html(' <span class="al-badge al-none">{}</span>', "by hand") if noted.club_is_by_hand else ""
        return format_html("{}{}", noted.club or "", mark)

    @display(description="Given in all", ordering="total")
    def given(self, row: Giving) -> str:
        return amount(row.total)

    @display(description="Last gift", ordering="last_on")
    def last(self, row: Giving) -> str:
        return day(row.last_on)

    @display(description="Its amount", ordering="last_amount")
    def last_gift(self, row: Giving) -> str:
        return amount(row.last_amount)

    @display(description="Largest gift", ordering="largest")
    def largest_gift(self, row: Giving) -> str:
        return amount(row.largest)

    @display(description="First gift", ordering="first_on")
    def first(self, row: Giving) -> str:
        return day(row.first_on)


def donor_of(row: Giving) -> Donor:
    """What is noted of them as a donor; nothing, for contacts who are none."""
    return getattr(row.contact, "donor", None) or Donor()


def marked(contact: Contact, donor: Donor) -> str:
    """The donor, with a mark if nobody may write to them, or if their name is not to be published: who looks at such a
    list often does so to write, or to print it."""
    link = format_html('<a href="{}">{}</a>', page_of(donor), contact.called) if donor.pk else link_to(contact)
    marks = [("bad", "Do Not Contact", contact.do_not_contact), ("none", "Anonymous", donor.anonymous)]
    shown = [
        format_html(' <span class="al-badge al-{}">{}</span>', look, words) for look, words, is_so in marks if is_so
    ]
    return format_html("{}" + "{}" * len(shown), link, *shown)


def page_of(donor: Donor) -> str:
    """Where everything about this donor stands."""
    return reverse("admin:gifts_donor_change", args=[donor.pk])


def amount(value: Any) -> str:
    """Right-aligned with others."""
    return format_html('<span class="gf-amount">{}</span>', money(value))


def day(value: Any) -> str:
    """In one line."""
    return format_html('<span class="al-nowrap">{}</span>', date_format(value, "M j, Y")) if value else ""
