"""What taking a run back means for one person (L37). Pure: where the run left them, where they were, who may hear.

Called by the preview of an undo and again when it is carried out, so that nothing goes out that does not hold any more.
The plan itself is made by planning, like every other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from integrations.provider_kit.states import Member, Owner, Standing
from integrations.sync.planning import HEARS_FROM_US, Plan, Wanted, plan_person, same

CHANGED = "changed_since"
SHARED = "shares_address"
ADDRESS_STAYS = "address_stays"
LIST_GONE = "list_is_gone"


@dataclass(frozen=True, slots=True)
class Step:
    """One person in one container: they must still be as they were `left`, to become again what they were before."""

    left: Member | None
    target: Member | None


@dataclass(frozen=True, slots=True)
class Leave:
    """What somebody may be put back on: of a step's lists, those that are `allowed`, and why not the others."""

    allowed: frozenset[str] = frozenset()
    code: str = ""


@dataclass(slots=True)
class Back:
    """What is sent to take somebody back, and why something of it is not."""

    plan: Plan = field(default_factory=Plan)
    codes: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The reason to show: that it was changed since stands for everything else."""
        return CHANGED if CHANGED in self.codes else next(iter(self.codes), "")


def hears(member: Member | None) -> bool:
    """Whether somebody gets mail through us there."""
    return member is not None and member.standing in HEARS_FROM_US and bool(member.lists)


def is_same(now: Member | None, then: Member | None) -> bool:
    """Whether somebody is still as they were left; a vendor may have asked them to confirm instead of subscribing."""
    if now is None or then is None:
        return now is then
    asked = now.standing == Standing.PENDING and then.standing == Standing.SUBSCRIBED
    is_alike = (same(now.address, then.address), now.lists, dict(now.fields)) == (True, then.lists, dict(then.fields))
    return is_alike and (asked or now.standing == then.standing)


def is_back(now: Member | None, target: Member | None) -> bool:
    """Whether there is nothing (left) to take back. Who heard nothing before is back when they hear nothing."""
    if not hears(target) or target is None:
        return not hears(now)
    return hears(now) and now is not None and now.lists == target.lists and dict(now.fields) == dict(target.fields)


def off_the_lists(there: Member, target: Member | None) -> Member | None:
    """Who was subscribed before, though on none of our lists, stays so: they are taken off the lists, and no more. None
    for everybody else, who heard nothing: they are switched off."""
    if target is None or target.standing not in HEARS_FROM_US or there.standing not in HEARS_FROM_US:
        return None
    return Member(there.address, fields=target.fields, joint=target.joint)


def plan_back(
    subject: str, known: Mapping[str, Member], steps: Mapping[str, Step], leaves: Mapping[str, Leave],
    needed: Iterable[str] = (), owners: Mapping[str, Owner] | None = None,
) -> Back:  # fmt: skip
    """What to send. `leaves` say for each container who may be put back on what; `needed` are addresses that somebody
    else uses there, who is not taken back: nothing is taken from them (L8).

    The address stays as it is: staff replaced the old one, and mail to it may reach somebody else.
    """
    back, wanted = Back(), dict[str, Wanted]()
    for container, step in steps.items():
        there, target, leave = known.get(container), step.target, leaves.get(container, Leave())
        if is_back(there, target):
            if there is not None and target is not None and not same(there.address, target.address):
                back.codes.append(ADDRESS_STAYS)
        elif hears(target) and not leave.allowed:
            back.codes.append(leave.code or LIST_GONE)
        elif there is None or not is_same(there, step.left):
            back.codes.append(CHANGED)
        elif target is not None and hears(target):
            if lists := target.lists & leave.allowed:
                member = Member(there.address, fields=target.fields, lists=lists, joint=target.joint)
                wanted[container] = Wanted(member=member, owners=owners or {})
            if lists != target.lists:
                back.codes.append(leave.code or LIST_GONE)
        elif there.address.lower() in needed:
            back.codes.append(SHARED)
        else:
            wanted[container] = Wanted(member=off_the_lists(there, target), owners=owners or {})
    back.plan = plan_person(subject, {container: known[container] for container in wanted}, wanted)
    return back
