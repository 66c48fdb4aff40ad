"""Rows of an undo on their way (L37): slices asks here what is still to be sent of them, settle how they end.

An undo sends what its preview showed and still holds, towards what was there before, and not what is wanted here. A
row that was changed here since the preview is an order of its own, and planned like any other. What was taken back is
held afterwards, or the next look at it would send the present state again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet

from contacts.models import ListMembership
from contacts.models.kept_marks import marked_on
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.base import Policy
from integrations.provider_kit.states import ListOperation, Member, Verb
from integrations.sync import consent, people
from integrations.sync.people import Crowd, Person
from integrations.sync.planning import same
from integrations.sync.undo_rules import ADDRESS_STAYS, CHANGED, LIST_GONE, Back, Leave, Step, hears, plan_back

if TYPE_CHECKING:
    from integrations.sync.slices import Row

TAKEN_BACK = "taken_back"
State = RemoteRecord.State


@dataclass(frozen=True, slots=True)
class Order:
    """What the preview of an undo showed of one row."""

    want_version: int
    sentence: str
    operations: Sequence[Mapping[str, Any]]

    def holds(self, record: RemoteRecord) -> bool:
        """Whether nothing was changed here since."""
        return self.want_version == record.want_version

    @property
    def steps(self) -> dict[str, Step]:
        """For each container, how the person must be there still, and how they are to be."""
        return {
            one["container"]: Step(
                Member.from_json(one["before"]) if one["before"] else None, Member.from_json(one["after"])
            )
            for one in self.operations
        }


@dataclass(frozen=True, slots=True)
class TakesBack:
    """How a row stands that is being taken back: `sentence` is kept with it; `code` says why it is left alone."""

    sentence: str
    code: str = ""
    is_overtaken: bool = False  # changed here since the preview: an order of its own

    @property
    def is_left_alone(self) -> bool:
        """Whether its report says that it was changed after the preview."""
        return self.is_overtaken or self.code == CHANGED

    @property
    def outcome(self) -> tuple[str, str, str]:
        """State, code and reason of the row when nothing is left to send."""
        if self.code == CHANGED:
            return State.OK, "", ""
        return (State.SKIPPED, self.code, "") if self.code else (State.HELD, TAKEN_BACK, self.sentence)


def held_by_undo(connection: Connection) -> "QuerySet[RemoteRecord]":
    """Rows that were taken back there, which a Sync would send again."""
    return RemoteRecord.objects.filter(connection=connection, state=State.HELD, reason_code=TAKEN_BACK)


def is_taken_back(record: RemoteRecord) -> bool:
    """Whether an undo put this row back, or is about to: nothing that is heard sends the present state again."""
    if record.state == State.HELD and record.reason_code == TAKEN_BACK:
        return True
    return bool(record.run_id) and SyncRun.objects.filter(pk=record.run_id, kind=SyncRun.Kind.UNDO).exists()


def sentence_of(run: SyncRun) -> str:
    """“Taken back by Ana on March 3: …”, as it stands with each row."""
    day = f"{(run.confirmed_at or run.created_at).astimezone(run.tenant.tz):%B %-d, %Y}"
    by = f" by {run.started_by}" if run.started_by else ""
    what = "that run"
    if then := run.undoes:
        what = f"the {then.name} of {then.created_at.astimezone(run.tenant.tz):%B %-d, %H:%M}"
    return f"Taken back{by} on {day}: {run.connection} has this as it was before {what}."[:300]


def orders_of(records: Iterable[RemoteRecord]) -> dict[int, Order]:
    """{record pk: what was shown of it}, for rows of an undo; one query more for rows of any run."""
    of_a_run = {record.pk: record.run_id for record in records if record.run_id}
    if not of_a_run:
        return {}
    undos = SyncRun.objects.filter(pk__in=set(of_a_run.values()), kind=SyncRun.Kind.UNDO)
    undos = undos.select_related("undoes", "started_by", "tenant", "connection")
    sentences = {run.pk: sentence_of(run) for run in undos}
    if not sentences:
        return {}
    items: Any = RunItem.objects.filter(run__in=sentences, record__in=list(of_a_run)).order_by()
    rows = items.values_list("record_id", "run_id", "want_version", "operations")
    return {pk: Order(version, sentences[run], shown) for pk, run, version, shown in rows if of_a_run[pk] == run}


def plan(
    rows: Iterable["Row"], orders: Mapping[int, Order], crowd: Crowd, policy: Policy, place: str,
    present: set[str] | None,
) -> None:  # fmt: skip
    """Replace the plans of rows that are being taken back, in place."""
    mine = [(row, order) for row in rows if (order := orders.get(row.record.pk)) is not None]
    held = [(row, order) for row, order in mine if order.holds(row.record)]
    for row, order in mine:
        row.takes_back = TakesBack(order.sentence, is_overtaken=True)
    if not held:
        return
    everybody = Permissions(crowd, policy, place, present)
    everybody.load([(str(row.record.subject_uid), order.steps) for row, order in held])
    shown = RunItem.objects.filter(run__in={row.record.run_id for row, _ in held}).exclude(operations=[])
    also = others_in(shown, crowd, {str(row.record.subject_uid) for row, _ in held})
    for row, order in held:
        back = everybody.back(str(row.record.subject_uid), row.known, order.steps, also)
        row.plan, row.code = back.plan, ""
        row.takes_back = TakesBack(order.sentence, back.code if not back.plan.operations else "")


def others_in(rows: "QuerySet[Any]", crowd: Crowd, mine: set[str]) -> set[str]:
    """These contacts and, of everybody who shares an address with them, those who have one of these rows; asked only if
    somebody shares."""
    sharing = {one.uid for together in crowd.by_address.values() for one in together} - mine
    if not sharing:
        return mine
    found: Any = rows.filter(subject_uid__in=sharing).order_by().values_list("subject_uid", flat=True)
    return mine | {str(uid) for uid in found}


@dataclass
class Permissions:
    """Who of a slice may be put back on what: the consent check of an undo, which is always on (L35)."""

    crowd: Crowd
    policy: Policy
    place: str
    present: set[str] | None  # the lists that are there; None: those that the preview counts on
    # (contact, list) with Do Not Contact, be they on that list here or taken off it since
    silent: set[tuple[str, str]] = field(default_factory=set)
    by_address: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def load(self, everybody: Sequence[tuple[str, Mapping[str, Step]]]) -> None:
        """Read what was said about their addresses there, and on which lists they are silent; three queries."""
        targets = [step.target for _, steps in everybody for step in steps.values() if step.target is not None]
        lefts = [step.left for _, steps in everybody for step in steps.values() if step.left is not None]
        lists = {uid for target in targets for uid in target.lists}
        memberships: Any = ListMembership.objects.filter(
            contact__uid__in=[uid for uid, _ in everybody], contact_list__uid__in=lists, do_not_contact=True
        ).order_by()
        pairs = memberships.values_list("contact__uid", "contact_list__uid")
        marks = marked_on([UUID(uid) for uid in lists], [UUID(uid) for uid, _ in everybody])
        self.silent = {(str(contact), str(uid)) for contact, uid in [*pairs, *marks]}
        _, self.by_address = consent.load([], {member.address.lower() for member in [*targets, *lefts]})

    def back(self, uid: str, known: Mapping[str, Member], steps: Mapping[str, Step], also: set[str]) -> Back:
        """What is sent to take this person back; `also` are those who are taken back with them."""
        needed = self.needed(uid, known, also)
        return plan_back(uid, known, steps, self.leaves(uid, steps), needed, self.policy.owners)

    def leaves(self, uid: str, steps: Mapping[str, Step]) -> dict[str, Leave]:
        """What this person may be put back on, container by container."""
        person = self.crowd.people[uid]
        return {
            container: self.leave(person, container, step)
            for container, step in steps.items() if hears(step.target)
        }  # fmt: skip

    def leave(self, person: Person, container: str, step: Step) -> Leave:
        """Only whoever may be written to, and on lists that they may be written to by: asking them is no undo."""
        if step.target is None or person.blocked:
            return Leave(code=person.blocked)
        if step.left is not None and not same(step.left.address, person.address):
            return Leave(code=ADDRESS_STAYS)  # replaced here since, while nothing was sent there
        addresses = {member.address.lower() for member in (step.left, step.target) if member is not None}
        words = consent.strictest(person.consent, *(self.by_address.get(address) for address in addresses))
        allowed, code = set(), ""
        for list_uid in sorted(step.target.lists):
            if consent.allows(words, list_uid, f"{self.place} {container}") != consent.FREE:
                code = "opted_out"
            elif (person.uid, list_uid) in self.silent:
                code = code or "dnc_list"
            elif self.policy.container_of(list_uid) != container:
                code = code or LIST_GONE  # it lives elsewhere now, and nobody would hear who unsubscribes there
            elif self.present is None or list_uid in self.present:
                allowed.add(list_uid)
        return Leave(frozenset(allowed), code)

    def needed(self, uid: str, known: Mapping[str, Member], also: set[str]) -> set[str]:
        """Addresses that this person is known by there and that others need, who are not taken back with them (L8)."""
        found = set()
        for container, there in known.items():
            key = there.address.lower()
            others = [one for one in self.crowd.sharing(key) if one.uid != uid and one.uid not in also]
            if any(container in people.eligible(one, self.policy, self.place, self.present) for one in others):
                found.add(key)
        return found


# --- lists ---


def plan_list_back(record: RemoteRecord, order: Order, policy: Policy) -> tuple[list[ListOperation], str]:
    """What is still to be sent of a list, and why nothing is."""
    subject = str(record.subject_uid)
    place = policy.container_of(subject)
    remote_id, name = record.known.get("ids", {}).get(place, ""), record.known.get("names", {}).get(place, "")
    shown = order.operations[0]
    if shown["verb"] == Verb.CREATE_LIST:
        return ([], "") if remote_id else ([ListOperation(Verb.CREATE_LIST, subject, place, shown["name"])], "")
    if name == shown["name"]:
        return [], ""
    if not remote_id or name != shown["before"]["name"]:
        return [], CHANGED
    return [ListOperation(Verb.RENAME_LIST, subject, place, shown["name"], remote_id)], ""
