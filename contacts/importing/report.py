"""The report of an import as a file: the columns as they came, what became of each row, and what to do. It can be
corrected and uploaded again: its own columns are known, and people are found by the id in the last one."""

import csv
from collections.abc import Iterator
from typing import Any

from contacts.exporting.cells import harmless
from contacts.importing.columns import OUR_ID, OUTCOME, TO_DO
from contacts.importing.words import outcome
from contacts.models import Import, ImportRow

PAGE = 1000


class _Line:
    """What csv wants to write to; the line is handed on."""

    def write(self, line: str) -> str:
        return line


def lines(data_import: Import, rows: Any) -> Iterator[str]:
    """Line after line, a page of rows at a time."""
    delimiter = data_import.format.get("delimiter", ",")
    writer = csv.writer(_Line(), delimiter=delimiter if delimiter in (",", ";", "\t", "|") else ",")
    headings = [one.get("header", "") for one in data_import.columns]
    ours = [index for index, heading in enumerate(headings) if heading in (OUTCOME, TO_DO, OUR_ID)]
    theirs = [index for index in range(len(headings)) if index not in ours]

    def line(cells: list[str]) -> str:
        return str(writer.writerow([harmless(cell) for cell in cells]))

    yield "\ufeff" + line([headings[index] for index in theirs] + [OUTCOME, TO_DO, OUR_ID])
    after = -1
    while page := list(rows.filter(number__gt=after).order_by("number")[:PAGE]):
        for row in page:
            cells = [row.cells[index] if index < len(row.cells) else "" for index in theirs]
            yield line([*cells, outcome(data_import, row), what_to_do(row), kept_id(row)])
        after = page[-1].number


def what_to_do(row: ImportRow) -> str:
    """The reason for a refusal, warnings, and what was kept when it was taken back."""
    return " ".join(filter(None, [row.reason, *row.warnings, row.undo_reason]))


def kept_id(row: ImportRow) -> str:
    """Our id of the contact, once there is one."""
    is_here = row.state == ImportRow.State.DONE or row.outcome in (
        ImportRow.Outcome.UPDATE,
        ImportRow.Outcome.UNCHANGED,
    )
    return str(row.contact_uid) if row.contact_uid and is_here else ""
