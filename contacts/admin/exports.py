"""The page that asks which columns to export, and the log of who took what out when."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import path
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from contacts.admin.history import local
from contacts.exporting.columns import Column, groups
from contacts.exporting.download import require_export
from contacts.exporting.pages import export_rows
from contacts.exporting.sources import Contacts, Source, asked_for
from contacts.models import Contact, Export
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.roles import CHANGE, is_allowed
from contacts.tenancy.views import render_page

FORMS = [
    (Export.Form.XLSX, "Excel", "Postal codes and phone numbers stay as they are. Right for most people."),
    (Export.Form.CSV, "CSV", "Plain text that every other program reads."),
]


class ExportForm(forms.Form):
    """Which columns, and what kind of file."""

    form = forms.ChoiceField(choices=Export.Form.choices)
    column = forms.MultipleChoiceField(error_messages={"required": "Tick at least one column."})

    def __init__(self, columns: list[Column], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns
        free = [(column.heading, column.heading) for column in columns if not column.is_always]
        self.fields["column"].choices = free  # type: ignore[attr-defined]

    def chosen(self) -> list[Column]:
        """In the order of the file, with those that cannot be left out."""
        ticked = set(self.cleaned_data["column"])
        return [column for column in self.columns if column.is_always or column.heading in ticked]


def new(request: HttpRequest) -> HttpResponseBase:
    """Ask; on POST, the file. Opening the page takes nothing out."""
    require_export(request)
    data = request.POST if request.method == "POST" else request.GET
    source = asked_for(request, data)
    # Rows that were ticked on a list page come by POST as well; the answer to this page's question says so.
    form = ExportForm(source.columns(), data if request.method == "POST" and "form" in data else None)
    if form.is_bound and form.is_valid():
        return export_rows(request, source, form.chosen(), form.cleaned_data["form"])
    return ask(request, source, form)


def ask(request: HttpRequest, source: Source, form: ExportForm) -> HttpResponse:
    """The page, ticked as this person ticked it the last time."""
    last = Export.objects.filter(user=request.user, kind=source.kind).first()
    preset = request.GET.get("columns")
    if form.is_bound:
        ticked = set(form.data.getlist("column"))  # type: ignore[attr-defined]
    elif preset == "all":
        ticked = {column.heading for column in form.columns}
    elif preset == "usual" or last is None:
        ticked = {column.heading for column in form.columns if column.is_usual}
    else:
        ticked = set(last.columns)
    context = {
        "opts": Export._meta,
        "source": source,
        "count": source.rows.count(),
        "noun": source.noun,
        "groups": groups(form.columns),
        "ticked": ticked,
        "forms": FORMS,
        "form": form,
        "chosen_form": form.data.get("form") or (last.form if last else Export.Form.XLSX),
        "hidden": [("what", source.kind), ("query", source.query.urlencode()), *(("pk", pk) for pk in source.chosen)],
        "all_columns": with_columns(request, source, "all"),
        "usual_columns": with_columns(request, source, "usual"),
    }
    return render_page(request, "admin/contacts/export.html", f"Export {source.title}", context)


def with_columns(request: HttpRequest, source: Source, which: str) -> str:
    """The address of this page with other columns ticked; none where rows were chosen by hand, which are many."""
    if source.chosen:
        return ""
    query = QueryDict(mutable=True)
    query.update({"what": source.kind, "query": source.query.urlencode(), "columns": which})
    return f"?{query.urlencode()}"


class ExportAction:
    """Mixed into the admin of contacts: export those that are ticked."""

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may take rows out."""
        return is_allowed(request, CHANGE, "exports")

    @admin.action(description="Export", permissions=["export"])
    def export_contacts(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse:
        """The page that asks for the columns; everybody who matches is named by the search, not one by one."""
        everybody = request.POST.get("select_across") == "1"
        chosen = [] if everybody else list(queryset.order_by().values_list("pk", flat=True))
        source = Contacts(request, request.GET.copy(), chosen)
        return ask(request, source, ExportForm(source.columns()))


@admin.register(Export)
class ExportAdmin(ReadOnlyTenantAdmin):
    """Who took what out when."""

    area = "exports"
    list_before_template = "admin/contacts/exports_before.html"
    list_display = ["when", "who", "what_it_was", "filters", "number", "file"]
    list_display_links = ["when"]
    list_filter = [("kind", ChoicesDropdownFilter), ("form", ChoicesDropdownFilter)]
    search_fields = ["actor_label", "what", "chosen"]
    search_help_text = "Who exported, or what"
    empty_sentence = "Each download of contacts, ledgers and reports will be noted here: who, when, what, how many."
    fields = ["when", "who", "what_it_was", "filters", "number", "file", "headings"]
    readonly_fields = fields
    ordering = ["-at", "-pk"]

    def get_urls(self) -> list[Any]:
        return [path("new/", self.admin_site.admin_view(new), name="contacts_export_new"), *super().get_urls()]

    @display(description="When", ordering="at")
    def when(self, export: Export) -> str:
        return local(export.at)

    @display(description="Who", ordering="actor_label")
    def who(self, export: Export) -> str:
        return export.actor_label

    @display(description="What", ordering="what")
    def what_it_was(self, export: Export) -> str:
        return export.what[:1].upper() + export.what[1:]

    @display(description="Filtered by")
    def filters(self, export: Export) -> str:
        return export.chosen or "Everything"

    @display(description="Rows", ordering="rows")
    def number(self, export: Export) -> str:
        return "Not finished" if export.rows is None else f"{export.rows:,}"

    @display(description="File", ordering="form")
    def file(self, export: Export) -> str:
        return export.get_form_display()

    @display(description="Columns")
    def headings(self, export: Export) -> str:
        return ", ".join(map(str, export.columns))
