"""How far each list is in step (L31): what a plan says of the differences, list by list, and the figure that is kept.

Pure but for the last part, which keeps the figures. Filled by comparing, raised by a repair that came to its end.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from contacts.models import ContactList
from integrations.models import ListCheck, RunItem, SyncRun
from integrations.provider_kit.states import ListOperation, Member, Operation, Standing, Verb
from integrations.sync.planning import HEARS_FROM_US, same

Difference = RunItem.Difference
NOBODY = frozenset[str]()
OF_A_LIST = {
    Verb.CREATE_LIST: Difference.MISSING, Verb.RENAME_LIST: Difference.DIFFERS, Verb.DELETE_LIST: Difference.EXTRA,
}  # fmt: skip
Figures = dict[str, list[int]]  # {list uid: [members, in step, on their way]}


def difference_of(operations: Iterable[Operation | ListOperation]) -> str:
    """The class of a difference that these operations would put right, the gravest of several; "" if there are none."""
    found = {of_a_list(one) if isinstance(one, ListOperation) else of_a_person(one) for one in operations}
    return next((kind for kind in Difference.values if kind in found), "")


def of_a_list(operation: ListOperation) -> str:
    """How a list differs."""
    return OF_A_LIST[operation.verb]


def of_a_person(operation: Operation) -> str:
    """How a person differs in one container."""
    before, after = operation.before, operation.after
    if operation.verb == Verb.OPT_OUT or (before is not None and before.standing == Standing.UNSUBSCRIBED):
        return Difference.CONSENT
    if operation.verb in (Verb.CREATE, Verb.ENABLE, Verb.ASK):
        return Difference.MISSING
    gained, lost = heard_on(after) - heard_on(before), heard_on(before) - heard_on(after)
    return Difference.MISSING if gained else Difference.EXTRA if lost else Difference.DIFFERS


def heard_on(member: Member | None) -> frozenset[str]:
    """The lists by which somebody there hears from us."""
    return member.lists if member is not None and member.standing in HEARS_FROM_US else NOBODY


def out_of_step(before: Member | None, after: Member) -> frozenset[str]:
    """The lists on which somebody is not as they should be: on all of theirs when it is the name or the address."""
    was, is_to_be = heard_on(before), heard_on(after)
    if before is None or not was or not is_to_be:
        return was | is_to_be
    is_same = same(before.address, after.address) and dict(before.fields) == dict(after.fields)
    return was ^ is_to_be if is_same and before.standing == after.standing else was | is_to_be


def count(figures: Figures, known: Mapping[str, Member], operations: Iterable[Operation], is_moving: bool) -> None:
    """Add one person to the figures of every list that they are on there, or should be."""
    by_container = {one.container: one for one in operations}
    everywhere, wrong = set[str](), set[str]()
    for container in known.keys() | by_container.keys():
        before, operation = known.get(container), by_container.get(container)
        everywhere |= heard_on(before)
        if operation is not None:
            everywhere |= heard_on(operation.after)
            wrong |= out_of_step(before, operation.after)
    for uid in everywhere:
        numbers = figures.setdefault(uid, [0, 0, 0])
        numbers[0] += 1
        numbers[1] += uid not in wrong
        numbers[2] += uid in wrong and is_moving


def keep(run: SyncRun) -> None:
    """Keep what the check found for each synchronized list, in place of an earlier figure."""
    lists = list(ContactList.objects.filter(synchronize=True).values_list("uid", flat=True))
    figures: Figures = run.found.get("lists", {})
    rows = []
    for uid in lists:
        members, in_step, moving = figures.get(str(uid), (0, 0, 0))
        rows.append(
            ListCheck(
                tenant_id=run.tenant_id, connection_id=run.connection_id, list_uid=uid, run=run, at=timezone.now(),
                members=members, in_step=in_step, moving=moving,
            )
        )  # fmt: skip
    ListCheck.objects.filter(connection=run.connection_id).exclude(list_uid__in=lists).delete()
    ListCheck.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection", "list_uid"],
        update_fields=["run", "at", "members", "in_step", "moving"],
    )  # fmt: skip


def after_repair(run: SyncRun) -> None:
    """Raise the figures by what the repair of this check put right, and by whom it adopted."""
    mended: dict[str, int] = {}
    adopted: dict[str, int] = {}
    done = run.items.filter(state=RunItem.State.DONE).exclude(difference="").exclude(verb="heard")
    for verb, operations in done.values_list("verb", "operations").iterator():
        for uid in lists_of(operations):
            numbers = adopted if verb == "adopt" else mended
            numbers[uid] = numbers.get(uid, 0) + 1
    figures: Figures = run.found.get("lists", {})
    for check in ListCheck.objects.filter(run=run):
        uid = str(check.list_uid)
        members, in_step, moving = figures.get(uid, (0, 0, 0))
        new = adopted.get(uid, 0)
        check.members, check.in_step = members + new, min(members - moving, in_step + mended.get(uid, 0)) + new
        check.save(update_fields=["members", "in_step"])


def lists_of(operations: Any) -> set[str]:
    """The lists on which a row of a check was out of step, from its operations as they were shown."""
    found = set[str]()
    for one in operations:
        if isinstance(after := one.get("after"), dict) and "standing" in after:
            before = Member.from_json(one["before"]) if one.get("before") else None
            found |= out_of_step(before, Member.from_json(after))
    return found


def percent(in_step: int, members: int) -> str:
    """“99.8 %”. Only if everybody is in step it says 100."""
    if in_step >= members:
        return "100 %"
    return f"{in_step * 1000 // members / 10:.1f} %"
