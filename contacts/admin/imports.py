"""The pages of imports: the list of them, one page for each import whatever it is doing, and its buttons."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from contacts.admin import import_columns, import_shown
from contacts.admin.history import local
from contacts.exporting.download import download, log_export, require_export
from contacts.importing import report, sorts, steps
from contacts.importing.trouble import Unreadable
from contacts.models import Export, Import
from contacts.tenancy.admin import ReadOnlyTenantAdmin
from contacts.tenancy.roles import CHANGE, SEE, is_allowed, require
from contacts.tenancy.views import render_page

AREA = "contacts"
TOO_LATE = "Somebody did that already, or the import has moved on. This is how it stands now."
STATE_LOOKS = {Import.State.DONE: "al-good", Import.State.READY: "al-warn", Import.State.FAILED: "al-bad"}
CHOOSER = {
    "id": "im-file", "required": True, "aria-describedby": "im-file-help",
    "accept": ".csv,.tsv,.txt,.xlsx,.xls,.xlsm,.xlsb,.ods,text/csv,text/plain",
}  # fmt: skip
View = Callable[..., HttpResponseBase]


def import_or_404(uid: Any) -> Import:
    """The active organization's import with this uid."""
    found = Import.objects.select_related("user", "undone_by").filter(uid=uid).first()
    if found is None:
        raise Http404
    return found


def seen(request: HttpRequest, uid: Any) -> Import:
    """The same, for somebody who may see what it brings in."""
    data_import = import_or_404(uid)
    require(request, SEE, sorts.of(data_import).area)
    return data_import


def to_page(data_import: Import) -> HttpResponse:
    return redirect("admin:contacts_import_page", data_import.uid)


def press(view: View) -> View:
    """A button of an import: a POST by somebody who may change what it brings in."""

    @wraps(view)
    def pressed(request: HttpRequest, uid: Any) -> HttpResponseBase:
        data_import = import_or_404(uid)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        require(request, CHANGE, sorts.of(data_import).area)
        return view(request, data_import)

    return pressed


def button(step: Callable[..., bool], done: str = "", with_user: bool = False) -> View:
    """A button that takes one step, and says so when it came too late."""

    @press
    def pressed(request: HttpRequest, data_import: Import) -> HttpResponseBase:
        if not (step(data_import, request.user) if with_user else step(data_import)):
            messages.warning(request, TOO_LATE)
        elif done:
            messages.success(request, done)
        return to_page(data_import)

    return pressed


def start(request: HttpRequest) -> HttpResponse:
    """Choose a file; when it has come, its columns are shown."""
    asked = sorts.known(request.POST.get("kind") or request.GET.get("kind", ""))
    require(request, CHANGE, asked.area)
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if getattr(request, "upload_is_too_large", False):
            problem = steps.too_large(settings.IMPORT_MAX_MB * 2**20 + 1)
        elif file is None:
            problem = "Choose a file first. If it was large, the connection may have broken off: try once more."
        else:
            try:
                return to_page(steps.start(file, request.user, request.POST.get("kind", "")))  # type: ignore[arg-type]
            except Unreadable as why:
                problem = f"{file.name}: {why}"
    context = {
        "problem": problem, "most": settings.IMPORT_MAX_MB, "samples": samples(),
        "sorts": [sort for sort in sorts.all_sorts() if is_allowed(request, CHANGE, sort.area)], "kind": asked.key,
        "chooser": UnfoldAdminFileFieldWidget().render("file", None, CHOOSER),
    }  # fmt: skip
    return render_page(
        request, "admin/contacts/imports/start.html", "Start an import", context, status=400 if problem else 200
    )


def sample_file(sort: sorts.Sort) -> Path | None:
    """The demo's file of this sort, where there is one."""
    file = Path(settings.SAMPLE_IMPORT_FILE) if settings.SAMPLE_IMPORT_FILE else None
    if file and sort.sample:
        file = file.with_name(sort.sample)
    return file if file and file.is_file() else None


def samples() -> list[sorts.Sort]:
    """Of what there is such a file."""
    return [sort for sort in sorts.all_sorts() if sample_file(sort)]


def sample(request: HttpRequest) -> HttpResponseBase:
    """Download it."""
    sort = sorts.known(request.GET.get("kind", ""))
    require(request, SEE, sort.area)
    file = sample_file(sort)
    if file is None:
        raise Http404
    return FileResponse(file.open("rb"), as_attachment=True, filename=sort.sample or "sample-import.csv")


def page(request: HttpRequest, uid: Any) -> HttpResponseBase:
    """One import: columns to be matched, progress, preview, report, or the question before it is taken back."""
    data_import = seen(request, uid)
    if data_import.state == Import.State.UPLOADED:
        return import_columns.show(request, data_import)
    may_change = is_allowed(request, CHANGE, sorts.of(data_import).area)
    context = import_shown.context(request, data_import) | {"may_change": may_change}
    template = "admin/contacts/imports/page.html"
    return render_page(request, template, f"Import of {data_import.file_name}", context)


def progress(request: HttpRequest, uid: Any) -> HttpResponseBase:
    """What the page asks for every second while something moves; when the import has moved on, the page loads anew."""
    data_import = seen(request, uid)
    if request.GET.get("was") != data_import.state:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render_page(request, "admin/contacts/imports/progress.html", "", import_shown.moving(data_import))


