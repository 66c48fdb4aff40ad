"""A slice of due rows: claimed under the lease, planned from people as they are now. Between outbox and settle."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.db.models import F, Q
from django.db.models.functions import Now

from contacts.models import ContactList
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.models.remote import Priority
from integrations.provider_kit.base import Policy
from integrations.provider_kit.states import ListOperation, Member, Operation, Places, Verb
from integrations.providers import all_providers
from integrations.sync import people, taking_back
from integrations.sync.giving_way import giving_way
from integrations.sync.owners import owners_of
from integrations.sync.planning import HEARS_FROM_US, ListKnown, Plan, plan_list, plan_person, same_goal, signature
from integrations.sync.taking_back import TakesBack

TIRING = 3  # a row that was claimed so often without an outcome goes alone, so that it cannot take others down with it
POISON = 6  # and after this many it is set aside
BEARABLE = 1  # unclear answers in a row that may be anybody's fault; from the next on, claims are halved
ALONE = 10  # after so many a row is claimed alone: 500 halved nine times
# What goes out even while large changes wait for calls (L29). Lists always come first; of a Sync they are bulk work.
URGENT = Q(priority__lte=Priority.EDIT) & ~Q(kind=RemoteRecord.Kind.LIST, run__isnull=False)


@dataclass(slots=True)
class Row:
    """One claimed row with its plan."""

    record: RemoteRecord
    known: dict[str, Member]
    plan: Plan
    code: str = ""
    label: str = ""
    address: str = ""
    entries: dict[str, Member] = field(default_factory=dict)  # of the present address, known through others
    maybe: dict[str, Member] = field(default_factory=dict)  # what was sent before without a clear answer
    tickets: dict[str, str] = field(default_factory=dict)  # of what the vendor was still working on
    left: dict[str, Member] = field(default_factory=dict)  # entries that we gave up in this slice
    takes_back: TakesBack | None = None  # of a row that belongs to an undo
    open_operations: int = 0
    fresh_known: dict[str, Member] = field(default_factory=dict)


def policy_of(connection: Connection, settings: Mapping[str, Any] | None = None) -> Policy:
    """The vendor's policy under this connection's settings, or under others, with whose fields are whose (L22)."""
    settings = connection.settings if settings is None else settings
    policy = all_providers()[connection.provider].policy(settings)
    return replace(policy, owners=owners_of(settings, policy.fields))


def due(connection: Connection, kind: str) -> Any:
    """The rows of this kind that are due by the database's clock, most urgent first."""
    return RemoteRecord.objects.filter(connection=connection, kind=kind, due_at__lte=Now()).order_by(
        "priority", "due_at", "pk"
    )


def is_anything_due(connection: Connection) -> bool:
    """Whether some list or person could be claimed now."""
    return RemoteRecord.objects.filter(connection=connection, due_at__lte=Now()).exists()


def claim(connection: Connection, kind: str, token: str, limit: int, only_urgent: bool = False) -> list[RemoteRecord]:
    """Take up to `limit` due rows for this lease, urgent ones and others never together. The attempt is counted here,
    before any effect."""
    rows = due(connection, kind)
    if only_urgent:
        rows = rows.filter(URGENT)
    found = [Found(*row) for row in rows.values_list(*Found._fields)[:limit]]
    pks = [row.pk for row in found if row.attempts >= TIRING][:1] or together(found, limit)
    claimed = {"token": token, "attempts": F("attempts") + 1, "sent_version": F("want_version")}
    giving_way(lambda: RemoteRecord.objects.filter(pk__in=pks).update(**claimed))
    return list(RemoteRecord.objects.filter(pk__in=pks, token=token).order_by("priority", "due_at", "pk"))


