"""Compare what is wanted with what was just read there, and show every difference with its class (L31).

The plan is the one of every Sync; only `known` is fresh. The stop before is checking, which read it; the stop after is
the page, on which people choose what is repaired. Nothing is written to the vendor.
"""

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django.db.models import Count
from django.utils import timezone

from integrations.models import RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.states import Member, Verb
from integrations.sync import adopting, instep, people, runs, slices
from integrations.sync.planning import HEARS_FROM_US, lists_left, signature
from integrations.sync.put_back import brought_back
from integrations.sync.slices import Row

State = RemoteRecord.State


def compare_lists(run: SyncRun, _: str) -> None:
    """Every list at once, as a Sync plans them; those whose change is on its way are no difference."""
    records = RemoteRecord.objects.filter(connection=run.connection, kind=RemoteRecord.Kind.LIST)
    items = []
    for record, label, operations in slices.plan_lists(records, slices.policy_of(run.connection)):
        if not operations or record.is_on_its_way:
            continue
        if is_held_by_night(run, record):
            count_only(run, "held")
            continue
        operation = operations[0]
        verb = runs.SKIP if record.refused_hash == signature(operations) else operation.verb
        was = record.known.get("names", {}).get(operation.place, "")
        shown = {
            "verb": operation.verb, "name": operation.name, "before": {"name": was} if was else None,
            "after": {} if operation.verb == Verb.DELETE_LIST else {"name": operation.name},
        }  # fmt: skip
        items.append(runs.item(run, record, label, "", verb, [shown]))
        items[-1].plan_hash, items[-1].difference = signature(operations), instep.difference_of(operations)
        if verb == runs.SKIP or record.state == State.HELD:
            items[-1].reason_code, items[-1].reason = record.reason_code, record.reason
    RunItem.objects.bulk_create(items)
    run.cursor = "compare:0"


def compare_people(run: SyncRun, after: str) -> None:
    """One page of people: a row for everybody who is not there as they should be."""
    records = list(
        RemoteRecord.objects.filter(connection=run.connection, kind=RemoteRecord.Kind.CONTACT, pk__gt=int(after))
        .order_by("pk")[: runs.PAGE]
    )  # fmt: skip
    if not records:
        finish(run)
        return
    removed = {record.pk for record in records if as_if_put_back(record)}
    page = Page(run, removed)
    place = people.place_of(run.connection)
    for row in slices.plan_rows(records, slices.policy_of(run.connection), place, None):
        page.take(row)
    page.write()
    run.looked_at += len(records)
    run.cursor = f"compare:{records[-1].pk}"


def as_if_put_back(record: RemoteRecord) -> bool:
    """Plan as if whom somebody else removed there were to be brought back: that is what a repair would do. The row in
    the database stays as it is. Returns whether there was anybody."""
    known = brought_back(deepcopy(record.known))
    if known is None:
        return False
    record.known = known
    return True


