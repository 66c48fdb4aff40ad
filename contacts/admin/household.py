"""The staff's pages for households: the list, one household with its members, and who else might be one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.html import format_html
from unfold.decorators import display

from contacts import households
from contacts.admin.bulk import people
from contacts.admin.history import HistoryPage
from contacts.models import Contact, EmailAddress, Household, ListMembership
from contacts.models.contact import address_key
from contacts.tenancy.admin import TenantAdmin
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page

AREA = "contacts"
PER_PAGE = 25
NAMED = 4  # members named in a row of the list; the others are counted


class AddMemberForm(forms.Form):
    """One contact to take in."""

    contact: Any = forms.ModelChoiceField(queryset=None, label="Add a contact")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["contact"]
        choice.queryset = Contact.objects.all()  # type: ignore[attr-defined]
        choice.widget = AutocompleteSelect(ListMembership._meta.get_field("contact"), admin.site)
        choice.widget.choices = choice.choices  # type: ignore[attr-defined]


def pressed(view: Callable[..., str]) -> Callable[..., HttpResponse]:
    """A POST by somebody who may change contacts, on a household of this tenant; then back to its page."""

    @wraps(view)
    def checked(request: HttpRequest, object_id: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        require(request, CHANGE, AREA)
        household = get_object_or_404(Household, pk=object_id)
        try:
            messages.success(request, view(request, household))
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        return redirect("admin:contacts_household_change", object_id)

    return checked


@pressed
def add_member(request: HttpRequest, household: Household) -> str:
    """Take somebody in."""
    form = AddMemberForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Choose a contact first.")
    contact = form.cleaned_data["contact"]
    added = households.add_members(household, [contact.pk])
    return f"{contact} is in “{household}” {'now' if added else 'already'}."


@pressed
def take_out(request: HttpRequest, household: Household) -> str:
    """Out of the household; the contact stays."""
    pk = request.POST.get("contact", "")
    contact = get_object_or_404(household.members, pk=int(pk) if pk.isdecimal() and len(pk) < 18 else 0)
    households.take_out(contact)
    return f"{contact} is not in “{household}” any more."


def suggestions(request: HttpRequest) -> HttpResponse:
    """Who shares an address and is in no household; a POST makes one."""
    if request.method == "POST":
        return make(request)
    require(request, SEE, AREA)
    page = Paginator(households.shared_addresses(), PER_PAGE).get_page(request.GET.get("p"))
    context = {
        "page": page, "suggestions": households.suggestions([row["address_key"] for row in page]),
        "may_change": is_allowed(request, CHANGE, AREA),
    }  # fmt: skip
    return render_page(request, "admin/contacts/household_suggestions.html", "Who shares an address", context)


def make(request: HttpRequest) -> HttpResponse:
    """Everybody who has this address becomes a household, or joins the one that some of them are in."""
    require(request, CHANGE, AREA)
    key = address_key(request.POST.get("address", ""))
    found = households.suggestions([key])[0]
    try:
        if not found.is_possible or len(found.contacts) < 2:
            raise ValidationError("They cannot be made one household: some of them are in different ones by now.")
        if found.household is not None:
            household = found.household
            households.add_members(household, [one.pk for one in found.contacts])
        else:
            household = households.make_household(found.contacts)
        messages.success(request, f"“{household}” is greeted as {households.greeting_of(household)}.")
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    back = redirect("admin:contacts_household_suggestions")
    back["Location"] += f"?{request.GET.urlencode()}" if request.GET else ""
    return back


@admin.register(Household)
class HouseholdAdmin(HistoryPage, TenantAdmin):
    """Households."""

    area = AREA
    history_by = ("list_uid", "uid")
    fields = ["name", "greeting"]
    ordering = ["name", "pk"]
    list_display = ["name", "in_it", "greeted"]
    search_fields = ["name"]
    search_help_text = "The name of the household or of somebody in it"
    empty_sentence = (
        "A household is some contacts who live together, such as a couple with one email address: newsletters then "
        "greet both. Start with those who share an address."
    )
    list_before_template = "admin/contacts/household_before.html"
    change_form_outer_after_template = "admin/contacts/household_after.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(Prefetch("members", Contact.objects.order_by("pk")))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By its name, or by a member's; in sub-queries, so that nobody is listed twice."""
        for word in search_term.split()[:6]:
            member = Contact.objects.filter(household=OuterRef("pk"))
            member = member.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word))
            queryset = queryset.filter(Q(name__icontains=word) | Q(Exists(member)))
        return queryset, False

    @display(description="Members")
    def in_it(self, household: Household) -> str:
        members = list(household.members.all())
        names = ", ".join(str(one) for one in members[:NAMED])
        more = f" and {len(members) - NAMED} more" if len(members) > NAMED else ""
        return names + more if members else format_html('<span class="al-subtle">{}</span>', "Nobody yet")

    @display(description="Greeted as")
    def greeted(self, household: Household) -> str:
        members = list(household.members.all())
        return households.greeting_of(household, members) if members else ""

    def get_urls(self) -> list[Any]:
        """The page of suggestions, and the buttons of a household's page; each is a POST."""
        wrap = self.admin_site.admin_view
        ours = [
            path("suggestions/", wrap(suggestions), name="contacts_household_suggestions"),
            path("<int:object_id>/members/add/", wrap(add_member), name="contacts_household_add_member"),
            path("<int:object_id>/members/take-out/", wrap(take_out), name="contacts_household_take_out"),
        ]
        return ours + super().get_urls()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        household = kwargs.get("obj")
        if household and household.pk:
            form = AddMemberForm()
            context |= {"add_form": form, "may_change_members": is_allowed(request, CHANGE, AREA)}
            context |= members_of(household)
            context["media"] += form.media
        context["show_save_and_continue"] = context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def response_post_save_add(self, request: HttpRequest, obj: Household) -> HttpResponse:
        """On to its page, where members are taken in."""
        return redirect("admin:contacts_household_change", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: Household) -> HttpResponse:
        return redirect("admin:contacts_household_change", obj.pk)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The people stay."""
        count = Contact.objects.filter(household__in=[one.pk for one in objs]).count()
        sentence = f"{people(count)} will be in no household. The contacts themselves stay."
        return [sentence, "Newsletters to an address they share then greet whoever was changed last."], {}, set(), []


def members_of(household: Household) -> dict[str, Any]:
    """The members with their addresses, and how newsletters greet whoever of them share one."""
    primary = Prefetch("email_addresses", EmailAddress.objects.filter(is_primary=True))
    members = list(household.members.order_by("pk").prefetch_related(primary))
    keys = {one.primary_email.address_key for one in members if one.primary_email}
    shared: Any = EmailAddress.objects.filter(address_key__in=keys, is_primary=True).order_by().values("address_key")
    several = shared.annotate(n=Count("pk")).filter(n__gt=1).values_list("address_key", flat=True)
    greetings = [(key, households.greeting_at(key)) for key in sorted(several)[:NAMED]]
    return {"people": members, "greetings": greetings, "greeting": households.greeting_of(household, members)}
