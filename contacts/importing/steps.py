"""The buttons of an import: start, match columns, confirm, cancel, take back. Each changes the state once, whoever
presses it how often; the work itself is done in turns by a job."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db import transaction
from django.utils import timezone

from contacts import jobs
from contacts.importing import intake, keeping, pieces, sorts
from contacts.importing.intake import Format
from contacts.importing.trouble import Unreadable
from contacts.models import Import, ImportKey, ImportPiece, ImportRow, User

State = Import.State
SAMPLES = 3  # shown of each column


def too_large(size: int) -> str:
    """A sentence if a file of this size cannot be taken."""
    if size <= settings.IMPORT_MAX_MB * 2**20:
        return ""
    return (
        f"The file is larger than {settings.IMPORT_MAX_MB} MB, which is the most that can be imported at once. Divide "
        "it into several files, each with its row of headings, or leave out columns that you do not need."
    )


def start(file: UploadedFile, user: User, kind: str = "contacts") -> Import:
    """Keep the file, look how it is read, and recognise its columns. Raises `Unreadable` with a sentence."""
    if problem := too_large(file.size or 0):
        raise Unreadable(problem)
    name = (file.name or "file").replace("\0", "")[-200:]
    sort = sorts.known(kind)
    how, found = look_at(sort, uploaded(file))  # a large spreadsheet takes seconds, in which nobody else should wait
    with transaction.atomic():
        data_import = Import.objects.create(
            user=user, kind=sort.key, file_name=name, format=how.as_json(), columns=found
        )
        file.seek(0)
        pieces.store(data_import, file.chunks())
    return data_import


def uploaded(file: UploadedFile) -> pieces.Opener:
    """Opens the file that has just come, as often as it is asked."""
    if isinstance(file, TemporaryUploadedFile):
        path = Path(file.temporary_file_path())
        return lambda: path.open("rb")
    content = file.read()
    return lambda: io.BytesIO(content)


def look_at(sort: sorts.Sort, open_file: pieces.Opener, *chosen: Any) -> tuple[Format, list[dict[str, Any]]]:
    """(how the file is read, its columns with the first things that stand in them)."""
    how = intake.examine(open_file, *chosen)
    rows = intake.samples(open_file, how)
    fields = sort.recognise(how.headings, rows, sort.choices())
    found = []
    for index, (heading, key) in enumerate(zip(how.headings, fields, strict=True)):
        cells = dict.fromkeys(row[index][:100] for row in rows if index < len(row) and row[index])
        found.append({"header": heading, "field": key, "samples": list(cells)[:SAMPLES]})
    return how, found


def read_again(data_import: Import, encoding: str, sheet: str, header: int | None) -> bool:
    """Read the file as somebody says. Returns whether it was still time for that."""
    if data_import.state != State.UPLOADED:
        return False
    how, found = look_at(sorts.of(data_import), pieces.opener(data_import), encoding, sheet, header)
    rows = Import.objects.filter(pk=data_import.pk, state=State.UPLOADED)
    return bool(rows.update(format=how.as_json(), columns=found))


@transaction.atomic
def match(data_import: Import, chosen: Sequence[str], options: dict[str, Any]) -> bool:
    """The columns are these; have every row looked at. Returns False if it has been asked for already."""
    row = Import.objects.select_for_update(no_key=True).get(pk=data_import.pk)
    if row.state != State.UPLOADED:
        return False
    row.columns = [one | {"field": key} for one, key in zip(row.columns, chosen, strict=True)]
    row.options = options
    row.counts, row.rows_total, row.rows_done, row.error = {}, 0, 0, ""
    go(row, State.CHECKING)
    return True


@transaction.atomic
def back_to_columns(data_import: Import) -> bool:
    """Match the columns anew: what was planned is forgotten."""
    row = Import.objects.select_for_update(no_key=True).get(pk=data_import.pk)
    if row.confirmed_at or row.state not in (State.CHECKING, State.READY, State.FAILED):
        return False
    forget_plans(row)
    row.state, row.token, row.error = State.UPLOADED, "", ""
    row.save()
    return True


@transaction.atomic
def confirm(data_import: Import, user: User) -> bool:
    """Import what the preview shows. Returns False if somebody has confirmed or cancelled it."""
    row = Import.objects.select_for_update(no_key=True).get(pk=data_import.pk)
    if row.state != State.READY:
        return False
    row.user, row.confirmed_at, row.rows_done = user, timezone.now(), 0
    row.counts = {"planned": row.counts}
    go(row, State.APPLYING)
    return True


@transaction.atomic
def cancel(data_import: Import) -> bool:
    """Forget it; nothing of it has been written."""
    row = Import.objects.select_for_update(no_key=True).get(pk=data_import.pk)
    if row.confirmed_at or row.state not in (State.UPLOADED, State.CHECKING, State.READY, State.FAILED):
        return False
    forget_plans(row)
    ImportPiece.objects.filter(data_import=row).delete()
    row.state, row.token, row.finished_at = State.CANCELLED, "", timezone.now()
    row.save()
    return True


@transaction.atomic
def look_back(data_import: Import) -> bool:
    """Look at what could be taken back, and show it."""
    row = Import.objects.select_for_update(no_key=True).get(pk=data_import.pk)
    if row.state != State.DONE or not keeping.may_be_taken_back(row):
        return False
    ImportRow.objects.filter(data_import=row).exclude(undo="").update(undo="", undo_reason="")
    row.counts["undo"], row.counts["undo_people"], row.rows_done = {}, {}, 0
    go(row, State.WEIGHING)
    return True


@transaction.atomic
def take_back(data_import: Import, user: User) -> bool:
    """Take it back, as it was shown."""
    row = Import.objects.select_for_update(no_key=True).get(pk=data_import.pk)
    if row.state != State.ASKING or not keeping.may_be_taken_back(row):  # its rows may be gone by now
        return False
    row.undone_by, row.rows_done, row.counts["undo"] = user, 0, {}
    go(row, State.UNDOING)
    return True


@transaction.atomic
def leave_it(data_import: Import) -> bool:
    """Do not take it back after all."""
    row = Import.objects.select_for_update(no_key=True).get(pk=data_import.pk)
    if row.state not in (State.WEIGHING, State.ASKING):
        return False
    row.state, row.token = State.DONE, ""
    row.save()
    return True


@transaction.atomic
def try_again(data_import: Import) -> bool:
    """Go on where it stopped."""
    row = Import.objects.select_for_update(no_key=True).get(pk=data_import.pk)
    stopped_in = row.options.get("stopped_in", "")
    if row.state != State.FAILED or stopped_in not in Import.AT_WORK:
        return False
    row.error, row.failures = "", 0
    go(row, stopped_in)
    return True


def go(data_import: Import, state: str) -> None:
    """Into this state, and ring for somebody to work on it."""
    data_import.state, data_import.token, data_import.beat_at = state, "", timezone.now()
    data_import.failures = 0
    data_import.save()
    jobs.soon("carry_on_import", data_import.pk)


def forget_plans(data_import: Import) -> None:
    """What the check has written down."""
    ImportRow.objects.filter(data_import=data_import).delete()
    ImportKey.objects.filter(data_import=data_import).delete()
    data_import.counts, data_import.rows_total, data_import.rows_done = {}, 0, 0
