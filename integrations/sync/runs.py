"""Sync (L5): plan everybody, show it, and carry out what was shown and still holds, nothing more.

Planning goes page by page with its cursor in the same commit as its rows, so that a killed worker repeats nothing.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import ContactList, ListMembership
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.models.remote import Priority
from integrations.provider_kit.base import Policy
from integrations.provider_kit.states import Operation, Verb
from integrations.sync import adopting, brake, instep, namesakes, outbox, people, slices
from integrations.sync.giving_way import giving_way
from integrations.sync.outbox import sooner
from integrations.sync.planning import is_move, lists_left, signature

PAGE = 1000
SKIP = "skip"
LOOK = "look:"  # in the place of a cursor: the lists are planned, and the vendor is to be asked about them
ELSEWHERE = "another_account"  # in what a run has found: it was about an account that is not connected any more
MOVE = "move"  # from one place to another there, on the same lists (L24)
CAUSES = {SyncRun.Kind.SYNC: "Sync", SyncRun.Kind.CHECK: "Repair", SyncRun.Kind.UNDO: "Taking back"}
# The verb that stands for a row with several operations: the one that people most want to know of.
WEIGHT = [
    Verb.OPT_OUT, Verb.DISABLE, Verb.ASK, Verb.ENABLE, Verb.CREATE, Verb.UPDATE,
]  # fmt: skip


def start(
    connection: Connection, user: Any, new_settings: dict[str, Any] | None = None, kind: str = SyncRun.Kind.SYNC
) -> SyncRun:
    """A new run whose preview is being made; or the one that is under way: pressing twice never runs twice.

    A preview that was shown and not confirmed is replaced by a fresh one.
    """
    with transaction.atomic():
        unfinished = (
            SyncRun.objects.select_for_update().filter(connection=connection, state__in=SyncRun.UNFINISHED).first()
        )
        if unfinished is not None and unfinished.state != SyncRun.State.READY:
            return unfinished
        if unfinished is not None:
            finish(unfinished, SyncRun.State.CANCELLED, "Replaced by a newer preview.")
        try:
            with transaction.atomic():
                return SyncRun.objects.create(
                    connection=connection, started_by=user, new_settings=new_settings, kind=kind
                )
        except IntegrityError:  # somebody else pressed at the same moment
            return SyncRun.objects.get(connection=connection, state__in=SyncRun.UNFINISHED)


def cancel(run: SyncRun, user: Any) -> bool:
    """Cancel a preview, or stop a run: the rest is not sent. Returns whether there was anything to cancel.

    Changes that were due for themselves stay due; after a first Sync that was stopped they wait for the next one.
    """
    with transaction.atomic():
        changed = SyncRun.objects.filter(pk=run.pk, state__in=SyncRun.UNFINISHED).update(
            state=SyncRun.State.CANCELLED, finished_at=Now(), reason=f"Cancelled by {user}"[:300]
        )
        if changed:
            if SyncRun.objects.filter(pk=run.pk, is_first=True).exists():
                Connection.objects.filter(pk=run.connection_id, state=Connection.State.ACTIVE).update(
                    state=Connection.State.READY
                )
            RemoteRecord.objects.filter(run=run, priority=Priority.SYNC).update(due_at=None)
            RemoteRecord.objects.filter(run=run).update(run=None)
            run.items.filter(state=RunItem.State.SHOWN).update(
                state=RunItem.State.SKIPPED, reason=f"The {run.name} was cancelled."
            )
    return bool(changed)


def confirm(run: SyncRun, user: Any, chosen: Q | None = None) -> bool:
    """Start what the preview shows; with `chosen`, only those of its rows.

    Returns False if it was confirmed already, or is no longer the newest.
    """
    with transaction.atomic():
        won = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.READY).update(
            state=SyncRun.State.RUNNING, confirmed_at=Now(), started_by=user
        )
        if not won:
            return False
        connection = Connection.objects.select_for_update().get(pk=run.connection_id)
        if run.new_settings is not None:
            connection.settings = run.new_settings
        is_first = connection.state != Connection.State.ACTIVE
        connection.state = Connection.State.ACTIVE
        connection.save(update_fields=["settings", "state"])
        SyncRun.objects.filter(pk=run.pk).update(is_first=is_first)
        namesakes.take_over(run)
        shown = run.items.filter(state=RunItem.State.SHOWN)
        if chosen is not None:
            left = shown.exclude(pk__in=shown.filter(chosen).values("pk"))
            left.update(state=RunItem.State.SKIPPED, reason_code="not_chosen")
        RemoteRecord.objects.filter(pk__in=shown.values("record")).update(
            run=run, due_at=Now(), marked_at=Now(), priority=sooner(Priority.SYNC), brake_passed=False,
            cause=CAUSES[SyncRun.Kind(run.kind)], attempts=0, state=RemoteRecord.State.OK,
            **outbox.REASON_GONE,
        )  # fmt: skip
        # Lists go first, whatever else is due.
        RemoteRecord.objects.filter(run=run, kind=RemoteRecord.Kind.LIST).update(priority=Priority.LIST)
    return True


def policy_for(run: SyncRun) -> Policy:
    """The policy under which this run plans: the settings that it would bring in, else the present ones."""
    return slices.policy_of(run.connection, run.new_settings)


def plan_some(run: SyncRun, stop: Callable[[], bool], look: Callable[[SyncRun], None] = lambda run: None) -> None:
    """Go on making the preview until it is done or the sitting is over. `look` is for what only the vendor knows of the
    lists that are to be made; it writes nothing there."""
    while run.state == SyncRun.State.PLANNING and not stop():
        if run.cursor == LOOK:
            look(run)
            SyncRun.objects.filter(pk=run.pk, cursor=LOOK).update(cursor="people:0")
            run.refresh_from_db(fields=["cursor", "state"])
        else:
            run = giving_way(partial(plan_page, run.pk))


def plan_page(pk: int, phases: Mapping[str, Callable[[SyncRun, str], None]] | None = None) -> SyncRun:
    """The next page of a preview, with how far it is, within the transaction of whoever calls."""
    run = SyncRun.objects.select_for_update().select_related("connection").get(pk=pk)
    if run.state == SyncRun.State.PLANNING:
        phase, _, after = run.cursor.partition(":")
        of_a_sync = {"": begin, "note": note_page, "lists": plan_list_page, "people": plan_people_page}
        (phases or of_a_sync)[phase](run, after)
        run.save()
    return run


def begin(run: SyncRun, _: str) -> None:
    """Lists first: note each synchronized one."""
    uids = ContactList.objects.filter(synchronize=True).values_list("uid", flat=True)
    outbox.note(run.connection, RemoteRecord.Kind.LIST, uids)
    run.cursor = "note:0"


def note_page(run: SyncRun, after: str) -> None:
    """Make sure that everybody on a synchronized list has a row."""
    # Page over the memberships by their index and compare here: joined in SQL, PostgreSQL may choose to look at
    # everybody for everybody when its statistics are young.
    on_lists = ListMembership.objects.filter(contact_list__synchronize=True, contact__gt=int(after))
    page = dict(on_lists.order_by("contact").values_list("contact", "contact__uid")[: PAGE * 2])
    outbox.note(run.connection, RemoteRecord.Kind.CONTACT, page.values())
    run.cursor = f"note:{max(page)}" if page else "lists:"
    if not page:
        run.to_look_at = RemoteRecord.objects.filter(connection=run.connection, kind=RemoteRecord.Kind.CONTACT).count()


def plan_list_page(run: SyncRun, _: str) -> None:
    """Plan every list at once: there are hundreds of them, not thousands."""
    records = RemoteRecord.objects.filter(connection=run.connection, kind=RemoteRecord.Kind.LIST)
    items = []
    for record, label, operations in slices.plan_lists(records, policy_for(run)):
        for operation in operations:
            items.append(
                item(run, record, label, "", operation.verb, [{"verb": operation.verb, "name": operation.name}])
            )
            items[-1].plan_hash = signature(operations)
    RunItem.objects.bulk_create(items)
    run.counts = dict(Counter(i.verb for i in items))
    run.cursor = LOOK if run.counts.get(Verb.CREATE_LIST) else "people:0"


def plan_people_page(run: SyncRun, after: str) -> None:
    """Plan one page of people, and keep a row for everybody for whom there is something to do or to say."""
    records = list(
        RemoteRecord.objects.filter(connection=run.connection, kind=RemoteRecord.Kind.CONTACT, pk__gt=int(after))
        .order_by("pk")[:PAGE]
    )  # fmt: skip
    if not records:
        look_at_brake(run)
        run.state, run.cursor = SyncRun.State.READY, "done:"
        return
    place = people.place_of(run.connection)
    items: list[RunItem] = []
    notes: dict[tuple[str, str], list[int]] = {}
    gone = Counter(run.removals)
    for row in slices.plan_rows(records, policy_for(run), place, None):
        record, operations = row.record, row.plan.operations
        fingerprint = signature(operations)
        if operations and record.refused_hash == signature(row.plan.first):
            items.append(item(run, record, row.label, row.address, SKIP, []))
            items[-1].reason_code, items[-1].reason = record.reason_code, record.reason
        elif operations:
            verb = MOVE if is_move(row.known, operations) else heaviest(operations)
            items.append(item(run, record, row.label, row.address, verb, [as_json(o) for o in operations]))
            items[-1].plan_hash = fingerprint
            gone.update(lists_left(row.known, operations))
        else:
            if row.code and row.code != "not_on_a_list":
                items.append(item(run, record, row.label, row.address, SKIP, []))
                items[-1].reason_code = row.code
            else:
                run.unchanged += 1
            if record.due_at is None and record.reason_code != row.code and record.state != "set_aside":
                notes.setdefault((skip_state(row.code), row.code), []).append(record.pk)
    for (state, code), pks in notes.items():
        RemoteRecord.objects.filter(pk__in=pks, due_at__isnull=True).update(state=state, reason_code=code, reason="")
    RunItem.objects.bulk_create(items, batch_size=500)
    run.removals = dict(gone)
    run.counts = dict(Counter(run.counts) + Counter(i.verb for i in items))
    run.looked_at += len(records)
    run.cursor = f"people:{records[-1].pk}"


def skip_state(code: str) -> str:
    """The state of a row for which there is nothing to send."""
    if code == "waiting_confirmation":
        return RemoteRecord.State.WAITING
    return RemoteRecord.State.SKIPPED if code else RemoteRecord.State.OK


def look_at_brake(run: SyncRun) -> None:
    """Say beforehand which lists would lose too many: {uid: [name, how many go, how many are there]}."""
    run.removals = brake.ask_about(run.connection, Counter(run.removals))


def item(
    run: SyncRun, record: RemoteRecord, label: str, address: str, verb: str, operations: list[dict[str, Any]]
) -> RunItem:
    """One row of the preview."""
    return RunItem(
        tenant_id=run.tenant_id, run_id=run.pk, record_id=record.pk, kind=record.kind, subject_uid=record.subject_uid,
        label=label[:250], address=address, verb=verb, operations=operations, want_version=record.want_version,
        state=RunItem.State.SKIPPED if verb == SKIP else RunItem.State.SHOWN,
    )  # fmt: skip


def heaviest(operations: list[Operation]) -> str:
    """The verb that stands for the whole row."""
    return min((o.verb for o in operations), key=WEIGHT.index)


def as_json(operation: Operation) -> dict[str, Any]:
    """An operation as the preview shows it."""
    return {
        "verb": operation.verb, "container": operation.container,
        "before": operation.before.to_json() if operation.before else None, "after": operation.after.to_json(),
    }  # fmt: skip


def finish_if_done(connection: Connection) -> SyncRun | None:
    """End the running Sync when nothing of it is due any more: finished, or stopped by the brake and asking."""
    run = SyncRun.objects.filter(connection=connection, state=SyncRun.State.RUNNING).first()
    if run is None or RemoteRecord.objects.filter(run=run, due_at__isnull=False).exists() or adopting.is_open(run):
        return None
    if RemoteRecord.objects.filter(run=run, state=RemoteRecord.State.HELD, reason_code="brake").exists():
        SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING).update(state=SyncRun.State.ASKING)
    else:
        finish(run, SyncRun.State.DONE)
    return run


def finish(run: SyncRun, state: str, reason: str = "") -> None:
    """Close a run; rows that it brought due and that are settled no longer belong to it."""
    outcomes = run.count_outcomes() if run.confirmed_at else None
    over: dict[str, Any] = {"state": state, "reason": reason, "finished_at": timezone.now(), "outcomes": outcomes}
    if not run.had_preview and outcomes:
        over["counts"] = dict(sum((Counter(verbs) for verbs in outcomes.values()), Counter()))
    SyncRun.objects.filter(pk=run.pk).update(**over)
    RemoteRecord.objects.filter(run=run).update(run=None)
    if run.kind == SyncRun.Kind.CHECK and run.confirmed_at:
        instep.after_repair(run)


def leave_account(connection: Connection, reason: str) -> None:
    """Another account is connected: everything of the old one is stopped, and none of it can be taken back there."""
    stop_all(connection, reason)
    for run in SyncRun.objects.filter(connection=connection, confirmed_at__isnull=False).only("found").iterator():
        SyncRun.objects.filter(pk=run.pk).update(found={**run.found, ELSEWHERE: True})


def stop_all(connection: Connection, reason: str) -> None:
    """On Disconnect (L4): nothing more is sent; what was sent stays on record."""
    for run in SyncRun.objects.filter(connection=connection, state__in=SyncRun.UNFINISHED):
        finish(run, SyncRun.State.CANCELLED, reason)
    RemoteRecord.objects.filter(connection=connection).update(
        due_at=None, state=RemoteRecord.State.OK, reason_code="", reason="", token=""
    )
    Connection.objects.filter(pk=connection.pk).update(brake={}, retry_at=None, failures=0, failing_since=None)
