"""Decide: pure. What is wanted, what is known and the vendor's policy make operations; nothing else is looked at.

Preview, push, Sync and later checks all call `plan_person` and `plan_list`. No database, network or clock.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from integrations.provider_kit.base import Policy
from integrations.provider_kit.states import ListOperation, Member, Operation, Owner, Standing, Verb
from integrations.sync.owners import fields_there, spared

HEARS_FROM_US = (Standing.SUBSCRIBED, Standing.PENDING)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What we want of one person in one container.

    `member` is set when they should be on lists there; otherwise `opted_out` tells a withdrawal of consent from merely
    being on no list. `ask`: only the person may undo their opt-out, so they are asked. `held_by_others`: addresses
    that another eligible contact still uses (L8), which must not be given up there. `stays`: a list that they are on
    there is moving to a place that does not exist yet, so nothing is taken from them (L24). `by_person`: the opt-out is
    their own word, and not a decision of staff. `owners`: whose value of a field counts (L22), ours if it is silent.
    """

    member: Member | None = None
    opted_out: bool = False
    ask: bool = False
    held_by_others: frozenset[str] = frozenset()
    stays: bool = False
    by_person: bool = False
    owners: Mapping[str, Owner] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """The operations for one subject, and why something is not done: our reason code, or empty."""

    operations: list[Operation] = field(default_factory=list)
    skip_code: str = ""
    released: list[str] = field(default_factory=list)  # containers left to another contact with the same address
    adopted: dict[str, Member] = field(default_factory=dict)  # entries of the new address that we knew already

    @property
    def first(self) -> list[Operation]:
        """What may go now: whoever moves leaves the old place only when the new one has taken them (L24)."""
        return [one for one in self.operations if not any(waits_for(one, other) for other in self.operations)]


def waits_for(leaving: Operation, coming: Operation) -> bool:
    """Whether the first takes somebody off a list that the second puts them on in another place."""
    if leaving.container == coming.container or leaving.verb == Verb.OPT_OUT or leaving.before is None:
        return False
    was_on = coming.before.lists if coming.before and coming.before.standing in HEARS_FROM_US else frozenset()
    gained = coming.after.lists - was_on if coming.after.standing in HEARS_FROM_US else frozenset()
    return not gained.isdisjoint(leaving.before.lists - leaving.after.lists)


def plan_person(
    subject: str, known: Mapping[str, Member], wanted: Mapping[str, Wanted], entries: Mapping[str, Member] | None = None
) -> Plan:
    """What to do about one contact in every container where they are known or wanted.

    `entries` are what we know of their present address through somebody else who has it or had it (L8).
    """
    plan = Plan()
    for container in sorted(known.keys() | wanted.keys()):
        there, want = known.get(container), wanted.get(container, Wanted())
        if want.member is not None:
            there = _at_hand(plan, container, there, want, want.member, (entries or {}).get(container))
            _plan_on(plan, subject, container, there, want, want.member)
        elif there is not None:
            _plan_off(plan, subject, container, there, want)
    return plan


def _at_hand(
    plan: Plan, container: str, there: Member | None, want: Wanted, member: Member, entry: Member | None
) -> Member | None:
    """The entry there that is theirs from now on, if we know one: their own, or the one of their new address."""
    if there is not None:
        if same(there.address, member.address) or there.standing == Standing.REMOVED:
            return there
        if there.standing in HEARS_FROM_US:
            if there.address.lower() not in want.held_by_others:
                return there  # it moves with them
            plan.released.append(container)
        # Otherwise nothing is sent to the old address there, and it stays as it is.
    if entry is None or entry.standing == Standing.UNSUBSCRIBED:
        return None  # whether somebody new may hear from us where others opted out is for the vendor to say
    entry = entry.but(joint=True)  # the name there is of whoever had the address before
    plan.adopted[container] = entry
    return entry


def _plan_on(plan: Plan, subject: str, container: str, there: Member | None, want: Wanted, member: Member) -> None:
    """They should be on lists there."""

    member = member.but(fields=fields_there(want.owners, member.fields, there))
    spares = spared(want.owners, member.fields, there)

    def add(verb: Verb, before: Member | None, after: Member) -> None:
        plan.operations.append(Operation(verb, subject, container, before, after, spares=spares))

    if there is None:
        new = member.but(standing=Standing.PENDING if want.ask else Standing.SUBSCRIBED)
        add(Verb.ASK if want.ask else Verb.CREATE, None, new)
        return
    moved = not same(there.address, member.address)
    # Fields that are not sent are none of ours: what is known of them stays as it is.
    renamed = any(there.fields.get(name, "") != value for name, value in member.fields.items())
    differs = moved or renamed or there.lists != member.lists
    if there.standing == Standing.SUBSCRIBED and not differs:
        return
    after = member.but(remote_id=there.remote_id, ours=there.ours)
    if there.standing == Standing.CLEANED:
        plan.skip_code = "cleaned_there"
    elif there.standing == Standing.REMOVED:
        plan.skip_code = "removed_there"
    elif there.standing in (Standing.UNSUBSCRIBED, Standing.ARCHIVED):
        verb = Verb.ASK if want.ask else Verb.ENABLE
        add(verb, there, after.but(standing=Standing.PENDING if want.ask else Standing.SUBSCRIBED))
    elif there.standing == Standing.PENDING and moved:
        add(Verb.ASK, there, after.but(standing=Standing.PENDING, remote_id=""))
    elif differs:
        add(Verb.UPDATE, there, after.but(standing=there.standing))
    if there.standing == Standing.PENDING:
        plan.skip_code = plan.skip_code or "waiting_confirmation"