class Found(NamedTuple):
    """A due row, as far as the claim needs it."""

    pk: int
    attempts: int
    troubles: int
    kind: str = RemoteRecord.Kind.CONTACT
    priority: int = Priority.EDIT
    run_id: int | None = None

    @property
    def is_urgent(self) -> bool:
        """The same as `URGENT`."""
        return self.priority <= Priority.EDIT and not (self.kind == RemoteRecord.Kind.LIST and self.run_id)

    @property
    def sort(self) -> tuple[bool, bool]:
        """Rows of different sorts do not go together."""
        return self.is_urgent, self.troubles > BEARABLE


def is_urgent(record: RemoteRecord) -> bool:
    """Whether this row may use the calls that are kept for opt-outs and single edits; so may all claimed with it."""
    return Found(*(getattr(record, name) for name in Found._fields)).is_urgent


def together(found: Sequence[Found], limit: int) -> list[int]:
    """Which of these due rows, most urgent first, go in one claim: those in trouble apart from the others, and the
    fewer the longer it lasts."""
    taken: list[int] = []
    for row in found:
        if row.sort == found[0].sort:
            if row.troubles > BEARABLE:
                limit = min(limit, 2 ** max(0, ALONE - row.troubles))
            if len(taken) >= limit:
                break
            taken.append(row.pk)
    return taken


def members_known(record: RemoteRecord) -> dict[str, Member]:
    """What we last knew of this contact there, container by container."""
    return {key: Member.from_json(data) for key, data in record.containers.items()}


def members_maybe(record: RemoteRecord) -> dict[str, Member]:
    """What was being sent when no clear answer came, or the worker was killed: so there, or still as known."""
    return {key: Member.from_json(data) for key, data in record.known.get("maybe", {}).items()}


def places_of(connection: Connection) -> Places:
    """Every list's id and name at the vendor."""
    places = Places()
    rows: Any = RemoteRecord.objects.filter(connection=connection, kind=RemoteRecord.Kind.LIST)
    for uid, known in rows.values_list("subject_uid", "known"):
        for place, remote_id in known.get("ids", {}).items():
            places[str(uid), place] = remote_id
        for place, name in known.get("names", {}).items():
            places.names[str(uid), place] = name
    return places


def present_lists(places: Places, policy: Policy) -> set[str]:
    """The lists that exist at the vendor in their place under this policy."""
    return {uid for uid, place in places if place == policy.container_of(uid)}


def plan_rows(records: Iterable[RemoteRecord], policy: Policy, place: str, present: set[str] | None) -> list[Row]:
    """Plan contacts from their state now. `present` as in `people.wanted_of`."""
    records = list(records)
    everything_known = [members_known(record) for record in records]
    crowd = people.load(
        [record.subject_uid for record in records],
        {member.address.lower() for known in everything_known for member in known.values()},
    )
    everybody = [crowd.people[str(record.subject_uid)] for record in records]
    entries = entries_of(records, everything_known, [person.address_key for person in everybody])
    rows = []
    for record, known, person in zip(records, everything_known, everybody, strict=True):
        verdict = people.wanted_of(person, crowd, known, policy, place, present)
        plan = plan_person(person.uid, known, verdict.containers, entries.get(record.pk))
        label = person.label or next((member.address for member in known.values()), "Deleted contact")
        code = verdict.code or plan.skip_code
        mine = entries.get(record.pk, {})
        tickets = dict(record.known.get("tickets", {}))
        rows.append(Row(record, known, plan, code, label, person.address, mine, members_maybe(record), tickets))
    if orders := taking_back.orders_of(records):
        taking_back.plan(rows, orders, crowd, policy, place, present)
    return rows


def is_unsure(row: Row) -> bool:
    """Whether something may be there that repeating the plan would not put right: then the vendor is asked first.

    To send the same again does no harm. Anything else, above all nothing, could leave what was sent before for good.
    """
    return any(
        not any(op.container == container and same_goal(op.after, sent) for op in row.plan.operations)
        for container, sent in row.maybe.items()
    )


