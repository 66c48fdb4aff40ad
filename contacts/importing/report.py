"""The report of an import as a file: the columns as they came, what became of each row, and what to do. It can be
corrected and uploaded again: its own columns are known, and people are found by the id in the last one."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from contacts.importing import sorts
from contacts.importing.columns import OUR_ID, OUTCOME, TO_DO
from contacts.importing.repeats import repeated_by
from contacts.importing.words import outcome, repeats
from contacts.models import Import, ImportRow, Tenant
from contacts.tenancy.walls import in_tenant

PAGE = 500


def their_columns(data_import: Import) -> list[int]:
    """The columns of the file, without those of an earlier report."""
    ours = (OUTCOME, TO_DO, OUR_ID)
    return [index for index, one in enumerate(data_import.columns) if one.get("header") not in ours]


def header(data_import: Import) -> list[str]:
    """The row of headings."""
    return [data_import.columns[index]["header"] for index in their_columns(data_import)] + [OUTCOME, TO_DO, OUR_ID]


def pages(tenant: Tenant, data_import: Import, rows: QuerySet[Any]) -> Iterator[list[list[Any]]]:
    """The rows, page by page. The organization is entered for each page: see `contacts.exporting.pages`."""
    theirs, after = their_columns(data_import), -1
    while True:
        with in_tenant(tenant):
            page = list(rows.filter(number__gt=after).order_by("number")[:PAGE])
            firsts = repeated_by(data_import, page) if sorts.of(data_import).tells_repeats else {}
        if not page:
            return
        yield [
            [
                *(row.cells[index] if index < len(row.cells) else "" for index in theirs),
                outcome(data_import, row), what_to_do(row, firsts.get(row.number)), kept_id(row),
            ]
            for row in page
        ]  # fmt: skip
        after = page[-1].number


def what_to_do(row: ImportRow, first: int | None) -> str:
    """The reason for a refusal, the row that this one repeats, warnings, and what was kept when it was taken back."""
    repeated = f"{repeats(first)}." if first else ""
    return " ".join(filter(None, [row.reason, repeated, *row.warnings, row.undo_reason]))


def kept_id(row: ImportRow) -> str:
    """Our id of the contact, once there is one."""
    existed = row.outcome in (ImportRow.Outcome.UPDATE, ImportRow.Outcome.UNCHANGED)
    is_here = existed or row.state in (ImportRow.State.DONE, ImportRow.State.KEPT)
    return str(row.contact_uid) if row.contact_uid and is_here else ""