def _plan_off(plan: Plan, subject: str, container: str, there: Member, want: Wanted) -> None:
    """They should be on no list there."""

    def add(verb: Verb, after: Member) -> None:
        by_person = verb == Verb.OPT_OUT and want.by_person
        spares = spared(want.owners, there.fields, there)
        plan.operations.append(Operation(verb, subject, container, there, after, by_person, spares=spares))

    if there.address.lower() in want.held_by_others:
        plan.released.append(container)
    elif there.standing not in HEARS_FROM_US:
        return  # nothing is sent to them there, and an opt-out is never weakened into something else
    elif want.opted_out:
        add(Verb.OPT_OUT, there.but(standing=Standing.UNSUBSCRIBED, lists=frozenset()))
    elif want.stays:
        plan.skip_code = "list_not_there_yet"
    elif there.ours and there.standing == Standing.SUBSCRIBED:
        add(Verb.DISABLE, there.but(standing=Standing.ARCHIVED, lists=frozenset()))
    elif there.lists:
        # Somebody else put them there, or they have yet to confirm: only our lists are taken away (L33).
        add(Verb.UPDATE, there.but(lists=frozenset()))


@dataclass(frozen=True, slots=True)
class ListKnown:
    """What we know of a list there: its id and its name in each place it was ever put."""

    ids: Mapping[str, str]
    names: Mapping[str, str]


def plan_list(
    subject: str, name: str | None, is_deleted: bool, known: ListKnown, policy: Policy
) -> list[ListOperation]:
    """What to do about one list. `name` is None for a list whose flag is off: it stays there, empty (L10)."""
    place = policy.container_of(subject)
    remote_id = known.ids.get(place, "")
    if is_deleted:
        return (
            [ListOperation(Verb.DELETE_LIST, subject, place, known.names.get(place, ""), remote_id)]
            if remote_id
            else []
        )
    if name is None:
        return []
    if not remote_id:
        return [ListOperation(Verb.CREATE_LIST, subject, place, name)]
    if known.names.get(place) != name:
        return [ListOperation(Verb.RENAME_LIST, subject, place, name, remote_id)]
    return []


def lists_left(known: Mapping[str, Member], operations: Iterable[Operation]) -> set[str]:
    """The lists that these operations take a person off, for the brake: opt-outs do not count."""
    lost: set[str] = set()
    kept: set[str] = set()
    touched = set()
    for operation in operations:
        touched.add(operation.container)
        kept |= operation.after.lists
        if operation.verb != Verb.OPT_OUT and operation.before is not None:
            lost |= operation.before.lists
    for container, member in known.items():
        if container not in touched and member.standing in HEARS_FROM_US:
            kept |= member.lists
    return lost - kept


def is_move(known: Mapping[str, Member], operations: Iterable[Operation]) -> bool:
    """Whether these operations only put somebody elsewhere: off a list in one place, and on the same in another."""
    operations = list(operations)
    leaves = any(op.verb != Verb.OPT_OUT and op.before and op.before.lists - op.after.lists for op in operations)
    return leaves and not lists_left(known, operations)


def same(one: str, other: str) -> bool:
    """Whether two spellings are one email address."""
    return one.lower() == other.lower()


def same_goal(one: Member, other: Member) -> bool:
    """Whether two operations would leave the same behind."""
    return (
        same(one.address, other.address)
        and (one.standing, one.lists) == (other.standing, other.lists)
        and dict(one.fields) == dict(other.fields)
    )


def signature(operations: Iterable[Operation | ListOperation]) -> str:
    """A fingerprint of what would be sent: equal for what was shown and what still holds."""
    core: list[list[object]] = []
    for op in operations:
        if isinstance(op, ListOperation):
            core.append([op.verb, op.place, op.name])
        else:
            after = op.after
            core.append([
                op.verb, op.container, op.before.address if op.before else None, after.address, after.standing,
                sorted(after.fields.items()), sorted(after.lists),
            ])  # fmt: skip
    return hashlib.sha256(json.dumps(core).encode()).hexdigest() if core else ""
