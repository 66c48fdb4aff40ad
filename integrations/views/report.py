"""The report of a run as a file, with the filters of the page. Like every export it is a POST, and noted in the log."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from contacts.exporting.download import download as send
from contacts.exporting.download import log_export, require_export
from contacts.models import Export
from contacts.tenancy.models import Tenant
from contacts.tenancy.roles import SEE
from contacts.tenancy.walls import in_tenant
from integrations.models import RunItem, SyncRun
from integrations.shown import show_items
from integrations.views.page import staff_page
from integrations.views.runs import filtered, run_or_404

PAGE = 1000
HEADER = ["Name", "Email address", "What", "Changes", "Outcome", "Reason", "What can be done", "Reason code"]
OF_A_CHECK = ["Difference"]  # stands last, so that the other columns are where they always are


@staff_page(SEE, ("POST",))
def download(request: HttpRequest, uid: Any) -> StreamingHttpResponse:
    """Everything that the page shows, on all its pages."""
    run = run_or_404(uid)
    require_export(request)
    service = str(run.connection)
    rows = filtered(request, run)
    when = timezone.localtime(run.created_at)
    what = f"Report of {service}, {when:%Y-%m-%d %H:%M}"
    chosen = "; ".join(f"{name}: {value}" for name, value in request.GET.items() if value and name != "page")
    header = HEADER + (OF_A_CHECK if run.kind == SyncRun.Kind.CHECK else [])
    export = log_export(request, Export.Kind.REPORT, what, header, chosen)
    name = f"{run.connection.provider}-{run.kind}-{when:%Y-%m-%d-%H%M}"
    pages = _pages(request.tenant, rows, service, len(header))  # type: ignore[attr-defined]
    return send(export, name, header, pages)


def _pages(tenant: Tenant, rows: "QuerySet[RunItem]", service: str, columns: int) -> Iterator[list[list[Any]]]:
    """By keyset, so that the last page costs no more than the first. The tenant is entered for each page and left
    before it is handed out: between two pages other code runs in this thread."""
    after = 0
    while True:
        with in_tenant(tenant):
            items = list(rows.filter(pk__gt=after).order_by("pk")[:PAGE])
            page = [_cells(shown)[:columns] for shown in show_items(items, service, linked=False)]
        if not items:
            return
        after = items[-1].pk
        yield page


def _cells(shown: Any) -> list[Any]:
    changes = "; ".join(map(str, shown.changes))
    reason = shown.reason
    return [
        shown.name, shown.row.address, shown.verb, changes, shown.row.get_state_display(),
        reason.sentence if reason else "", reason.remedy if reason else "", shown.row.reason_code,
        shown.found.label if shown.found else "",
    ]  # fmt: skip
