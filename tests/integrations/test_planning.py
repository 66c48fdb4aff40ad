"""Planning as tables: what is wanted and what is known there make operations. No database."""

import pytest

from integrations.provider_kit.base import Policy
from integrations.provider_kit.states import Member, Standing, Verb
from integrations.sync.planning import (
    ListKnown,
    Wanted,
    lists_left,
    plan_list,
    plan_person,
    signature,
)

ONE = "audience:a1"
NAMES = {"first_name": "Ana", "last_name": "Ruiz"}
S = Standing


def there(
    standing: Standing = S.SUBSCRIBED, lists: str = "x", address: str = "ana@river.test", **more: object
) -> Member:
    return Member(address, standing, NAMES, frozenset(lists.split()), "r1").but(**more)


def want(lists: str = "x", address: str = "ana@river.test", **more: object) -> Wanted:
    return Wanted(Member(address, fields=NAMES, lists=frozenset(lists.split())), **more)  # type: ignore[arg-type]


OFF, OUT = Wanted(), Wanted(opted_out=True)
ADA = {"first_name": "Ada", "last_name": "Ruiz"}
OTHER_NAME = Wanted(Member("ana@river.test", fields=ADA, lists=frozenset("x")))

# clause, known there, wanted, verb or None, standing afterwards, lists afterwards, reason code
TABLE = [
    ("L12 someone new is created", None, want(), Verb.CREATE, S.SUBSCRIBED, "x", ""),
    ("L15 someone new who had opted out is asked", None, want(ask=True), Verb.ASK, S.PENDING, "x", ""),
    ("L13 nothing is sent for somebody with DNC", None, OUT, None, None, "", ""),
    ("nobody wanted, nobody there", None, OFF, None, None, "", ""),
    ("L26 in step plans to nothing", there(), want(), None, None, "", ""),
    ("L16 a changed name updates", there(), OTHER_NAME, Verb.UPDATE, S.SUBSCRIBED, "x", ""),
    ("L16 a changed address updates", there(), want(address="new@river.test"), Verb.UPDATE, S.SUBSCRIBED, "x", ""),
    ("spelling of an address alone changes nothing", there(), want(address="ANA@river.test"), None, None, "", ""),
    ("L12 one more list", there(), want("x y"), Verb.UPDATE, S.SUBSCRIBED, "x y", ""),
    ("L17 one list fewer", there(lists="x y"), want("x"), Verb.UPDATE, S.SUBSCRIBED, "x", ""),
    ("L14 DNC unsubscribes and takes off", there(), OUT, Verb.OPT_OUT, S.UNSUBSCRIBED, "", ""),
    ("L14 DNC while waiting for the person", there(S.PENDING), OUT, Verb.OPT_OUT, S.UNSUBSCRIBED, "", ""),
    ("L17 on no other list: archived, not unsubscribed", there(), OFF, Verb.DISABLE, S.ARCHIVED, "", ""),
    ("L33 not ours: only our lists go", there(ours=False), OFF, Verb.UPDATE, S.SUBSCRIBED, "", ""),
    ("L33 not ours and on none of our lists", there(ours=False, lists=""), OFF, None, None, "", ""),
    ("L14 not ours, but DNC is DNC", there(ours=False), OUT, Verb.OPT_OUT, S.UNSUBSCRIBED, "", ""),
    ("not confirmed yet, leaves the list", there(S.PENDING), OFF, Verb.UPDATE, S.PENDING, "", ""),
    ("L21 unsubscribed there stays as it is", there(S.UNSUBSCRIBED), OUT, None, None, "", ""),
    ("L17 unsubscribed there is never archived", there(S.UNSUBSCRIBED), OFF, None, None, "", ""),
    ("L15 DNC cleared: enabled again", there(S.UNSUBSCRIBED, ""), want(), Verb.ENABLE, S.SUBSCRIBED, "x", ""),
    ("L15 the person's own opt-out: asked", there(S.UNSUBSCRIBED, ""), want(ask=True), Verb.ASK, S.PENDING, "x", ""),
    ("L12 back on a list after being disabled", there(S.ARCHIVED, ""), want(), Verb.ENABLE, S.SUBSCRIBED, "x", ""),
    ("archived stays archived", there(S.ARCHIVED, ""), OFF, None, None, "", ""),
    ("DNC of somebody archived needs no call", there(S.ARCHIVED, ""), OUT, None, None, "", ""),
    ("removed there by somebody else", there(S.REMOVED), want(), None, None, "", "removed_there"),
    ("L22 cleaned there", there(S.CLEANED), want(), None, None, "", "cleaned_there"),
    ("a new address for a cleaned one", there(S.CLEANED), want(address="n@r.test"), Verb.CREATE, S.SUBSCRIBED, "x", ""),
    ("L15 waits for the person", there(S.PENDING), want(ask=True), None, None, "", "waiting_confirmation"),
    ("L24a a new address leaves them unsubscribed", there(S.UNSUBSCRIBED), Wanted(opted_out=True), None, None, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("clause", "known", "wanted", "verb", "standing", "lists", "code"),
    TABLE,
    ids=lambda v: v if isinstance(v, str) and len(v) > 9 else "",
)
def test_the_planning_table(clause, known, wanted, verb, standing, lists, code) -> None:
    plan = plan_person("u", {ONE: known} if known else {}, {ONE: wanted})
    if verb is None:
        assert plan.operations == [], clause
    else:
        [operation] = plan.operations
        assert (operation.verb, operation.after.standing, operation.after.lists) == (
            verb,
            standing,
            frozenset(lists.split()),
        )
        assert operation.before in (known, None)
    assert plan.skip_code == code


@pytest.mark.parametrize("known", [row[1] for row in TABLE], ids=lambda m: str(m and m.standing))
@pytest.mark.parametrize("wanted", [OFF, OUT])
def test_L24a_nobody_unwanted_is_ever_subscribed(known, wanted) -> None:
    plan = plan_person("u", {ONE: known} if known else {}, {ONE: wanted})
    assert not [o for o in plan.operations if o.verb in (Verb.CREATE, Verb.ENABLE, Verb.ASK)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_carrying_out_a_plan_leaves_nothing_to_do(row) -> None:
    """Twice is once: what an operation leads to is what the next plan finds."""
    known = {ONE: row[1]} if row[1] else {}
    for operation in plan_person("u", known, {ONE: row[2]}).operations:
        known[operation.container] = operation.after
    assert plan_person("u", known, {ONE: row[2]}).operations == []


def test_L8_an_address_that_another_contact_uses_is_not_given_up() -> None:
    held = frozenset(["ana@river.test"])
    plan = plan_person("u", {ONE: there()}, {ONE: Wanted(held_by_others=held)})
    assert (plan.operations, plan.released) == ([], [ONE])
    moved = plan_person("u", {ONE: there()}, {ONE: want(address="new@river.test", held_by_others=held)})
    assert [(o.verb, o.before) for o in moved.operations] == [(Verb.CREATE, None)]
    assert moved.released == [ONE]


def test_L24_changing_the_way_of_modelling_moves_people_without_a_gap() -> None:
    """From one audience to an audience per list: disabled in the old one, created in the new ones."""
    plan = plan_person("u", {ONE: there(lists="x y")}, {"list:x": want("x"), "list:y": want("y")})
    assert [(o.verb, o.container) for o in plan.operations] == [
        (Verb.DISABLE, ONE), (Verb.CREATE, "list:x"), (Verb.CREATE, "list:y"),
    ]  # fmt: skip
    assert lists_left({ONE: there(lists="x y")}, plan.operations) == set()  # nobody leaves a list: the brake is silent


def test_L32_only_unasked_removals_count_for_the_brake() -> None:
    known = {ONE: there(lists="x y")}
    assert lists_left(known, plan_person("u", known, {ONE: want("x")}).operations) == {"y"}
    assert lists_left(known, plan_person("u", known, {ONE: OFF}).operations) == {"x", "y"}
    assert lists_left(known, plan_person("u", known, {ONE: OUT}).operations) == set()


TAGS, AUDIENCES = Policy(container=ONE), Policy()
KNOWN = ListKnown({ONE: "77"}, {ONE: "News"})
EMPTY = ListKnown({}, {})


@pytest.mark.parametrize(
    ("clause", "name", "deleted", "known", "policy", "verb", "place"),
    [
        ("L9 a flagged list is created", "News", False, EMPTY, TAGS, Verb.CREATE_LIST, ONE),
        ("L9 as an audience of its own", "News", False, EMPTY, AUDIENCES, Verb.CREATE_LIST, "list:u"),
        ("L10 flag cleared: it stays there, empty", None, False, KNOWN, TAGS, None, ""),
        ("L11 renamed", "Newsletter", False, KNOWN, TAGS, Verb.RENAME_LIST, ONE),
        ("in step", "News", False, KNOWN, TAGS, None, ""),
        ("L18 deleted", None, True, KNOWN, TAGS, Verb.DELETE_LIST, ONE),
        ("deleted, never there", None, True, EMPTY, TAGS, None, ""),
        ("L24 another way of modelling", "News", False, KNOWN, AUDIENCES, Verb.CREATE_LIST, "list:u"),
    ],
)
def test_the_table_of_lists(clause, name, deleted, known, policy, verb, place) -> None:
    planned = [(o.verb, o.place) for o in plan_list("u", name, deleted, known, policy)]
    assert planned == ([(verb, place)] if verb else []), clause


def test_a_signature_tells_what_would_be_sent() -> None:
    one = plan_person("u", {}, {ONE: want("x y")}).operations
    assert signature(one) == signature(plan_person("u", {}, {ONE: want("y x")}).operations)
    assert signature(one) != signature(plan_person("u", {}, {ONE: want("x")}).operations)
    assert signature([]) == ""
