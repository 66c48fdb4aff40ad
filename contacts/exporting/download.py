"""Downloads of every kind: noted in the log before the first byte, counted after the last. Apps above use this too."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse

from contacts.exporting import csv_file, xlsx_file
from contacts.models import Export
from contacts.tenancy.acting import actor
from contacts.tenancy.roles import CHANGE, is_allowed
from contacts.tenancy.walls import in_tenant

WRITERS: dict[str, tuple[Callable[[list[str], csv_file.Pages], Iterator[bytes]], str]] = {
    Export.Form.CSV: (csv_file.csv_file, csv_file.CONTENT_TYPE),
    Export.Form.XLSX: (xlsx_file.xlsx_file, xlsx_file.CONTENT_TYPE),
}


def require_export(request: HttpRequest) -> None:
    """Refuse with a sentence unless this person may take rows out."""
    if not is_allowed(request, CHANGE, "exports"):
        raise PermissionDenied(
            "Your role here lets you look, but not take data out as a file. Ask an owner of your organization."
        )


def log_export(
    request: HttpRequest, kind: str, what: str, columns: Sequence[str], chosen: str = "", form: str = Export.Form.CSV
) -> Export:
    """Note a download that is about to begin; refused to those who may not export. Every way out leads through here."""
    require_export(request)
    user: Any = request.user
    export = Export(
        kind=kind, form=form, what=what[:200], chosen=chosen[:500], columns=list(columns), user=user,
        actor_label=actor().label[:250],
    )  # fmt: skip
    export.save()
    return export


def download(export: Export, filename: str, header: list[str], pages: csv_file.Pages) -> StreamingHttpResponse:
    """The answer with the file, in the form that the log says. The pages are read after the view has returned: they
    enter their own organization and time zone."""
    write, content_type = WRITERS[export.form]
    response = StreamingHttpResponse(write(header, counted(export, pages)), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}.{export.form}"'
    return response


def counted(export: Export, pages: csv_file.Pages) -> Iterator[list[list[Any]]]:
    """The pages; after the last one, the log learns how many rows there were."""
    count = 0
    for page in pages:
        rows = list(page)
        count += len(rows)
        yield rows
    with in_tenant(export.tenant):
        Export.objects.filter(pk=export.pk).update(rows=count)
