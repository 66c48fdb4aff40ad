"""Saved filters of the list of contacts: a search with its filters under a name, one's own or everybody's."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse

from contacts.models import SavedFilter
from contacts.tenancy.changelist import is_number
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require

AREA = "contacts"
NOT_KEPT = {"p", "e", "all", "_popup", "_to_field", "_facets", "_changelist_filters"}
LONGEST = 1000
MOST_SHOWN = 200


class NameForm(forms.Form):
    """The name of a filter, and for whom it is."""

    name = forms.CharField(max_length=80)
    for_whom = forms.ChoiceField(choices=[("me", "Only me"), ("everybody", "Everybody")], required=False)

    def clean_name(self) -> str:
        """Single spaces."""
        return " ".join(self.cleaned_data["name"].split())


def meaning(query: str) -> str:
    """The part of an address that says what is searched, filtered and sorted, always in the same order."""
    pairs = sorted((key, value) for key, values in QueryDict(query).lists() for value in values)
    kept = QueryDict(mutable=True)
    for key, value in pairs:
        if value and key not in NOT_KEPT:
            kept.appendlist(key, value)
    return kept.urlencode()


def narrows(query: str) -> bool:
    """Whether it shows fewer than everybody; sorting alone does not."""
    return bool(set(QueryDict(query)) - {"o"})


def seen_by(request: HttpRequest) -> QuerySet[Any]:
    """One's own and everybody's."""
    return SavedFilter.objects.filter(Q(user=None) | Q(user=request.user))


def may_change(request: HttpRequest, one: SavedFilter) -> bool:
    """One's own, and everybody's if one may change contacts."""
    return one.user_id == request.user.pk or (one.user_id is None and is_allowed(request, CHANGE, AREA))


def shown(request: HttpRequest) -> dict[str, Any]:
    """What the row of saved filters needs."""
    query = meaning(request.GET.urlencode())
    rows = list(seen_by(request)[:MOST_SHOWN])
    for row in rows:
        row.is_on = row.query == query
        row.is_mine = row.user_id is not None
        row.may_change = may_change(request, row)
    return {
        "rows": rows, "query": query, "present": next((row for row in rows if row.is_on), None),
        "can_save": narrows(query) and not any(row.is_on for row in rows),
        "may_share": is_allowed(request, CHANGE, AREA),
    }  # fmt: skip


def addresses(wrap: Any) -> list[Any]:
    """The buttons, each a POST."""
    return [
        path("filters/save/", wrap(save), name="contacts_savedfilter_save"),
        path("filters/<path:object_id>/rename/", wrap(rename), name="contacts_savedfilter_rename"),
        path("filters/<path:object_id>/delete/", wrap(delete), name="contacts_savedfilter_delete"),
    ]


def save(request: HttpRequest) -> HttpResponse:
    """Keep what the page shows under a name."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require(request, SEE, AREA)
    query = meaning(request.POST.get("query", ""))
    form = NameForm(request.POST)
    if not narrows(query):
        messages.error(request, "Nothing was saved. Search or filter the contacts first, then save what you see.")
    elif len(query) > LONGEST:
        messages.error(request, "Nothing was saved: this search is too long to be kept. Use fewer filters.")
    elif not form.is_valid():
        messages.error(request, "Nothing was saved. Give the filter a name of at most 80 letters.")
    else:
        is_shared = form.cleaned_data["for_whom"] == "everybody"
        if is_shared:
            require(request, CHANGE, AREA)
        row = SavedFilter(
            name=form.cleaned_data["name"], query=query, user=None if is_shared else request.user  # type: ignore[misc]
        )  # fmt: skip
        if kept(row):
            messages.success(request, f"“{row}” is saved{' for everybody' if is_shared else ''}.")
        else:
            whose = "There is" if is_shared else "You have"
            messages.error(request, f"Nothing was saved. {whose} a saved filter “{row}” already; choose another name.")
    return back_to(query)


def rename(request: HttpRequest, object_id: str) -> HttpResponse:
    """Another name for a filter."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = one_to_change(request, object_id)
    form = NameForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed. Give the filter a name of at most 80 letters.")
        return back_to(row.query)
    row.name = form.cleaned_data["name"]
    if kept(row):
        messages.success(request, f"The filter is called “{row}” now.")
    else:
        messages.error(request, f"Nothing was changed. There is a saved filter “{row}” already; choose another name.")
    return back_to(row.query)


def delete(request: HttpRequest, object_id: str) -> HttpResponse:
    """Throw a filter away; the contacts stay."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = one_to_change(request, object_id)
    row.delete()
    messages.success(request, f"The filter “{row}” is gone. No contact was changed.")
    return back_to("")


def one_to_change(request: HttpRequest, object_id: str) -> SavedFilter:
    """A filter that this person sees; refused if it is everybody's and they may only look."""
    require(request, SEE, AREA)
    row = seen_by(request).filter(pk=object_id).first() if is_number(object_id) else None
    if row is None:
        raise Http404
    if not may_change(request, row):
        require(request, CHANGE, AREA)
    return row


def kept(row: SavedFilter) -> bool:
    """Save it, unless its name is taken."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        return False
    return True


def back_to(query: str) -> HttpResponse:
    """The list as it was."""
    page = reverse("admin:contacts_contact_changelist")
    return redirect(f"{page}?{query}" if query else page)


class SavedFilters:
    """Mixed into the admin of contacts: the row of saved filters above the list."""

    list_before_template = "admin/contacts/saved_filters.html"

    def get_urls(self) -> list[Any]:
        """With the buttons of the row."""
        return addresses(self.admin_site.admin_view) + super().get_urls()  # type: ignore[misc,attr-defined]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With what the row shows, on the page itself."""
        context = {**(extra_context or {})}
        if request.method == "GET" and is_allowed(request, SEE, AREA):
            context["saved_filters"] = shown(request)
        return super().changelist_view(request, context)  # type: ignore[misc]
