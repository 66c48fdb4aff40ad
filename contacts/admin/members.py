"""Who is on a list: a table with search, filters and pages, and what its buttons do."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import Truncator

from contacts import elsewhere, services
from contacts.elsewhere import MISSING, MOVING, REACHABLE, THERE, UNREACHABLE, Service, Tally
from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from contacts.models.contact import load_ways
from contacts.search import contacts_matching
from contacts.tenancy.changelist import is_number
from contacts.tenancy.roles import CHANGE, is_allowed, require
from contacts.tenancy.views import render_page

AREA = "lists"
PER_PAGE = 25
MOST_AT_ONCE = 100
LONGEST_POSITION = ListMembership._meta.get_field("position").max_length  # type: ignore[union-attr]


class AddMembersForm(forms.Form):
    """Contacts to put on the list."""

    contact: Any = forms.ModelMultipleChoiceField(queryset=None, label="Add contacts")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        field.queryset = Contact.objects.all()  # type: ignore[attr-defined]
        field.widget = AutocompleteSelectMultiple(
            ListMembership._meta.get_field("contact"), admin.site, attrs={"data-placeholder": "Names or addresses"}
        )
        field.widget.choices = field.choices  # type: ignore[attr-defined]


# --- the table ---


def table(request: HttpRequest, contact_list: ContactList) -> dict[str, Any]:
    """What the template needs to show one page of members."""
    text, show = request.GET.get("q", ""), request.GET.get("show", "")
    counted = elsewhere.tally(request, contact_list)
    places: Any = contact_list.memberships.all()
    chosen = elsewhere.narrowed(places, counted.known, show)
    places = places if chosen is None else chosen
    if text.strip():
        places = places.filter(contact__in=contacts_matching(Contact.objects.all(), text).order_by().values("pk"))
    places = places.order_by("contact__last_name", "contact__first_name", "pk").values_list("pk", flat=True)
    paginator = Paginator(places, PER_PAGE)
    if not text.strip():  # it was counted with all the others
        paginator.count = known_count(counted, show if chosen is not None else "")  # type: ignore[misc]
    page = paginator.get_page(request.GET.get("p"))
    return {
        "q": text,
        "show": show if chosen is not None else "",
        "tally": counted,
        "chips": list(chips(counted, show if chosen is not None else "")),
        "page": page,
        "rows": rows_of(request, contact_list, counted.known, list(page.object_list)),
        "add_form": AddMembersForm(),
        "may_change_members": is_allowed(request, CHANGE, AREA),
        "longest_position": LONGEST_POSITION,
    }


def known_count(counted: Tally, show: str) -> int:
    """How many members a filter lets through, from what was counted for the page."""
    key, _, standing = show.partition(":")
    if not show:
        return counted.members
    if show in (REACHABLE, UNREACHABLE):
        return counted.reachable if show == REACHABLE else counted.members - counted.reachable
    standings = counted.services[key]
    if standing == MISSING:
        return sum(n for code, n in standings.items() if code not in (THERE, MOVING))
    return standings.get(standing, 0)


def rows_of(
    request: HttpRequest, contact_list: ContactList, known: Any, pks: list[int]
) -> list[tuple[ListMembership, Any]]:
    """The members of one page, each with how they stand at the services; four queries."""
    places = elsewhere.with_standings(ListMembership.objects.filter(pk__in=pks).order_by(), known)
    places = places.select_related("contact").prefetch_related(
        Prefetch("contact__email_addresses", EmailAddress.objects.filter(is_primary=True).order_by())
    )
    found = {place.pk: place for place in places}
    in_order = [found[pk] for pk in pks if pk in found]
    load_ways(place.contact for place in in_order)
    teller = elsewhere.teller()
    words = teller.words(request, contact_list, known, in_order) if teller and known else {}
    return [(place, words.get(place.pk, [])) for place in in_order]


def chips(counted: Tally, shown: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The filters above the table, in groups: whom we may write to, and who stands how at each service."""
    everybody = [("", "Everybody", counted.members), (REACHABLE, "May be written to", counted.reachable)]
    everybody.append((UNREACHABLE, "Cannot be written to", counted.members - counted.reachable))
    yield "", [chip(*one, shown) for one in everybody]
    for service in counted.known:
        yield service.label, [chip(*one, shown) for one in of_service(service, counted)]


def of_service(service: Service, counted: Tally) -> Iterator[tuple[str, str, int]]:
    """(what the address says, words, how many): there, on the way, not there, and the reasons why."""
    teller, standings = elsewhere.teller(), counted.services[service.key]
    missing = {code: n for code, n in standings.items() if code not in (THERE, MOVING)}
    yield f"{service.key}:{THERE}", f"At {service.label}", standings.get(THERE, 0)
    if moving := standings.get(MOVING):
        yield f"{service.key}:{MOVING}", "On the way", moving
    yield f"{service.key}:{MISSING}", f"Not at {service.label}", sum(missing.values())
    for code, n in sorted(missing.items(), key=lambda pair: (-pair[1], pair[0])):
        if teller:
            yield f"{service.key}:{code}", teller.title(service, code), n