def entries_of(
    records: list[RemoteRecord], everything_known: list[dict[str, Member]], addresses: list[str]
) -> dict[int, dict[str, Member]]:
    """{record pk: what is known of the person's present address, where their own row does not know it} (L8).

    It stands in the rows of others who have that address or had it, or was left in this one by whoever gave it up.
    Nobody who is in step seeks anything, so that no query is made for them.
    """
    found: dict[int, dict[str, Member]] = {}
    seeking: dict[str, list[int]] = {}
    for record, known, address in zip(records, everything_known, addresses, strict=True):
        if address and not (known and all(member.address.lower() == address for member in known.values())):
            seeking.setdefault(address, []).append(record.pk)
            for container, data in record.known.get("offered", {}).items():
                if (member := Member.from_json(data)).address.lower() == address:
                    found.setdefault(record.pk, {})[container] = member
    if not seeking:
        return found
    rows: Any = RemoteRecord.objects.filter(
        connection=records[0].connection_id, kind=RemoteRecord.Kind.CONTACT, known_address__in=list(seeking)
    ).order_by("pk")
    for pk, containers in rows.values_list("pk", "known__containers"):
        for container, data in containers.items():
            member = Member.from_json(data)
            for seeker in seeking.get(member.address.lower(), ()):
                mine = found.setdefault(seeker, {})
                # Somebody who hears from us there is more probable than a trace of the past.
                if seeker != pk and (container not in mine or member.standing in HEARS_FROM_US):
                    mine[container] = member
    return found


def list_known(record: RemoteRecord) -> ListKnown:
    """What we last knew of this list there."""
    return ListKnown(record.known.get("ids", {}), record.known.get("names", {}))


def plan_lists(records: Iterable[RemoteRecord], policy: Policy) -> list[tuple[RemoteRecord, str, list[ListOperation]]]:
    """Each list's row with its name for people and the operations it needs."""
    records = list(records)
    here = {
        uid: (name, flag)
        for uid, name, flag in ContactList.objects.filter(uid__in=[r.subject_uid for r in records]).values_list(
            "uid", "name", "synchronize"
        )
    }
    planned = []
    for record in records:
        name, flag = here.get(record.subject_uid, ("", False))
        known = list_known(record)
        operations = plan_list(
            str(record.subject_uid), name if flag else None, record.subject_uid not in here, known, policy
        )
        label = name or next(iter(known.names.values()), "Deleted list")
        planned.append((record, label, operations))
    return planned


class Shown(NamedTuple):
    """What the preview showed of one row."""

    want_version: int
    plan_hash: str


def shown_by(records: Iterable[RemoteRecord]) -> dict[int, Shown]:
    """{record pk: what the running preview showed}, for rows that belong to a run; not of an undo, which plans them."""
    of_a_run = [record for record in records if record.run_id]
    if not of_a_run:
        return {}
    items: Any = RunItem.objects.filter(
        run__in={record.run_id for record in of_a_run}, record__in=[record.pk for record in of_a_run]
    ).exclude(run__kind=SyncRun.Kind.UNDO).order_by()  # fmt: skip
    return {pk: Shown(*shown) for pk, *shown in items.values_list("record_id", "want_version", "plan_hash")}


def still_holds(item: Shown | None, record: RemoteRecord, operations: list[Operation] | list[ListOperation]) -> bool:
    """Whether a row of a run may go: it is as shown, or it was changed since, which is an order of its own."""
    return item is None or item.want_version != record.sent_version or item.plan_hash == signature(operations)


def is_rest_of(shown: Iterable[Mapping[str, Any]], operations: Iterable[Operation]) -> bool:
    """Whether these are some of the operations that were shown: half of a row may be done when a vendor stops."""
    parts = {
        signature(
            [Operation(Verb(one["verb"]), "", one["container"], member(one["before"]), Member.from_json(one["after"]))]
        )
        for one in shown
    }
    left = [signature([one]) for one in operations]
    return bool(left) and parts.issuperset(left)


def member(data: Mapping[str, Any] | None) -> Member | None:
    """Somebody as a preview keeps them."""
    return Member.from_json(data) if data else None
