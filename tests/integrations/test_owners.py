"""Whose value counts (L22), decided by pure functions: every choice, every case, and settings of earlier versions."""

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.provider_kit.states import Member, Operation, Owner, Standing, Verb
from integrations.sync.owners import (
    ADDRESS,
    Decision,
    choices_of,
    decide,
    fields_there,
    heard,
    owner_of,
    owners_of,
    spared,
)
from integrations.sync.planning import Wanted, plan_person

OURS, THEIRS, NEWEST, FILL = Owner.OURS, Owner.THEIRS, Owner.NEWEST, Owner.FILL
EARLY, LATE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
NAMES = ("first_name", "last_name")


@pytest.mark.parametrize(
    ("owner", "before", "ours", "theirs", "decision"),
    [
        # Only they changed it.
        (OURS, "Ana", "Ana", "Anna", Decision.PUT_BACK),
        (THEIRS, "Ana", "Ana", "Anna", Decision.TAKE_OVER),
        (NEWEST, "Ana", "Ana", "Anna", Decision.TAKE_OVER),
        (FILL, "Ana", "Ana", "Anna", Decision.APART),
        # They emptied it.
        (OURS, "Ana", "Ana", "", Decision.PUT_BACK),
        (THEIRS, "Ana", "Ana", "", Decision.TAKE_OVER),
        (NEWEST, "Ana", "Ana", "", Decision.TAKE_OVER),
        (FILL, "Ana", "Ana", "", Decision.PUT_BACK),
        # It was empty on both sides.
        (OURS, "", "", "Ana", Decision.PUT_BACK),
        (FILL, "", "", "Ana", Decision.TAKE_OVER),
        # Both changed it.
        (OURS, "Ana", "Anne", "Anna", Decision.PUT_BACK),
        (THEIRS, "Ana", "Anne", "Anna", Decision.TAKE_OVER),
        (NEWEST, "Ana", "Anne", "Anna", Decision.NOBODY_KNOWS),
        (FILL, "Ana", "Anne", "Anna", Decision.APART),
        # Both changed it to the same, or only we did, or only the spelling differs.
        *[(owner, "Ana", "Anna", "Anna", Decision.NO_NEWS) for owner in Owner],
        *[(owner, "Ana", "Anna", "Ana", Decision.NO_NEWS) for owner in Owner],
        *[(owner, "Zoé  Li", "Zoé  Li", " Zoe\u0301 Li ", Decision.NO_NEWS) for owner in Owner],
    ],
)
def test_L22_each_choice_decides_each_case(owner: Owner, before: str, ours: str, theirs: str, decision: str) -> None:
    assert decide(owner, before, ours, theirs) == decision


@pytest.mark.parametrize("owner", list(Owner))
def test_L22_what_we_sent_ourselves_is_no_change_of_theirs(owner: Owner) -> None:
    """Sent without a clear answer, and edited again here since: their side shows our own older value."""
    assert decide(owner, "Ana", "Anne", "Anna", sent="Anna") == Decision.NO_NEWS
    assert decide(owner, "Ana", "Anne", "Annika", sent="Anna") != Decision.NO_NEWS


def test_L22_with_times_the_later_change_counts_and_a_tie_is_ours() -> None:
    both: Any = {"owner": NEWEST, "before": "Ana", "ours": "Anne", "theirs": "Anna"}
    assert decide(**both, ours_at=EARLY, theirs_at=LATE) == Decision.TAKE_OVER
    assert decide(**both, ours_at=LATE, theirs_at=EARLY) == Decision.OURS_IS_NEWER
    assert decide(**both, ours_at=LATE, theirs_at=LATE) == Decision.OURS_IS_NEWER
    assert decide(**both, ours_at=LATE) == decide(**both, theirs_at=LATE) == Decision.NOBODY_KNOWS


def test_L22_settings_of_an_earlier_version_keep_their_meaning() -> None:
    assert owners_of({}, NAMES) == dict.fromkeys((ADDRESS, *NAMES), OURS)
    earlier = {"who_wins": {"address": "ours", "profile": "theirs"}}
    assert owners_of(earlier, NAMES) == {ADDRESS: OURS, "first_name": THEIRS, "last_name": THEIRS}
    assert owner_of(earlier | {"owners": {"first_name": "fill"}}, "first_name") == FILL
    assert owner_of({"owners": {"first_name": "nonsense", "address": "fill"}}, "first_name") == OURS


