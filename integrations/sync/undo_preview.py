"""The preview of an undo (L37): what a run did, from the deliveries that it left, and what would take it back.

Made page by page like every preview. What came after the run counts: it is shown as changed since, and left alone. The
stop before is undoing; the plan of each row is made by undo_rules.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.utils import timezone

from contacts.models import ContactList
from integrations.models import Delivery, RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.states import Member, Verb
from integrations.sync import people, runs, slices
from integrations.sync.adopting import ADOPT
from integrations.sync.giving_way import giving_way
from integrations.sync.planning import lists_left, same_goal, signature
from integrations.sync.taking_back import Permissions, others_in
from integrations.sync.undo_rules import CHANGED, Step, is_back, plan_back

ADOPTED = "adoption_stays"
LIST, CONTACT = RemoteRecord.Kind.LIST, RemoteRecord.Kind.CONTACT
WAS_SENT = (Delivery.Outcome.DONE, Delivery.Outcome.UNCLEAR)
Sent = Mapping[str, Any]  # one delivery


def go_on(run: SyncRun, stop: Callable[[], bool]) -> None:
    """Go on making the preview until it is done or the sitting is over."""
    while run.state == SyncRun.State.PLANNING and not stop():
        run = giving_way(partial(runs.plan_page, run.pk, PHASES))


def begin(run: SyncRun, _: str) -> None:
    """How many there are to look at."""
    run.to_look_at = touched(run).count()
    run.cursor = "lists:"


def touched(run: SyncRun) -> Any:
    """The rows of everybody to whom the run sent something."""
    sent = Delivery.objects.filter(run=run.undoes_id, kind=CONTACT, outcome__in=WAS_SENT).order_by()
    rows = RemoteRecord.objects.filter(connection=run.connection_id, kind=CONTACT)
    return rows.filter(subject_uid__in=sent.values("subject_uid"))


def sent_by(run: SyncRun, kind: str, subjects: list[Any] | None = None) -> dict[Any, dict[str, list[Sent]]]:
    """{subject: {container: what the run sent there, in order}}."""
    rows: Any = Delivery.objects.filter(run=run.undoes_id, kind=kind, outcome__in=WAS_SENT).order_by("at", "pk")
    if subjects is not None:
        rows = rows.filter(subject_uid__in=subjects)
    found: dict[Any, dict[str, list[Sent]]] = defaultdict(lambda: defaultdict(list))
    for one in rows.values("subject_uid", "container", "verb", "before", "after"):
        found[one["subject_uid"]][one["container"]].append(one)
    return found


# --- lists ---


def plan_lists(run: SyncRun, _: str) -> None:
    """Names go back, deleted lists are made again; those that the run made are left."""
    sent = sent_by(run, LIST)
    records = RemoteRecord.objects.filter(connection=run.connection, kind=LIST, subject_uid__in=list(sent))
    policy = slices.policy_of(run.connection)
    names = dict(ContactList.objects.filter(uid__in=list(sent)).values_list("uid", "name"))
    items = []
    for record in records:
        place = policy.container_of(str(record.subject_uid))
        if done := sent[record.subject_uid].get(place):
            verb, shown, code = back_of_list(record, place, done, is_shared=bool(policy.container))
            label = names.get(record.subject_uid) or str(done[-1]["after"]["name"])
            items.append(runs.item(run, record, label, "", verb, shown))
            items[-1].reason_code = code
    RunItem.objects.bulk_create(items)
    run.counts = dict(Counter(one.verb for one in items))
    run.cursor = "people:0"


def back_of_list(
    record: RemoteRecord, place: str, done: list[Sent], is_shared: bool
) -> tuple[str, list[dict[str, Any]], str]:
    """(verb, operations, reason code) that take back what was done to one list."""
    here, name = record.known.get("ids", {}).get(place), record.known.get("names", {}).get(place, "")
    first, last = done[0], done[-1]
    if first["verb"] == Verb.CREATE_LIST:
        return runs.SKIP, [], "list_stays" if here else CHANGED
    if last["verb"] == Verb.DELETE_LIST:
        if here or record.is_on_its_way:
            return runs.SKIP, [], CHANGED
        if not is_shared:
            return runs.SKIP, [], "place_is_gone"
        return Verb.CREATE_LIST, [{"verb": Verb.CREATE_LIST, "name": last["after"]["name"]}], ""
    was = (first["before"] or {}).get("name", "")
    if not was or not here or name != last["after"]["name"] or record.is_on_its_way:
        return runs.SKIP, [], CHANGED
    shown = {"verb": Verb.RENAME_LIST, "name": was, "before": {"name": name}, "after": {"name": was}}
    return Verb.RENAME_LIST, [shown], ""


# --- people ---


def plan_people(run: SyncRun, after: str) -> None:
    """One page of those whom the run reached: a row for everybody who is taken back, or left alone for a reason."""
    records = list(touched(run).filter(pk__gt=int(after)).order_by("pk")[: runs.PAGE])
    if not records:
        run.cursor = "adopted:0"
        return
    page = Page(run, records)
    for record in records:
        page.take(record)
    RunItem.objects.bulk_create(page.items, batch_size=500)
    run.removals = dict(page.gone)
    run.unchanged += page.unchanged
    run.counts = dict(Counter(run.counts) + Counter(one.verb for one in page.items))
    run.looked_at += len(records)
    run.cursor = f"people:{records[-1].pk}"


def plan_adopted(run: SyncRun, after: str) -> None:
    """One page of those whom the run adopted. Nothing was changed there for that, so they stay as they are, and it is
    said."""
    adopted = RunItem.objects.filter(run=run.undoes_id, verb=ADOPT, state=RunItem.State.DONE, pk__gt=int(after))
    page = list(adopted.order_by("pk")[: runs.PAGE])
    if not page:
        finish(run)
        return
    RunItem.objects.bulk_create(
        RunItem(
            tenant_id=run.tenant_id, run_id=run.pk, record_id=one.record_id, kind=one.kind, subject_uid=one.subject_uid,
            label=one.label, address=one.address, verb=runs.SKIP, state=RunItem.State.SKIPPED, reason_code=ADOPTED,
        )
        for one in page
    )  # fmt: skip
    run.counts = dict(Counter(run.counts) + Counter({runs.SKIP: len(page)}))
    run.cursor = f"adopted:{page[-1].pk}"


PHASES = {"": begin, "lists": plan_lists, "people": plan_people, "adopted": plan_adopted}


class Page:
    """A page of people with what the run did to them, read in a constant number of queries."""

    def __init__(self, run: SyncRun, records: list[RemoteRecord]) -> None:
        self.run, self.items, self.unchanged = run, list[RunItem](), 0
        self.gone = Counter(run.removals)
        subjects = [record.subject_uid for record in records]
        self.known = {record.pk: slices.members_known(record) for record in records}
        self.crowd = people.load(subjects, {m.address.lower() for known in self.known.values() for m in known.values()})
        shown = RunItem.objects.filter(run=run.undoes_id, kind=CONTACT)
        rows: Any = shown.filter(subject_uid__in=subjects).values_list("subject_uid", "operations")
        self.shown = dict(rows)
        sent = sent_by(run, CONTACT, subjects)
        self.steps: dict[int, dict[str, Step]] = {}
        for record in records:
            if (steps := self.steps_of(record, sent[record.subject_uid])) is not None:
                self.steps[record.pk] = steps
        policy, place = slices.policy_of(run.connection), people.place_of(run.connection)
        self.allowed = Permissions(self.crowd, policy, place, present_after(run))
        self.allowed.load([(str(r.subject_uid), self.steps[r.pk]) for r in records if r.pk in self.steps])
        delivered = Delivery.objects.filter(run=run.undoes_id, kind=CONTACT, outcome__in=WAS_SENT)
        self.also = others_in(delivered, self.crowd, {str(uid) for uid in subjects})

    def steps_of(self, record: RemoteRecord, sent: Mapping[str, list[Sent]]) -> dict[str, Step] | None:
        """Where the run left this person and where they were before; None if it sent something else than it showed,
        because of a change in between."""
        shown = {one["container"]: Member.from_json(one["after"]) for one in self.shown.get(record.subject_uid, ())}
        steps = {}
        for container, done in sent.items():
            before, left = done[0]["before"], Member.from_json(done[-1]["after"])
            if shown and not is_as_shown(left, shown.get(container)):
                return None
            steps[container] = Step(left, Member.from_json(before) if before else None)
        return steps

    def take(self, record: RemoteRecord) -> None:
        """Sort one person: taken back, left alone, or as before already."""
        known, person = self.known[record.pk], self.crowd.people[str(record.subject_uid)]
        steps = self.steps.get(record.pk)
        there = next((member.address for member in known.values()), "")
        label, address = person.label or there or "Deleted contact", person.address or there
        if steps is not None and all(is_back(known.get(key), step.target) for key, step in steps.items()):
            moved = plan_back(person.uid, known, steps, {}).code
            if not moved:
                self.unchanged += 1
                return
        if steps is None or is_busy(record):
            self.leave_alone(record, label, address, CHANGED)
            return
        back = self.allowed.back(person.uid, known, steps, self.also)
        if not back.plan.operations:
            self.leave_alone(record, label, address, back.code or CHANGED)
            return
        operations = back.plan.operations
        shown = [runs.as_json(one) for one in operations]
        item = runs.item(self.run, record, label, address, runs.heaviest(operations), shown)
        item.plan_hash, item.reason_code = signature(operations), back.code
        self.items.append(item)
        self.gone.update(lists_left(known, operations))

    def leave_alone(self, record: RemoteRecord, label: str, address: str, code: str) -> None:
        """A row that says why."""
        self.items.append(runs.item(self.run, record, label, address, runs.SKIP, []))
        self.items[-1].reason_code = code


def is_as_shown(left: Member, shown: Member | None) -> bool:
    """Whether a run left somebody as its preview had said; lists that could not be made there are missing."""
    return shown is not None and left.lists <= shown.lists and same_goal(left, shown.but(lists=left.lists))


def is_busy(record: RemoteRecord) -> bool:
    """Whether something about this row is under way, or waits for an answer: that comes later than the run."""
    waits = record.state == RemoteRecord.State.HELD and record.reason_code == "brake"
    return record.is_on_its_way or waits or bool(slices.members_maybe(record))


def present_after(run: SyncRun) -> set[str]:
    """The lists that are there, and those that this undo makes again."""
    places = slices.places_of(run.connection)
    made: Any = RunItem.objects.filter(run=run, verb=Verb.CREATE_LIST).values_list("subject_uid", flat=True)
    return slices.present_lists(places, slices.policy_of(run.connection)) | {str(uid) for uid in made}


def finish(run: SyncRun) -> None:
    """Ready to be looked at; where there is nothing to take back it is over."""
    runs.look_at_brake(run)
    run.cursor = "done:"
    if run.items.filter(state=RunItem.State.SHOWN).exists():
        run.state = SyncRun.State.READY
    else:
        run.state, run.finished_at = SyncRun.State.DONE, timezone.now()