class Page:
    """The rows of one page of people, collected."""

    def __init__(self, run: SyncRun, removed: set[int]) -> None:
        self.run = run
        self.removed = removed  # rows of those whom somebody removed there
        self.items: list[RunItem] = []
        self.notes: dict[tuple[str, str], list[int]] = {}
        self.told = list[int]()  # rows of those who were removed there, and are listed here
        self.gone = Counter(run.removals)
        self.figures: instep.Figures = run.found.setdefault("lists", {})

    def take(self, row: Row) -> None:
        """Sort one person: as they should be, on their way, or different."""
        record, operations = row.record, row.plan.operations
        is_moving = bool(operations) and record.is_on_its_way
        instep.count(self.figures, row.known, operations, is_moving)
        is_removed = bool(operations) and record.pk in self.removed
        if not operations:
            self.run.unchanged += 1
            self.note(record, row.code)
            self.offer(row)
        elif is_held_by_night(self.run, record):
            count_only(self.run, "held")
        elif is_removed and not self.run.started_by_id and was_told(record):
            count_only(self.run, "removed")
        elif not is_moving:
            self.show(row)
            if is_removed:
                self.told.append(record.pk)

    def show(self, row: Row) -> None:
        """Somebody who is not there as they should be, with what would put it right."""
        record, operations = row.record, row.plan.operations
        is_refused = record.refused_hash == signature(row.plan.first)
        verb = runs.SKIP if is_refused else runs.heaviest(operations)
        item = runs.item(self.run, record, row.label, row.address, verb, [runs.as_json(one) for one in operations])
        item.difference, item.plan_hash = instep.difference_of(operations), signature(operations)
        if is_refused:
            item.reason_code, item.reason = record.reason_code, record.reason
        else:
            item.reason_code = "removed_there" if record.pk in self.removed else ""
            if record.state == State.HELD:
                item.reason_code, item.reason = record.reason_code, record.reason
            self.gone.update(lists_left(row.known, operations))
        self.items.append(item)

    def offer(self, row: Row) -> None:
        """Somebody in step whom somebody else put there: only those who look get the offer to adopt them (L33)."""
        others = {key: member for key, member in row.known.items() if is_somebody_elses(member)}
        if others and self.run.started_by_id:
            self.items.append(adopting.offer_of_known(self.run, row, others))
        elif others:
            self.run.found["not_ours"] = self.run.found.get("not_ours", 0) + 1

    def note(self, record: RemoteRecord, code: str) -> None:
        """Why nothing is sent to somebody, where that is news to the ledger."""
        if record.due_at is None and record.reason_code != code and record.state != State.SET_ASIDE:
            if code == "not_on_a_list":
                code = ""
            self.notes.setdefault((runs.skip_state(code), code), []).append(record.pk)

    def write(self) -> None:
        """Everything of this page, within the transaction of whoever calls. What was heard of somebody in the reading
        has a row already, which takes over what is still to be done."""
        rows: Any = RunItem.objects.filter(run=self.run, kind=RemoteRecord.Kind.CONTACT)
        there = {item.subject_uid: item for item in rows.filter(subject_uid__in=[i.subject_uid for i in self.items])}
        for item in self.items:
            if item.kind == RemoteRecord.Kind.CONTACT and (heard := there.get(item.subject_uid)):
                item.pk, item._state.adding = heard.pk, False
                item.difference, item.reason = heard.difference, heard.reason
                item.save()
        RunItem.objects.bulk_create([item for item in self.items if item.pk is None], batch_size=500)
        for (state, code), pks in self.notes.items():
            unchanged = RemoteRecord.objects.filter(pk__in=pks, due_at__isnull=True)
            unchanged.update(state=state, reason_code=code, reason="")
        # What is held waits for somebody's answer, or was decided by somebody: it stays so.
        told = RemoteRecord.objects.filter(pk__in=self.told, due_at__isnull=True)
        told = told.exclude(state__in=[State.SET_ASIDE, State.HELD])
        told.update(state=State.SKIPPED, reason_code="removed_there", reason=told_by(self.run))
        self.run.removals = dict(self.gone)


def count_only(run: SyncRun, what: str) -> None:
    """One more that this check does not list."""
    run.found[what] = run.found.get(what, 0) + 1


def is_held_by_night(run: SyncRun, record: RemoteRecord) -> bool:
    """Whether this difference is somebody's decision (taken back, left on the list), or the brake asks about it: then
    only whoever looks is shown it, or each night would offer to undo the decision."""
    return record.state == State.HELD and not run.started_by_id


def told_by(run: SyncRun) -> str:
    """What stands with the row of somebody who was removed there from the check on that listed them."""
    day = f"{run.created_at.astimezone(run.tenant.tz):%B %-d}"
    said = f"Somebody archived or deleted this person at {run.connection}, or took them off all your lists there"
    return f"{said}, as the check of {day} found."[:300]


def was_told(record: RemoteRecord) -> bool:
    """Whether a check has listed that this person was removed there, and nothing was changed about them since: by
    night they are only counted from then on, or each night would ask about them again."""
    return record.state == State.SKIPPED and record.reason_code == "removed_there" and bool(record.reason)


def is_somebody_elses(member: Member) -> bool:
    """Whether this entry is on lists of ours and hears from them, although we did not put it there."""
    return not member.ours and bool(member.lists) and member.standing in HEARS_FROM_US


def finish(run: SyncRun) -> None:
    """Keep the figures, and wait for a choice if there is anything to choose."""
    runs.look_at_brake(run)
    run.counts = counted(run, "verb")
    run.found |= {"classes": counted(run, "difference")}
    instep.keep(run)
    open_rows = run.items.filter(state=RunItem.State.SHOWN)
    run.cursor = "done:"
    if open_rows.exists():
        run.state = SyncRun.State.READY
    else:
        run.state, run.finished_at = SyncRun.State.DONE, timezone.now()


def counted(run: SyncRun, name: str) -> Mapping[str, int]:
    """{value: how many rows of the run have it}."""
    rows: Any = run.items.order_by().values_list(name)
    return dict(rows.annotate(Count("pk")))
