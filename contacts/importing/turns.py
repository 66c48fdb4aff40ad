"""The background work of imports, in turns of some seconds: check, apply, look at what can be taken back, take back.

What is done stands in the rows, written in the transaction of the work itself. So a turn may be killed at any moment,
and may be repeated: the next one begins behind the last row that is finished.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from contacts.importing import crowd as crowds
from contacts.importing import deciding, intake, pieces, sorts, writing
from contacts.importing.intake import Format
from contacts.importing.reading import Reader
from contacts.importing.repeats import count_repeats
from contacts.importing.trouble import Unreadable
from contacts.models import Import, ImportKey, ImportPiece, ImportRow
from contacts.models.recorded import chunks
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant

BATCH = 500
TURN_SECONDS = 15
LOST_AFTER = timedelta(seconds=60)  # a batch takes a second or two
SILENT_AFTER = timedelta(seconds=20)
MOST_FAILURES = 5
State, Outcome, Undo = Import.State, ImportRow.Outcome, ImportRow.Undo
STUCK = (
    "Something went wrong on our side, several times at the same place. What was done until then is kept. Try again."
)
UNWRITABLE = "The database did not take this row, most likely because somebody changed the same contact. Try it again."
ADDED_MEANWHILE = "Somebody added this contact after the preview was made, so they were changed instead."
SAME_MEANWHILE = "The same was changed here after the preview was made, so there was nothing left to do."


class TurnLost(RuntimeError):
    """Somebody else works on it now, or it was cancelled; whoever had it before must stop."""


@dataclass
class Hold:
    """The right to work on one import."""

    pk: int
    token: str

    @classmethod
    def take(cls, pk: int) -> "Hold | None":
        """The right, or None while somebody else has it."""
        token = str(uuid.uuid4())
        free = Q(token="") | Q(beat_at=None) | Q(beat_at__lt=Now() - LOST_AFTER)  # noqa: S106 - no password
        rows = Import.objects.filter(free, pk=pk, state__in=Import.AT_WORK)
        return cls(pk, token) if rows.update(token=token, beat_at=Now(), failures=F("failures") + 1) else None

    @contextmanager
    def batch(self, alone: bool = False) -> Iterator[Import]:
        """One transaction of work, lost as a whole or kept as a whole, with the progress it makes. `alone`: no other
        import of this organization writes at the same time, or each would add the same person."""
        with transaction.atomic():
            data_import = Import.objects.select_for_update(no_key=True).filter(pk=self.pk, token=self.token).first()
            if data_import is None:
                raise TurnLost
            if alone:
                Tenant.objects.select_for_update(no_key=True).get(pk=data_import.tenant_id)
            yield data_import
            data_import.failures, data_import.beat_at = 0, Now()
            data_import.save()

    def give_back(self) -> None:
        """Let the next one in."""
        Import.objects.filter(pk=self.pk, token=self.token).update(token="", beat_at=Now())


def waiting() -> list[int]:
    """Imports of every organization with work that nobody seems to do."""
    silent = Q(beat_at=None) | Q(beat_at__lt=Now() - SILENT_AFTER)
    rows = Import.objects.with_scopes_disabled().filter(silent, state__in=Import.AT_WORK)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def turn(pk: int, seconds: float = TURN_SECONDS) -> bool:
    """Work on an import for some seconds. Returns whether there is more to do."""
    tenants = Import.objects.with_scopes_disabled().filter(pk=pk).values_list("tenant", flat=True)
    tenant = Tenant.objects.filter(pk__in=tenants).first()
    if tenant is None:
        return False
    with in_tenant(tenant):
        hold = Hold.take(pk)
        if hold is None:
            return False
        data_import = Import.objects.select_related("user", "undone_by").get(pk=pk)
        if data_import.failures > MOST_FAILURES:
            stop(hold, STUCK)
            return False
        is_undoing = data_import.state == State.UNDOING
        user = data_import.undone_by if is_undoing else data_import.user
        source = data_import.undo_source if is_undoing else data_import.source
        with acting(By.STAFF, source, user):
            return work(hold, data_import, tenant, monotonic() + seconds)


def work(hold: Hold, data_import: Import, tenant: Tenant, until: float) -> bool:
    """Batch after batch, until the time is over or everything is done."""
    try:
        for _ in WORK[State(data_import.state)](hold, data_import, tenant):
            if monotonic() >= until:
                hold.give_back()
                return True
    except Unreadable as why:
        stop(hold, str(why))
    except TurnLost:
        pass
    return False


def stop(hold: Hold, why: str) -> None:
    """Give up, with a sentence; `stopped_in` says where to go on."""
    with transaction.atomic():
        data_import = Import.objects.select_for_update(no_key=True).filter(pk=hold.pk, token=hold.token).first()
        if data_import is not None:
            data_import.options["stopped_in"] = data_import.state
            data_import.state, data_import.error, data_import.token = State.FAILED, why[:300], ""
            data_import.save()


def end(hold: Hold, state: str, then: Callable[[Import], None] = lambda data_import: None) -> None:
    """This kind of work is done."""
    with hold.batch() as data_import:
        then(data_import)
        data_import.state, data_import.token = state, ""


# --- check ---


def check(hold: Hold, data_import: Import, tenant: Tenant) -> Iterator[None]:
    """Look at every row of the file, and write down what it would do."""
    how, open_file, sort = Format.kept(data_import.format), pieces.opener(data_import), sorts.of(data_import)
    reader = sort.reader(data_import, tenant)
    if not data_import.rows_total:
        total = sum(1 for _ in intake.rows(open_file, how))
        with hold.batch() as row:
            row.rows_total = total
        yield
    last = (
        ImportRow.objects.filter(data_import=data_import).order_by("-number").values_list("number", flat=True).first()
    )
    for part in chunks(intake.rows(open_file, how, after=last or 0), BATCH):
        with hold.batch() as row:
            sort.check_batch(row, reader, part)
        yield
    end(hold, State.READY, lambda row: forget(ImportKey, row))


def check_batch(data_import: Import, reader: Reader, part: Sequence[tuple[int, list[str]]]) -> None:
    """Some rows: decided on, written down, and made findable for the rows below."""
    wants = [reader.read(number, cells) for number, cells in part]
    crowd = crowds.gather(wants, planned=data_import)
    rows, keys, plans = [], [], []
    for want, (number, cells) in zip(wants, part, strict=True):
        plan = deciding.decide(want, crowd, reader, uuid.uuid4())
        plans.append(plan)
        rows.append(planned_row(data_import, plan, number, cells))
        if plan.known and any(key.startswith(("email", "phone", "id+", "custom_user_id")) for key in plan.changes):
            keys += [
                ImportKey(data_import=data_import, key=key, contact_uid=plan.known.uid)
                for key in sorted(crowds.keys_of(plan.known))
            ]
        count(data_import.counts, plan)
    count_repeats(data_import, part[0][0], plans)
    ImportRow.objects.bulk_create(rows)
    ImportKey.objects.bulk_create(keys)
    data_import.rows_done += len(rows)


def planned_row(data_import: Import, plan: deciding.Plan, number: int, cells: list[str]) -> ImportRow:
    """What is kept of a plan."""
    return ImportRow(
        data_import=data_import, number=number, cells=cells, label=plan.label, outcome=plan.outcome,
        reason=plan.reason, contact_uid=plan.uid, changes=plan.changes, warnings=plan.warnings,
        has_warnings=bool(plan.warnings),
    )  # fmt: skip


def count(counts: dict[str, Any], plan: deciding.Plan) -> None:
    """Add one row to the figures of the page."""

    def one_more(name: str, within: dict[str, Any] = counts) -> None:
        within[name] = within.get(name, 0) + 1

    one_more(plan.outcome)
    if plan.warnings:
        one_more("warnings")
    if "do_not_contact" in plan.changes:
        one_more("marked")
    if plan.known and plan.known.has_opted_out:
        one_more("opted_out")
    if plan.keeps_mark:
        one_more("kept_marks")
    if plan.outcome == Outcome.CREATE and not plan.known.addresses:  # type: ignore[union-attr]
        one_more("no_email")
    for key in plan.changes:
        if key.startswith("list+"):
            one_more(key.removeprefix("list+"), counts.setdefault("lists", {}))


# --- apply ---


def apply(hold: Hold, data_import: Import, tenant: Tenant) -> Iterator[None]:
    """Write every row, deciding anew with what is there now."""
    reader = sorts.of(data_import).reader(data_import, tenant)
    todo = ImportRow.objects.filter(data_import=data_import, state=ImportRow.State.PLANNED).order_by("number")
    while rows := list(todo[:BATCH]):
        apply_batch(hold, reader, rows)
        yield
    end(hold, State.DONE, finish)


def apply_batch(hold: Hold, reader: Any, rows: Sequence[ImportRow]) -> None:
    """All of these or none. What the database refuses is sought by halves, so that one row stops no other."""
    try:
        with hold.batch(alone=True) as data_import:
            sorts.of(data_import).apply_rows(data_import, reader, rows)
    except (IntegrityError, DataError):
        pks = [row.pk for row in rows]
        if len(pks) == 1:
            with hold.batch() as data_import:
                give_up_row(data_import, ImportRow.objects.get(pk=pks[0]))
            return
        for half in (pks[: len(pks) // 2], pks[len(pks) // 2 :]):  # read anew: the attempt has written into them
            apply_batch(hold, reader, list(ImportRow.objects.filter(pk__in=half).order_by("number")))


def apply_rows(data_import: Import, reader: Reader, rows: Sequence[ImportRow]) -> None:
    """Decide and write; the state of each row is committed with what it wrote."""
    wants = [reader.read(row.number, row.cells) for row in rows]
    crowd = crowds.gather(wants)
    plans: list[deciding.Plan] = []
    different: list[ImportRow] = []
    same: list[ImportRow] = []
    for row, want in zip(rows, wants, strict=True):
        was_new = row.outcome in (Outcome.CREATE, Outcome.REFUSED)
        plan = deciding.decide(want, crowd, reader, row.contact_uid or uuid.uuid4(), may_create=was_new)
        plans.append(plan)
        say_what_differs(row, plan)
        (same if keep_what_was_done(row, plan) else different).append(row)
        count(data_import.counts, plan)
    count_repeats(data_import, rows[0].number, plans)
    made = writing.write(writing.merged([(plan.known, plan.changes) for plan in plans if plan.known]))
    data_import.options["made_tags"] = [*data_import.options.get("made_tags", []), *made]
    ImportRow.objects.filter(pk__in=[row.pk for row in same]).update(state=ImportRow.State.DONE)
    fields = ["outcome", "reason", "contact_uid", "changes", "warnings", "has_warnings", "label", "state"]
    ImportRow.objects.bulk_update(different, fields, batch_size=100)
    data_import.rows_done += len(rows)


def say_what_differs(row: ImportRow, plan: deciding.Plan) -> None:
    """When something happened between preview and import, the row says so."""
    if row.outcome == Outcome.CREATE and plan.outcome in (Outcome.UPDATE, Outcome.UNCHANGED):
        plan.want.warn(ADDED_MEANWHILE)
    elif row.outcome == Outcome.UPDATE and plan.outcome == Outcome.UNCHANGED:
        plan.want.warn(SAME_MEANWHILE)


def keep_what_was_done(row: ImportRow, plan: deciding.Plan) -> bool:
    """Put into the row what really happened; returns whether that is what it said before."""
    before = (row.outcome, row.reason, row.contact_uid, row.changes, row.warnings)
    row.outcome, row.reason, row.contact_uid = plan.outcome, plan.reason, plan.uid
    row.changes, row.warnings, row.has_warnings = plan.changes, plan.warnings, bool(plan.warnings)
    row.label, row.state = plan.label, ImportRow.State.DONE
    return before == (row.outcome, row.reason, row.contact_uid, row.changes, row.warnings)


def give_up_row(data_import: Import, row: ImportRow) -> None:
    """One row that the database does not take."""
    row.outcome, row.reason, row.changes, row.contact_uid = Outcome.REFUSED, UNWRITABLE, {}, None
    row.state = ImportRow.State.DONE
    row.save()
    data_import.counts[Outcome.REFUSED] = data_import.counts.get(Outcome.REFUSED, 0) + 1
    data_import.rows_done += 1


def finish(data_import: Import) -> None:
    """Everything is written; the file itself is needed no more."""
    data_import.finished_at = timezone.now()
    forget(ImportPiece, data_import)


def forget(model: Any, data_import: Import) -> None:
    """Drop what is no longer needed."""
    model.objects.filter(data_import=data_import).delete()


# --- take back ---


def weigh(hold: Hold, data_import: Import, tenant: Tenant) -> Iterator[None]:
    """Look at what can be taken back, the last row first."""
    todo, sort = written(data_import).filter(undo=""), sorts.of(data_import)
    while rows := list(todo[:BATCH]):
        with hold.batch() as row:
            for one in sort.reverse(row, rows, lock=False):
                note_undo(row, one)
            ImportRow.objects.bulk_update(rows, ["undo", "undo_reason"])
            row.rows_done += len(rows)
        yield
    end(hold, State.ASKING, sort.count_undone)


def undo(hold: Hold, data_import: Import, tenant: Tenant) -> Iterator[None]:
    """Take it back, the last row first, judging anew with what is there now."""
    todo, sort = written(data_import).filter(state=ImportRow.State.DONE), sorts.of(data_import)
    while rows := list(todo[:BATCH]):
        with hold.batch(alone=True) as row:
            reverses = sort.reverse(row, rows, lock=True)
            sort.write_back(reverses)
            for one in reverses:
                note_undo(row, one)
                is_kept = one.undo == Undo.KEEP
                one.row.state = ImportRow.State.KEPT if is_kept else ImportRow.State.UNDONE
            ImportRow.objects.bulk_update(rows, ["undo", "undo_reason", "state"])
            row.rows_done += len(rows)
        yield
    end(hold, State.UNDONE, lambda row: sort.undone(row, tenant))


def written(data_import: Import) -> Any:
    """The rows that have changed anything, the last one first."""
    rows = ImportRow.objects.filter(data_import=data_import, outcome__in=[Outcome.CREATE, Outcome.UPDATE])
    return rows.order_by("-number")


def note_undo(data_import: Import, one: Any) -> None:
    """Into the row and the figures."""
    one.row.undo, one.row.undo_reason = one.undo, one.reason
    counts = data_import.counts.setdefault("undo", {})
    counts[one.undo] = counts.get(one.undo, 0) + 1


WORK: dict[str, Callable[[Hold, Import, Tenant], Iterator[None]]] = {
    State.CHECKING: check, State.APPLYING: apply, State.WEIGHING: weigh, State.UNDOING: undo,
}  # fmt: skip