def test_L16_an_address_cannot_be_kept_apart() -> None:
    """Whoever gets a new address here must get no mail at the old one, whoever owns addresses."""
    assert FILL not in choices_of(ADDRESS)
    assert owner_of({"owners": {"address": "fill"}}, ADDRESS) == OURS


def test_L22_a_spelling_is_no_difference_and_fields_that_are_not_sent_are_not_known() -> None:
    before = {"first_name": "Ana"}
    assert heard(before, {"first_name": " Ana", "last_name": "Ruiz", "city": "Rome"}, NAMES) == {
        "first_name": "Ana", "last_name": "Ruiz",
    }  # fmt: skip


THERE = Member("ana@x.test", fields={"first_name": "Ana", "last_name": ""}, lists=frozenset("L"), remote_id="7")
HERE = Member("ana@x.test", fields={"first_name": "Anna", "last_name": "Ruiz"}, lists=frozenset("L"))


def planned(owner: Owner, known: Member | None, here: Member = HERE) -> Operation | None:
    """The one operation, if any."""
    wanted = {"c": Wanted(here, owners=dict.fromkeys(NAMES, owner))}
    operations = plan_person("u", {"c": known} if known else {}, wanted).operations
    assert len(operations) <= 1
    return operations[0] if operations else None


def test_L22_the_plan_writes_over_what_they_have_only_where_the_choice_says_so() -> None:
    def fields(owner: Owner) -> object:
        operation = planned(owner, THERE)
        return operation and dict(operation.after.fields)

    assert fields(OURS) == fields(NEWEST) == {"first_name": "Anna", "last_name": "Ruiz"}
    assert fields(THEIRS) is None
    assert fields(FILL) == {"first_name": "Ana", "last_name": "Ruiz"}


def test_L16_L22_a_new_address_is_sent_whoever_owns_it() -> None:
    wanted = {"c": Wanted(HERE.but(address="new@x.test"), owners={ADDRESS: THEIRS, **dict.fromkeys(NAMES, THEIRS)})}
    [operation] = plan_person("u", {"c": THERE}, wanted).operations
    assert (operation.verb, operation.after.address) == (Verb.UPDATE, "new@x.test")
    assert dict(operation.after.fields) == dict(THERE.fields) and not operation.reads_first


def test_L22_somebody_new_gets_everything_but_nobody_who_was_there_is_written_over() -> None:
    for owner in (THEIRS, NEWEST, FILL):
        operation = planned(owner, None)
        assert operation is not None and operation.spares == set(NAMES) and operation.reads_first
        assert dict(operation.after.fields) == dict(HERE.fields)
        assert operation.fields_for() == {}
        assert operation.fields_for({"first_name": "A.", "last_name": ""}) == {"last_name": "Ruiz"}
        assert operation.fields_now({"first_name": "A.", "last_name": "Ruiz"})["first_name"] == "A."
    ours = planned(OURS, None)
    assert ours is not None and ours.fields_for() == HERE.fields and not ours.spares


def test_L22_a_field_is_written_only_where_there_is_still_what_we_knew() -> None:
    operation = planned(NEWEST, THERE)
    assert operation is not None
    assert operation.fields_for({"first_name": "Ana", "last_name": ""}) == HERE.fields
    assert operation.fields_for({"first_name": "Changed", "last_name": ""}) == {"last_name": "Ruiz"}


def test_L8_L22_a_name_made_for_several_is_nobodys_own() -> None:
    """Whoever shared the address and does no longer is greeted alone again, whoever owns names."""
    both = THERE.but(fields={"first_name": "Ada and Ben", "last_name": "Okoro"}, joint=True)
    for owner in Owner:
        operation = planned(owner, both)
        assert operation is not None and dict(operation.after.fields) == dict(HERE.fields)
        assert not operation.spares and not operation.after.joint
    assert Member.from_json(both.to_json()) == both
    assert "joint" not in THERE.to_json()


def test_L22_taking_somebody_off_writes_no_name() -> None:
    wanted = {"c": Wanted(opted_out=True, owners=dict.fromkeys(NAMES, THEIRS))}
    [operation] = plan_person("u", {"c": THERE}, wanted).operations
    assert (operation.verb, operation.after.standing) == (Verb.OPT_OUT, Standing.UNSUBSCRIBED)
    assert operation.fields_for() == {} and not operation.reads_first
    assert spared({}, THERE.fields, THERE) == frozenset() and fields_there({}, HERE.fields, None) == HERE.fields