def chip(show: str, words: str, count: int, shown: str) -> dict[str, Any]:
    """One filter; a reason is shown smaller than what it is a reason for. What the card of each service says anyway is
    no tile above it."""
    standing = show.partition(":")[2]
    is_reason = bool(standing) and standing not in (THERE, MOVING, MISSING)
    return {
        "show": show, "words": words, "count": count, "on": show == shown, "is_reason": is_reason,
        "is_tile": bool(show) and not standing,
    }  # fmt: skip


# --- the buttons ---


def button(view: Callable[..., str | HttpResponse]) -> Callable[..., HttpResponse]:
    """A POST by somebody who may change lists, on a list of this tenant; then back to the page it came from."""

    @wraps(view)
    def pressed(request: HttpRequest, list_pk: int, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        require(request, CHANGE, AREA)
        contact_list = get_object_or_404(ContactList, pk=list_pk)
        answer = view(request, contact_list, **kwargs)
        if isinstance(answer, HttpResponse):
            return answer
        if answer:
            messages.success(request, answer)
        back = redirect("admin:contacts_contactlist_change", list_pk)
        back["Location"] += f"?{request.GET.urlencode()}#members" if request.GET else "#members"
        return back

    return pressed


@button
def add(request: HttpRequest, contact_list: ContactList) -> str:
    """Put these contacts on the list."""
    form = AddMembersForm(request.POST)
    if not form.is_valid() or len(request.POST.getlist("contact")) > MOST_AT_ONCE:
        messages.error(request, "Choose a contact first." if not form.is_valid() else TOO_MANY)
        return ""
    chosen = form.cleaned_data["contact"]
    names, count = sorted(map(str, chosen)), len(chosen)
    added = services.add_to_list(contact_list, chosen)
    if count == 1:
        return f"{names[0]} {'is' if added else 'was'} on “{contact_list}” {'now' if added else 'already'}."
    here = f" {count - added:,} {'was' if count - added == 1 else 'were'} there already." if added < count else ""
    return f"{added:,} {'contact is' if added == 1 else 'contacts are'} new on “{contact_list}”.{here}"


TOO_MANY = f"At most {MOST_AT_ONCE} at once; choose more on the page of contacts, with “Add to a list”."


@button
def take_off(request: HttpRequest, contact_list: ContactList, pk: int) -> str:
    """Take one member off."""
    membership = get_object_or_404(contact_list.memberships.select_related("contact"), pk=pk)
    membership.delete()
    return f"{membership.contact} is off “{contact_list}”."


@button
def take_off_chosen(request: HttpRequest, contact_list: ContactList) -> str | HttpResponse:
    """Take off those who were ticked: first a page that says what it means, then, confirmed, for good."""
    pks = [pk for pk in request.POST.getlist("place") if is_number(pk)][:MOST_AT_ONCE]
    contacts = Contact.objects.filter(pk__in=contact_list.memberships.filter(pk__in=pks).values("contact"))
    if not contacts.exists():
        messages.error(request, "Tick the people to take off first.")
        return ""
    if request.POST.get("confirmed") == "yes":
        count = services.take_off_list(contact_list, contacts)
        return f"{count:,} {'contact is' if count == 1 else 'contacts are'} off “{contact_list}”."
    context = {"original": contact_list, "contacts": contacts, "places": pks}
    return render_page(request, "admin/contacts/list_after_take_off.html", "Take off the list", context)


@button
def do_not_contact(request: HttpRequest, contact_list: ContactList, pk: int) -> str:
    """Set or clear Do Not Contact for this list (L7); the form says which, so that pressing twice does no harm."""
    membership = get_object_or_404(contact_list.memberships.select_related("contact"), pk=pk)
    if request.POST.get("value") not in ("set", "clear"):
        return ""
    membership.do_not_contact = request.POST["value"] == "set"
    membership.save()
    verb = "gets nothing more" if membership.do_not_contact else "may be written to again"
    return f"{membership.contact} {verb} through “{contact_list}”."


@button
def position(request: HttpRequest, contact_list: ContactList, pk: int) -> str:
    """What somebody is on a committee."""
    membership = get_object_or_404(contact_list.memberships.select_related("contact"), pk=pk)
    membership.position = Truncator(request.POST.get("position", "").strip()).chars(LONGEST_POSITION or 100)
    membership.save()
    return f"{membership.contact} is {membership.position or 'a member'} now."
