"""The buttons on a contact's page. Each is a POST that does one thing, says what happens now, and comes back."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.text import slugify

from contacts import households, services, timeline, word
from contacts.admin.contact_page import AddListForm
from contacts.duplicates.identities import uids_of
from contacts.models import Contact, ContactList, EmailAddress, Household
from contacts.tenancy.roles import CHANGE, SEE, require

View = Callable[..., str]
COMPLAINT_STANDS = (
    "Nothing was changed. They reported your mail as spam, which is their own word. Only they can take it back: if "
    "they asked to be written to again, note it under “May we write to them?”."
)


def button(area: str = "contacts") -> Callable[[View], Callable[..., HttpResponse]]:
    """A POST by somebody who may change this area, on a contact of this tenant; then back to the contact's page."""

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def pressed(request: HttpRequest, object_id: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            require(request, CHANGE, area)
            contact = get_object_or_404(Contact, pk=object_id)
            try:
                if sentence := view(request, contact):
                    messages.success(request, sentence)
            except ValidationError as refusal:
                messages.error(request, " ".join(refusal.messages))
            return redirect("admin:contacts_contact_change", object_id)

        return pressed

    return decorate


def number(request: HttpRequest, name: str) -> int:
    """A row's number from the form; 0 for anything else, which no row has."""
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0


@button()
def do_not_contact(request: HttpRequest, contact: Contact) -> str:
    """Everywhere; the form says which, so that pressing twice does no harm."""
    value = request.POST.get("value")
    if value not in ("set", "clear"):
        return ""
    changed = services.set_do_not_contact(Contact.objects.filter(pk=contact.pk), value == "set")
    if not changed:
        return ""
    if value == "set":
        return f"{contact} gets nothing more from us, and leaves every newsletter within a few minutes."
    return (
        f"Do Not Contact is cleared for {contact}. "
        "If they had unsubscribed themselves, they are asked to confirm first."
    )


@button("lists")
def add_to_list(request: HttpRequest, contact: Contact) -> str:
    """Put them on a list."""
    form = AddListForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Choose a list first.")
    contact_list = form.cleaned_data["contact_list"]
    added = services.add_to_list(contact_list, Contact.objects.filter(pk=contact.pk))
    return f"{contact} is on “{contact_list}” {'now' if added else 'already'}."


@button("lists")
def take_off(request: HttpRequest, contact: Contact) -> str:
    """Take them off a list."""
    contact_list = get_object_or_404(ContactList, pk=number(request, "contact_list"))
    services.take_off_list(contact_list, Contact.objects.filter(pk=contact.pk))
    return f"{contact} is off “{contact_list}”."


@button()
def good_address(request: HttpRequest, contact: Contact) -> str:
    """An address that bounced works again, as somebody knows."""
    email = get_object_or_404(contact.email_addresses, pk=number(request, "email"))
    if email.state == EmailAddress.State.COMPLAINED:
        raise ValidationError(COMPLAINT_STANDS)
    email.state = EmailAddress.State.OK
    email.save()
    return f"{email} is marked as good: mail goes there again."


@button()
def asked_again(request: HttpRequest, contact: Contact) -> str:
    """The person asked to be written to again: their own word, noted by staff (L35)."""
    said = " ".join(request.POST.get("said", "").split())
    chosen = {int(pk) for pk in request.POST.getlist("lists") if pk.isdecimal() and len(pk) < 18}
    word.note_opt_in(contact, said, chosen, request.user)
    return f"Noted in the consent ledger: {contact} asked to be written to again."


@button()
def household(request: HttpRequest, contact: Contact) -> str:
    """Make a household of those with one address, join one, or leave."""
    verb = request.POST.get("verb")
    if verb == "make":
        everybody = [contact, *households.sharing(contact)]
        made = households.make_household(everybody)
        return f"“{made}” is a household now. Newsletters greet them as {households.greeting_of(made)}."
    if verb in ("join", "bring"):
        home = get_object_or_404(Household, pk=number(request, "household"))
        who = contact if verb == "join" else get_object_or_404(Contact, pk=number(request, "contact"))
        households.add_members(home, [who.pk])
        return f"{who} is in “{home}” now."
    if verb == "leave" and contact.household:
        households.take_out(contact)
        return f"{contact} is not in “{contact.household}” any more."
    return ""


def more(request: HttpRequest, object_id: int) -> HttpResponse:
    """The timeline alone: another kind of it, or what is older."""
    require(request, SEE, "contacts")
    contact = get_object_or_404(Contact.objects.prefetch_related("email_addresses"), pk=object_id)
    subject = timeline.subject_of(contact, uids_of(contact))
    page = timeline.page_of(request, subject, request.GET.get("kind", ""), request.GET.get("before", ""))
    older = bool(request.GET.get("before"))
    template = "admin/contacts/contact_timeline_rows.html" if older else "admin/contacts/contact_timeline.html"
    return render(request, template, {"timeline": page, "original": contact})


def addresses(wrap: Callable[[Any], Any]) -> list[Any]:
    """Their addresses under that of the contact."""
    pressed = [do_not_contact, add_to_list, take_off, good_address, asked_again, household]
    ours = [
        path(
            f"<int:object_id>/{slugify(view.__name__.replace('_', '-'))}/", wrap(view),
            name=f"contacts_contact_{view.__name__}",
        )
        for view in pressed
    ]  # fmt: skip
    return [*ours, path("<int:object_id>/timeline/", wrap(more), name="contacts_contact_timeline")]