@press
def read_again(request: HttpRequest, data_import: Import) -> HttpResponseBase:
    """Another encoding, sheet or row of headings."""
    number = request.POST.get("header", "")
    header = int(number) if number.isdecimal() and len(number) < 6 else None
    try:
        done = steps.read_again(data_import, request.POST.get("encoding", ""), request.POST.get("sheet", ""), header)
    except Unreadable as why:
        messages.error(request, str(why))
        return to_page(data_import)
    (messages.success if done else messages.warning)(request, "The file was read again." if done else TOO_LATE)
    return to_page(data_import)


@press
def check(request: HttpRequest, data_import: Import) -> HttpResponseBase:
    """The columns are matched: have every row looked at."""
    if data_import.state != Import.State.UPLOADED:
        messages.warning(request, TOO_LATE)
        return to_page(data_import)
    chosen, options, problems = import_columns.sent(request, data_import)
    if problems:
        return import_columns.show(request, data_import, chosen, options, problems)
    if not steps.match(data_import, chosen, options):
        messages.warning(request, TOO_LATE)
    return to_page(data_import)


def download_report(request: HttpRequest, uid: Any) -> HttpResponseBase:
    """The file as it came, with what became of each row. A POST, because the log of exports takes note of it."""
    data_import = seen(request, uid)
    require_export(request)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = Export.Form.XLSX if request.POST.get("form") == Export.Form.XLSX else Export.Form.CSV
    shown = import_shown.chosen(request)
    rows = import_shown.filtered(data_import, shown)
    header = report.header(data_import)
    what = f"Report of the import of {data_import.file_name}"
    export = log_export(request, Export.Kind.REPORT, what, header, import_shown.LABELS.get(shown, ""), form)
    name = f"import-{data_import.pk}-{timezone.localtime():%Y-%m-%d-%H%M}"
    return download(export, name, header, report.pages(export.tenant, data_import, rows))


@admin.register(Import)
class ImportAdmin(ReadOnlyTenantAdmin):
    """Every import there was, the newest first."""

    area = AREA
    list_display = ["file", "brings", "when", "who", "what_became", "standing"]
    list_display_links = ["file"]
    list_select_related = ["user"]
    list_filter = [("state", ChoicesDropdownFilter)]
    list_before_template = "admin/contacts/imports/before.html"
    search_fields = ["file_name"]
    search_help_text = "Name of the file"
    empty_sentence = (
        "An import reads a CSV or Excel file, shows row by row what would happen, and writes nothing until you confirm."
    )
    fields = ["file_name"]
    ordering = ["-created_at", "-pk"]

    def get_urls(self) -> list[Any]:
        """Ours come first: Django's own would take them for numbers of rows."""
        wrap = self.admin_site.admin_view
        pages: list[tuple[str, Any, str]] = [
            ("start/", start, "start"),
            ("sample/", sample, "sample"),
            ("<uuid:uid>/", page, "page"),
            ("<uuid:uid>/progress/", progress, "progress"),
            ("<uuid:uid>/report/", download_report, "report"),
            ("<uuid:uid>/read-again/", read_again, "read_again"),
            ("<uuid:uid>/check/", check, "check"),
            ("<uuid:uid>/columns/", button(steps.back_to_columns), "columns"),
            ("<uuid:uid>/confirm/", button(steps.confirm, with_user=True), "confirm"),
            ("<uuid:uid>/cancel/", button(steps.cancel, "The import was cancelled. Nothing was changed."), "cancel"),
            ("<uuid:uid>/look-back/", button(steps.look_back), "look_back"),
            ("<uuid:uid>/take-back/", button(steps.take_back, with_user=True), "take_back"),
            ("<uuid:uid>/leave/", button(steps.leave_it, "The import stays as it is."), "leave"),
            ("<uuid:uid>/again/", button(steps.try_again), "again"),
        ]
        ours = [path(route, wrap(view), name=f"contacts_import_{name}") for route, view, name in pages]
        return ours + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        """Those that brought in what this person may see."""
        hidden = [sort.key for sort in sorts.all_sorts() if not is_allowed(request, SEE, sort.area)]
        return super().get_queryset(request).exclude(kind__in=hidden)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_import = any(is_allowed(request, CHANGE, sort.area) for sort in sorts.all_sorts())
        extra = {"may_import": may_import, "samples": samples()}
        return super().changelist_view(request, (extra_context or {}) | extra)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """An import has a page of its own."""
        found = self.get_object(request, object_id) if object_id and request.method == "GET" else None
        return to_page(found) if found else super().changeform_view(request, object_id, form_url, extra_context)

    @display(description="File", ordering="file_name")
    def file(self, data_import: Import) -> str:
        return data_import.file_name

    @display(description="Brings in", ordering="kind")
    def brings(self, data_import: Import) -> str:
        return sorts.of(data_import).title

    @display(description="Started", ordering="created_at")
    def when(self, data_import: Import) -> str:
        return local(data_import.created_at)

    @display(description="By")
    def who(self, data_import: Import) -> str:
        return str(data_import.user or "Somebody who is not here any more")

    @display(description="Rows")
    def what_became(self, data_import: Import) -> str:
        return import_shown.in_short(data_import)

    @display(description="State", ordering="state")
    def standing(self, data_import: Import) -> str:
        looks = STATE_LOOKS.get(Import.State(data_import.state), "")
        return format_html('<span class="al-badge {}">{}</span>', looks, data_import.get_state_display())
