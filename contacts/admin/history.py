"""The history of every change, as a list for the whole organization and as a page for one contact or list."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from contacts.admin.whose import KnowsWhose, whose
from contacts.models import CustomValue, HistoryEntry, Household, Invitation, StaffMember, Tenant
from contacts.models.household import PLACE
from contacts.models.recorded import Recorded
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.roles import SEE, require
from contacts.tenancy.views import render_page

PER_PAGE = 50


def kinds() -> dict[str, type[models.Model]]:
    """{kind of row as entries call it: its model}."""
    recorded = {str(m._meta.verbose_name): m for m in apps.get_models() if issubclass(m, Recorded)}
    return {
        **recorded,
        "organization settings": Tenant,
        "place in the organization": StaffMember,
        "invitation": Invitation,
        PLACE: Household,
    }


def changes_in_words(entry: HistoryEntry) -> Iterator[tuple[str, str, str]]:
    """(what, before, after) of each field that says something to a person; links to other rows are in the label."""
    model = kinds().get(entry.what)
    for name, (before, after) in entry.changes.items():
        try:
            field: Any = model._meta.get_field(name) if model else None
        except FieldDoesNotExist:  # a field of an earlier version
            field = None
        if field is not None and (field.is_relation or not field.editable):
            continue
        old, new = in_words(field, before), in_words(field, after)
        if entry.verb == HistoryEntry.Verb.ADDED and (not new or new == "no"):
            continue
        if entry.verb == HistoryEntry.Verb.DELETED and (not old or old == "no"):
            continue
        label = label_of_custom_field(entry) or str(field.verbose_name if field else name.replace("_", " "))
        yield label[:1].upper() + label[1:], old, new


def label_of_custom_field(entry: HistoryEntry) -> str:
    """The field's own name, for a value of one: “T-shirt size: M → L” says more than “Value: M → L”."""
    if entry.what != CustomValue._meta.verbose_name:
        return ""
    before, after = entry.changes.get("value", (None, None))
    value = f": {before if after is None else after}"
    return entry.label.removesuffix(value) if entry.label.endswith(value) else entry.label.partition(": ")[0]


def in_words(field: Any, value: Any) -> str:
    """A stored value as a person reads it."""
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.DateTimeField) and (moment := parse_datetime(str(value))):
        return local(moment)
    if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
        return date_format(day, "M j, Y") if (day := parse_date(str(value))) else str(value)
    return str(value)


def local(moment: datetime) -> str:
    """In the organization's time zone."""
    return date_format(timezone.localtime(moment), "M j, Y, H:i")


def changes_html(entry: HistoryEntry) -> str:
    """The changes, one a line: what, before → after."""
    lines = []
    for label, old, new in changes_in_words(entry):
        if old and new:
            value = format_html('<span class="al-was">{}</span> → {}', old, new)
        else:
            value = format_html("{}", new) if new else format_html('<span class="al-was">{}</span>', old)
        lines.append((label, value))
    return format_html('<div class="al-changes">{}</div>', format_html_join("", "<span><b>{}:</b> {}</span>", lines))


class HistoryPage:
    """Mixed into the admin of rows with a history: their own page instead of Django's log."""

    has_history = True
    history_by: ClassVar[tuple[str, str]]  # (field of the entry, field of the row)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Who did what when, newest first."""
        require(request, SEE, self.area)  # type: ignore[attr-defined]
        obj = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        of_entry, of_row = self.history_by
        entries = HistoryEntry.objects.filter(**{of_entry: getattr(obj, of_row)}).select_related("user")
        page = Paginator(entries, PER_PAGE).get_page(request.GET.get("p"))
        lines = [(entry, changes_html(entry)) for entry in page]
        context = {"opts": self.opts, "original": obj, "page": page, "lines": lines}  # type: ignore[attr-defined]
        return render_page(request, "admin/contacts/history.html", f"History of {obj}", context)


class WhatFilter(DropdownFilter):
    """By kind of row."""

    title, parameter_name = "what", "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.capitalize()) for name in sorted(kinds())]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(what=self.value()) if self.value() else queryset


@admin.register(HistoryEntry)
class HistoryEntryAdmin(KnowsWhose, ReadOnlyTenantAdmin):
    """Every change of every contact and list."""

    area = "contacts"
    rows_called = ("change", "changes")
    list_display = ["when", "what_happened", "name", "who", "details"]
    list_display_links = ["when"]
    list_filter = [("verb", ChoicesDropdownFilter), WhatFilter, ("by", ChoicesDropdownFilter)]
    search_fields = ["label", "actor_label"]
    empty_sentence = "Each change of a contact or list will be noted here by itself."
    search_help_text = "The name of a contact or list, or of who changed it"
    fields = ["when", "what_happened", "name", "who", "source", "details"]
    readonly_fields = ["when", "what_happened", "name", "who", "details"]
    ordering = ["-at", "-pk"]

    @display(description="When", ordering="at")
    def when(self, entry: HistoryEntry) -> str:
        return local(entry.at)

    @display(description="What happened")
    def what_happened(self, entry: HistoryEntry) -> str:
        return f"{entry.what.capitalize()} {entry.get_verb_display().lower()}"

    @display(description="Whose", ordering="label")
    def name(self, entry: HistoryEntry) -> str:
        return whose(entry, entry.label)

    @display(description="Who")
    def who(self, entry: HistoryEntry) -> str:
        return entry.actor_label

    @display(description="Changes")
    def details(self, entry: HistoryEntry) -> str:
        return changes_html(entry)
