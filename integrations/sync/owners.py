"""Who owns which field (L22): pure. What the tenant chose, what a change there leads to, and what is wanted there.

`decide` is asked by corrections (and so by everything that hears from a vendor), `wanted_there` by planning.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from integrations.provider_kit.states import Member, Owner, same_value

ADDRESS = "address"
PROFILE = "profile"  # how earlier settings called the names
# An address is never empty there, and one that changed here is always sent: the old one must get no more mail (L16).
CHOICES: Mapping[str, tuple[Owner, ...]] = {ADDRESS: (Owner.OURS, Owner.THEIRS, Owner.NEWEST)}


class Decision(StrEnum):
    """What a value that was found there leads to."""

    NO_NEWS = "no_news"  # known, agreed, or our own echo
    TAKE_OVER = "take_over"
    PUT_BACK = "put_back"
    OURS_IS_NEWER = "ours_is_newer"  # changed on both sides: put back
    NOBODY_KNOWS = "nobody_knows"  # changed on both sides, and no time tells which came last: put back
    APART = "apart"  # each side keeps its own


def choices_of(field: str) -> tuple[Owner, ...]:
    """What can be chosen for this field."""
    return CHOICES.get(field, tuple(Owner))


def owner_of(settings: Mapping[str, Any], field: str) -> Owner:
    """The tenant's choice for a field. Settings of earlier versions (`who_wins`) keep their meaning."""
    earlier = settings.get("who_wins") or {}
    chosen = (settings.get("owners") or {}).get(field) or earlier.get(ADDRESS if field == ADDRESS else PROFILE)
    return Owner(chosen) if chosen in choices_of(field) else Owner.OURS


def owners_of(settings: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Owner]:
    """The same for the address and every field that is sent."""
    return {field: owner_of(settings, field) for field in (ADDRESS, *fields)}


def decide(
    owner: Owner, before: str, ours: str, theirs: str, *, sent: str | None = None,
    ours_at: datetime | None = None, theirs_at: datetime | None = None,
) -> Decision:  # fmt: skip
    """What becomes of a value that is there now.

    `before` is what both sides had last, as far as we know; `ours` is what is here now, as it would be sent; `sent` is
    what we sent without a clear answer. `theirs_at` may be later than the change itself (a vendor tells when a person
    was changed, not which field), `ours_at` is exact.
    """
    if same_value(theirs, before) or same_value(theirs, ours) or (sent is not None and same_value(theirs, sent)):
        return Decision.NO_NEWS
    if owner == Owner.THEIRS:
        return Decision.TAKE_OVER
    if owner == Owner.FILL:
        return Decision.APART if ours and theirs else Decision.PUT_BACK if ours else Decision.TAKE_OVER
    if owner == Owner.NEWEST:
        if same_value(ours, before):
            return Decision.TAKE_OVER
        if ours_at is None or theirs_at is None:
            return Decision.NOBODY_KNOWS
        return Decision.TAKE_OVER if theirs_at > ours_at else Decision.OURS_IS_NEWER
    return Decision.PUT_BACK


def wanted_there(owner: Owner, ours: str, theirs: str | None) -> str:
    """What a field is to be there: ours, unless what they have stays. `theirs` is None where it is not known."""
    if theirs is None or owner == Owner.OURS:
        return ours
    if owner == Owner.THEIRS or same_value(ours, theirs):
        return theirs
    return theirs or ours if owner == Owner.FILL else ours


def fields_there(owners: Mapping[str, Owner], ours: Mapping[str, str], there: Member | None) -> dict[str, str]:
    """The same for all fields of somebody. A name that we made up for several is nobody's own, and ours to write."""
    if there is None or there.joint:
        return dict(ours)
    return {
        name: wanted_there(owners.get(name, Owner.OURS), value, there.fields.get(name)) for name, value in ours.items()
    }


def spared(owners: Mapping[str, Owner], fields: Mapping[str, str], there: Member | None) -> frozenset[str]:
    """The fields that are not ours alone, so that nothing is written there unread."""
    if there is not None and there.joint:
        return frozenset()
    return frozenset(name for name in fields if owners.get(name, Owner.OURS) != Owner.OURS)


def heard(before: Mapping[str, str], there: Mapping[str, str], sent: tuple[str, ...]) -> dict[str, str]:
    """What is known of the fields that we send, after somebody was looked at: a mere spelling is no difference."""
    known = {name: there.get(name, before.get(name, "")) for name in sent if name in there or name in before}
    return {
        name: before[name] if name in before and same_value(before[name], value) else value
        for name, value in known.items()
    }
