"""What taking back means for one person (L37): the rules alone, without a database."""

from typing import Any

import pytest

from integrations.provider_kit.states import Member, Owner, Standing, Verb
from integrations.sync.undo_rules import Leave, Step, is_back, is_same, plan_back

HOME = "account"
NEWS, TRIPS = "news", "trips"


def there(standing: str = "subscribed", *lists: str, name: str = "Ana", **more: Any) -> Member:
    return Member("ana@x.test", Standing(standing), {"first_name": name}, frozenset(lists), "7", **more)


ON = there("subscribed", NEWS)
OFF = there("archived")
MAY = {HOME: Leave(frozenset([NEWS, TRIPS]))}


def back(now: Member | None, left: Member | None, target: Member | None, **more: Any) -> Any:
    """What is sent to take this one step back."""
    known = {HOME: now} if now else {}
    given = {"leaves": MAY, **more}
    return plan_back("c1", known, {HOME: Step(left, target)}, **given)


WRONG = there("subscribed", NEWS, name="Wrong")
THEIRS, THEIRS_BEFORE = there("subscribed", NEWS, ours=False), there("subscribed", ours=False)
BOTH, ASKED = there("subscribed", NEWS, TRIPS), there("pending", NEWS)
CASES: list[tuple[str, Member | None, Member, Member | None, list[Verb], Member | None]] = [
    ("taken off, and put back", OFF, OFF, ON, [Verb.ENABLE], ON),
    ("off one of two lists", ON, ON, BOTH, [Verb.UPDATE], BOTH),
    ("another name", WRONG, WRONG, ON, [Verb.UPDATE], ON),
    ("added, and switched off", ON, ON, None, [Verb.DISABLE], OFF),
    ("subscribed again, and switched off", ON, ON, OFF, [Verb.DISABLE], OFF),
    ("let in after staff's Do Not Contact: switched off, not unsubscribed", ON, ON, there("unsubscribed"),
     [Verb.DISABLE], OFF),
    ("somebody else's entry, put on our list", THEIRS, THEIRS, THEIRS_BEFORE, [Verb.UPDATE], THEIRS_BEFORE),
    ("on none of our lists before, and yet subscribed: off them, and no more", WRONG, WRONG, there("subscribed"),
     [Verb.UPDATE], there("subscribed")),
    ("the same of somebody who was asked then", ASKED, ASKED, there("pending"), [Verb.UPDATE], there("pending")),
    ("asked to confirm, and off the lists", ASKED, ASKED, None, [Verb.UPDATE], there("pending")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "now", "left", "target", "verbs", "after"), CASES, ids=[case[0] for case in CASES])
def test_L37_what_is_sent(
    what: str, now: Member | None, left: Member, target: Member | None, verbs: list[Verb], after: Member | None
) -> None:
    found = back(now, left, target)
    assert ([one.verb for one in found.plan.operations], found.code) == (verbs, "")
    assert found.plan.operations[0].after == after
    again = back(found.plan.operations[0].after, left, target)
    assert not again.plan.operations and not again.code, "twice is once"


ALONE: list[tuple[str, Member | None, Member, Member | None, str]] = [
    ("put on another list since", there("subscribed", TRIPS), OFF, ON, "changed_since"),
    ("renamed since", there("subscribed", NEWS, name="Later"), there("subscribed", NEWS, name="Wrong"), ON,
     "changed_since"),
    ("gone since", None, ON, there("subscribed", NEWS, TRIPS), "changed_since"),
    ("removed there since", there("removed"), OFF, ON, "changed_since"),
    ("unsubscribed there since", there("unsubscribed"), OFF, ON, "changed_since"),
    ("bounced there since", there("cleaned"), ON, there("subscribed", NEWS, TRIPS), "changed_since"),
    ("as before already", ON, OFF, ON, ""),
    ("hears nothing already", there("unsubscribed"), ON, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("what", "now", "left", "target", "code"), ALONE, ids=[case[0] for case in ALONE])
def test_L37_what_is_left_alone(what: str, now: Member | None, left: Member, target: Member | None, code: str) -> None:
    found = back(now, left, target)
    assert (found.plan.operations, found.code) == ([], code)


def test_L37_nobody_is_put_back_on_what_they_may_not_be_on() -> None:
    both = there("subscribed", NEWS, TRIPS)
    some = back(OFF, OFF, both, leaves={HOME: Leave(frozenset([NEWS]), "opted_out")})
    assert [one.after.lists for one in some.plan.operations] == [frozenset([NEWS])]
    assert some.code == "opted_out", "the row says why not all"
    none = back(OFF, OFF, both, leaves={HOME: Leave(frozenset(), "dnc_contact")})
    assert (none.plan.operations, none.code) == ([], "dnc_contact")
    assert back(OFF, OFF, both, leaves={}).plan.operations == [], "who was not asked about is not put back"


def test_L37_an_opt_out_is_the_reason_whatever_else_was_changed_since() -> None:
    found = back(there("unsubscribed"), OFF, ON, leaves={HOME: Leave(frozenset(), "opted_out")})
    assert (found.plan.operations, found.code) == ([], "opted_out")


def test_L37_the_address_stays() -> None:
    moved = ON.but(address="new@x.test")
    found = back(moved, moved, ON)
    assert (found.plan.operations, found.code) == ([], "address_stays")
    off = OFF.but(address="new@x.test")
    (one,) = back(off, off, ON).plan.operations
    assert (one.verb, one.after.address) == (Verb.ENABLE, "new@x.test")


def test_L37_L8_nothing_is_taken_from_an_address_that_somebody_else_needs() -> None:
    found = back(ON, ON, None, needed={"ana@x.test"})
    assert (found.plan.operations, found.code) == ([], "shares_address")


def test_L37_L22_a_name_that_is_theirs_stays_theirs() -> None:
    wrong = there("subscribed", NEWS, name="Wrong")
    assert back(wrong, wrong, ON, owners={"first_name": Owner.THEIRS}).plan.operations == []


def test_L37_L24_each_container_is_taken_back_for_itself() -> None:
    steps = {"list:news": Step(OFF, ON), "list:trips": Step(OFF, there("subscribed", TRIPS))}
    leaves = {key: Leave(frozenset([NEWS, TRIPS])) for key in steps}
    found = plan_back("c1", {"list:news": OFF, "list:trips": there("subscribed", TRIPS, name="New")}, steps, leaves)
    assert [one.container for one in found.plan.operations] == ["list:news"]
    assert found.code == "changed_since"


def test_what_counts_as_the_same() -> None:
    assert is_same(there("pending", NEWS), ON), "the vendor asked them to confirm instead"
    assert not is_same(ON, there("pending", NEWS))
    assert is_same(ON.but(address="ANA@x.test"), ON) and is_same(None, None)
    assert not is_same(None, ON) and not is_same(ON.but(lists=frozenset()), ON)
    assert is_back(OFF, None) and is_back(None, None) and is_back(there("subscribed"), None)
    assert not is_back(ON, None) and not is_back(OFF, ON)
