"""Every row of a source, page by page: a fixed number of queries for each page, and never more than one in memory."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from contacts.exporting.columns import Column
from contacts.exporting.download import download, log_export
from contacts.exporting.sources import Source
from contacts.models import Tenant
from contacts.models.recorded import chunks
from contacts.tenancy.walls import in_tenant

PAGE = 500


def export_rows(request: HttpRequest, source: Source, columns: Sequence[Column], form: str) -> StreamingHttpResponse:
    """Everything that the source has found, with these columns."""
    headings = [column.heading for column in columns]
    export = log_export(request, source.kind, source.title, headings, "; ".join(source.filters), form)
    name = f"{source.kind}-{timezone.localtime():%Y-%m-%d-%H%M}"
    return download(export, name, headings, pages_of(export.tenant, source, columns))


def pages_of(tenant: Tenant, source: Source, columns: Sequence[Column]) -> Iterator[list[list[Any]]]:
    """Who is in the file is asked once, at its beginning, and kept as bare numbers: whatever is changed meanwhile,
    nobody is in it twice or missed. What is said of them is read page by page, as it is then.

    The organization is entered for each page and left before it is handed out: between two pages, other code runs
    in this thread.
    """
    with in_tenant(tenant):
        pks = array("q", numbers(source.rows))
    for part in chunks(pks, PAGE):
        with in_tenant(tenant), timezone.override(tenant.tz):
            rows = source.read(part, columns, tenant.phone_region)
            page = [[column.read(row) for column in columns] for row in rows]
        yield page


def numbers(rows: QuerySet[Any]) -> Iterable[int]:
    """The primary keys, without building the rows."""
    return rows.values_list("pk", flat=True).iterator(chunk_size=5000)
