"""Who is on a list: a table with search and pages, and the buttons of its rows."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect

from contacts import services
from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from contacts.search import contacts_matching
from contacts.tenancy.roles import CHANGE, is_allowed, require

AREA = "lists"
PER_PAGE = 25


class AddMemberForm(forms.Form):
    """One contact to put on the list."""

    contact: Any = forms.ModelChoiceField(queryset=None, label="Add a contact")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        field.queryset = Contact.objects.all()  # type: ignore[attr-defined]
        field.widget = AutocompleteSelect(ListMembership._meta.get_field("contact"), admin.site)
        field.widget.choices = field.choices  # type: ignore[attr-defined]


def table(request: HttpRequest, contact_list: ContactList) -> dict[str, Any]:
    """What the template needs to show one page of members."""
    text = request.GET.get("q", "")
    contacts = contacts_matching(Contact.objects.all(), text)
    memberships = contact_list.memberships.order_by("contact__last_name", "contact__first_name", "pk")
    if text.strip():
        memberships = memberships.filter(contact__in=contacts.order_by().values("pk"))
    memberships = memberships.select_related("contact").prefetch_related(
        Prefetch("contact__email_addresses", EmailAddress.objects.filter(is_primary=True))
    )
    form = AddMemberForm()
    return {
        "q": text,
        "page": Paginator(memberships, PER_PAGE).get_page(request.GET.get("p")),
        "add_form": form,
        "may_change_members": is_allowed(request, CHANGE, AREA),
    }


def button(view: Callable[..., str]) -> Callable[..., HttpResponse]:
    """A POST by somebody who may change lists, on a list of this tenant; then back to the page it came from."""

    @wraps(view)
    def pressed(request: HttpRequest, list_pk: int, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        require(request, CHANGE, AREA)
        contact_list = get_object_or_404(ContactList, pk=list_pk)
        if sentence := view(request, contact_list, **kwargs):
            messages.success(request, sentence)
        back = redirect("admin:contacts_contactlist_change", list_pk)
        back["Location"] += f"?{request.GET.urlencode()}#members" if request.GET else "#members"
        return back

    return pressed


@button
def add(request: HttpRequest, contact_list: ContactList) -> str:
    """Put one contact on the list."""
    form = AddMemberForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a contact first.")
        return ""
    contact = form.cleaned_data["contact"]
    added = services.add_to_list(contact_list, Contact.objects.filter(pk=contact.pk))
    return f"{contact} is on “{contact_list}” now." if added else f"{contact} was on “{contact_list}” already."


@button
def take_off(request: HttpRequest, contact_list: ContactList, pk: int) -> str:
    """Take one member off."""
    membership = get_object_or_404(contact_list.memberships.select_related("contact"), pk=pk)
    membership.delete()
    return f"{membership.contact} is off “{contact_list}”."


@button
def do_not_contact(request: HttpRequest, contact_list: ContactList, pk: int) -> str:
    """Set or clear Do Not Contact for this list (L7); the form says which, so that pressing twice does no harm."""
    membership = get_object_or_404(contact_list.memberships.select_related("contact"), pk=pk)
    membership.do_not_contact = request.POST.get("value") == "set"
    membership.save()
    verb = "gets nothing more" if membership.do_not_contact else "may be written to again"
    return f"{membership.contact} {verb} through “{contact_list}”."
