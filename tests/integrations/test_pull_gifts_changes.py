"""What is changed, moved or deleted in DonorPerfect follows here; history thanks nobody; and a worker that is killed
anywhere leaves nothing out and does nothing twice (D4, D5, M7, M8)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from contacts.models import Contact, OutsideIdentifier
from contacts.tenancy.walls import in_tenant
from gifts.models import Giving
from integrations import jobs, switching
from integrations.models import Alarm, Connection, GiftRun, GiftRunItem, Switch
from integrations.providers.donor_perfect import gifts as theirs
from integrations.sync import alarms, gift_pages, gift_store, givers
from integrations.sync.serve import serve, waiting
from integrations.sync.turn import Turn
from tasks_app.models import ThankYou
from tests.integrations.giving import DonorPerfectWorld


@pytest.fixture
def world(tenant: Any, donor_perfect: Any) -> DonorPerfectWorld:
    return DonorPerfectWorld(tenant, donor_perfect)


def open_thanks(world: DonorPerfectWorld) -> list[str]:
    with in_tenant(world.tenant):
        return [one.sentence for one in ThankYou.objects.filter(state="open").order_by("pk")]


def totals(world: DonorPerfectWorld) -> dict[str, tuple[Any, int]]:
    with in_tenant(world.tenant):
        return {str(row.contact): (row.total, row.number) for row in Giving.objects.select_related("contact")}


# -- corrections --------------------------------------------------------------------------------


def test_D5_M8_an_adjusted_gift_counts_once_and_is_not_thanked_again(world: DonorPerfectWorld) -> None:
    number = world.gift(world.donor(), 30)
    world.look()
    world.act("adjust_gift", gift=number, amount=20)
    world.look()
    before, after = world.gifts()
    assert (before.counts, before.is_one, after.amount, after.replaces) == (False, False, Decimal(20), before)
    assert totals(world) == {"Ana Ruiz": (20, 1)}
    assert open_thanks(world) == ["Send Ana Ruiz a thank you video. Ana made a $20.00 donation."]
    for kind in ("new", "changes", "new"):
        world.look(kind)
    assert len(world.gifts()) == 2 and totals(world) == {"Ana Ruiz": (20, 1)} and len(open_thanks(world)) == 1


def test_D5_a_gift_adjusted_before_anybody_looked_is_thanked_once(world: DonorPerfectWorld) -> None:
    number = world.gift(world.donor(), 30)
    result = world.act("adjust_gift", gift=number, amount=20)["result"]
    world.act("adjust_gift", gift=result, amount=45)
    world.look()
    assert [gift.amount for gift in world.gifts()] == [45]
    assert open_thanks(world) == ["Send Ana Ruiz a thank you video. Ana made a $45.00 donation."]


def test_D5_corrections_of_corrections_count_once(world: DonorPerfectWorld) -> None:
    number = world.gift(world.donor(), 30)
    world.look()
    for amount in (20, 50):
        number = world.act("adjust_gift", gift=number, amount=amount)["result"]
    world.look()
    number = world.act("adjust_gift", gift=number, amount=60)["result"]
    world.look()
    assert totals(world) == {"Ana Ruiz": (60, 1)} and len(open_thanks(world)) == 1


def test_D4_the_correction_of_a_gift_from_before_the_switch_is_thanked_by_nobody(world: DonorPerfectWorld) -> None:
    with in_tenant(world.tenant):
        switching.turn_off(world.connection, "new_gift")
    number = world.gift(world.donor(), 30)
    with in_tenant(world.tenant):
        switching.turn_on(world.connection, "new_gift", world.user)
    world.act("adjust_gift", gift=number, amount=45)
    world.look()
    assert [(gift.amount, gift.is_history) for gift in world.gifts()] == [(Decimal(45), True)] and open_thanks(
        world
    ) == []


def test_D5_M8_a_refund_takes_the_gift_out_of_totals_and_the_thank_you_back(world: DonorPerfectWorld) -> None:
    number = world.gift(world.donor(), 30)
    world.look()
    world.act("refund_gift", gift=number)
    world.look()
    assert totals(world).get("Ana Ruiz", (0, 0)) == (0, 0) and open_thanks(world) == []


def test_D5_an_edited_gift_is_found_by_the_look_for_changes(world: DonorPerfectWorld) -> None:
    number = world.gift(world.donor(), 30)
    world.look()
    world.act("add_crowd", donors=3, gifts=100, amount=1)  # it is far behind by now
    world.look()
    world.act("edit_gift", gift=number, gift_narrative="In memory of Rosa", amount=35)
    assert world.look().updated == 0
    run = world.look("changes")
    assert (run.state, run.updated) == ("done", 1)
    assert [(gift.amount, gift.comment) for gift in world.gifts(source_id=str(number))] == [
        (Decimal(35), "In memory of Rosa")
    ]


def test_D5_a_gift_that_moves_to_another_donor_there_moves_here(world: DonorPerfectWorld) -> None:
    ana, ben = world.donor(), world.donor(first_name="Ben", email="ben@donors.test")
    number = world.gift(ana, 30)
    world.look()
    world.act("merge_donors", donor=ana, into=ben)
    world.look("changes")
    (gift,) = world.gifts()
    assert str(gift.contact) == "Ben Ruiz" and gift.source_id == str(number)
    assert totals(world)["Ben Ruiz"] == (30, 1)
    assert ("updated", "It has another donor.") in {(outcome, why) for _, outcome, why in world.items()}


def test_D8_a_gift_that_moves_to_a_donor_who_wants_no_mail_counts_here_no_more(world: DonorPerfectWorld) -> None:
    ana, ben = world.donor(), world.donor(first_name="Ben", email="ben@donors.test", nomail="Y")
    world.gift(ana, 30)
    world.look()
    world.act("merge_donors", donor=ana, into=ben)
    world.look("changes")
    (gift,) = world.gifts()
    assert gift.gone_on is not None and not gift.stands and open_thanks(world) == []
    with in_tenant(world.tenant):
        assert Contact.objects.count() == 1


# -- deletion -----------------------------------------------------------------------------------


def test_D5_a_gift_deleted_there_is_marked_and_told_never_silently(world: DonorPerfectWorld) -> None:
    donor = world.donor()
    kept, gone = world.gift(donor, 30), world.gift(donor, 50)
    world.look()
    world.act("delete_gift", gift=gone)
    run = world.look("changes")
    assert (run.state, run.gone) == ("done", 1)
    assert [(gift.source_id, gift.stands) for gift in world.gifts()] == [(str(kept), True), (str(gone), False)]
    assert totals(world) == {"Ana Ruiz": (30, 1)}
    assert (str(gone), "gone", "It was deleted there.") in world.items()
    assert world.look("changes").gone == 0


def test_D5_more_missing_gifts_than_people_delete_are_not_believed(world: DonorPerfectWorld) -> None:
    world.act("add_crowd", donors=10, gifts=5, amount=1)
    world.look()
    world.sandbox.account().database.execute("DELETE FROM dpgift")
    run = world.look("changes")
    assert run.state == "stopped" and run.reason.startswith("50 of 50 gifts") and "another DonorPerfect" in run.reason
    assert all(gift.stands for gift in world.gifts())
    with in_tenant(world.tenant):
        assert [one.pk for one in gift_pages.due("changes")] == [], "not again at once"


def test_D5_all_of_a_small_accounts_gifts_do_not_vanish_at_once(world: DonorPerfectWorld) -> None:
    world.act("add_crowd", donors=2, gifts=3, amount=1)
    world.look()
    world.sandbox.account().database.execute("DELETE FROM dpgift")
    assert world.look("changes").state == "stopped" and all(gift.stands for gift in world.gifts())


def test_D5_somebody_confirms_that_they_were_deleted_and_the_look_goes_on(world: DonorPerfectWorld) -> None:
    world.act("add_crowd", donors=10, gifts=5, amount=1)
    world.look()
    world.sandbox.account().database.execute("DELETE FROM dpgift")
    run = world.look("changes")
    with in_tenant(world.tenant):
        assert run.waits_for_word and gift_pages.confirm(run, world.user)
        assert not gift_pages.confirm(run, world.user), "once"
    world.work()
    run = world.again(run)
    assert (run.state, run.gone, run.reason, run.confirmed_by_id) == ("done", 50, "", world.user.pk)
    assert not any(gift.stands for gift in world.gifts()) and {each for each, _ in totals(world).values()} == {0}


def test_D5_only_the_latest_look_is_confirmed(world: DonorPerfectWorld) -> None:
    world.act("add_crowd", donors=10, gifts=5, amount=1)
    world.look()
    world.sandbox.account().database.execute("DELETE FROM dpgift")
    earlier, later = world.look("changes"), world.look("changes")
    with in_tenant(world.tenant):
        assert not gift_pages.confirm(earlier, world.user)
        switching.turn_off(world.connection, "new_gift")
        assert not gift_pages.confirm(later, world.user)


def test_D5_what_changes_behind_a_look_that_takes_days_is_found_by_the_next(world: DonorPerfectWorld) -> None:
    with in_tenant(world.tenant):
        run = gift_pages.begin(world.connection, "changes")
        assert run is not None
        began = timezone.now() - timedelta(days=9)
        GiftRun.objects.filter(pk=run.pk).update(created_at=began)
    world.work()
    assert world.switch().changes_looked_at == began
    with in_tenant(world.tenant):
        following = gift_pages.begin(world.connection, "changes")
        assert following is not None and following.since is not None
        assert following.since <= began.date() - gift_pages.BACK


# -- history ------------------------------------------------------------------------------------


def test_M7_D4_earlier_gifts_come_in_as_history_and_thank_nobody(world: DonorPerfectWorld) -> None:
    world.gift(world.donor(), 15)
    world.look()
    run = world.look("history")
    assert run.state == "done" and run.new > 500 and run.to_thank == 0
    history, new = world.gifts(is_history=True), world.gifts(is_history=False)
    assert len(new) == 1 and len(history) == run.new and len(open_thanks(world)) == 1
    assert world.look("history").new == 0, "twice is once"
    with in_tenant(world.tenant):
        rows = GiftRunItem.objects.filter(run=run)
        assert set(rows.values_list("outcome", flat=True)) <= {"skipped"}, "told in numbers"
        assert not Contact.objects.filter(do_not_contact=True).exists()


@pytest.mark.usefixtures("world")
def test_D5_history_goes_on_where_it_was_and_new_gifts_overtake_it(world: DonorPerfectWorld, settings: Any) -> None:
    settings.SLICE_SECONDS = 0.0001
    world.gift(world.donor(), 15)
    with in_tenant(world.tenant):
        earlier = gift_pages.begin(world.connection, "history", world.user)
        gift_pages.begin(world.connection, "new")
    assert earlier is not None and serve(world.connection.pk)
    settings.SLICE_SECONDS = 15
    world.work()
    done = world.again(earlier)
    assert done.state == "done" and done.calls == 2 and len(open_thanks(world)) == 1


# -- killed anywhere ----------------------------------------------------------------------------


class Killed(BaseException):
    """What a kill looks like from the inside."""


STEPS: list[tuple[Any, str]] = [
    (theirs, "page"), (givers.Givers, "meet"), (gift_store, "record_gifts"), (gift_store.Page, "write"),
    (gift_pages, "told"), (gift_pages, "over"), (Turn, "success"),
]  # fmt: skip


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("where", "name"), STEPS, ids=[name for _, name in STEPS])
def test_D5_a_worker_killed_at_any_step_misses_no_gift_and_thanks_nobody_twice(
    world: DonorPerfectWorld, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, before: bool
) -> None:
    for first in ("Ana", "Ben"):
        world.gift(world.donor(first_name=first, email=f"{first}@donors.test"), 30)
    real: Callable[..., Any] = getattr(where, name)
    killed: list[bool] = []

    def dies(*args: Any, **kwargs: Any) -> Any:
        if killed:
            return real(*args, **kwargs)
        killed.append(True)
        if not before:
            real(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(where, name, dies)
    with in_tenant(world.tenant):
        gift_pages.begin(world.connection, "new")
    with pytest.raises(Killed):
        serve(world.connection.pk)
    jobs.look_for_gifts()
    world.work()
    assert [gift.amount for gift in world.gifts()] == [30, 30]
    assert len(open_thanks(world)) == 2
    with in_tenant(world.tenant):
        assert Contact.objects.count() == OutsideIdentifier.objects.count() == 2
        assert not GiftRun.objects.filter(state="running").exists()


def test_D5_a_page_read_by_a_frozen_worker_is_not_stored_a_second_time(
    world: DonorPerfectWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.gift(world.donor(), 30)
    real = theirs.page
    been: list[bool] = []

    def slow(*args: Any) -> Any:
        found = real(*args)
        if not been:
            been.append(True)
            with in_tenant(world.tenant):  # the lease runs out, and another worker does it all
                Connection.objects.filter(pk=world.connection.pk).update(lease_until=None)
            serve(world.connection.pk)
        return found

    monkeypatch.setattr(theirs, "page", slow)
    run = world.look()
    assert (run.new, run.calls) == (1, 1) and len(world.gifts()) == 1


# -- by the clock, and in trouble ---------------------------------------------------------------


def test_D5_looks_are_begun_by_the_clock_and_the_sweep_rings_for_them(world: DonorPerfectWorld) -> None:
    world.gift(world.donor(), 30)
    jobs.look_for_gifts()
    with in_tenant(world.tenant):
        assert [run.kind for run in GiftRun.objects.all()] == ["new"], "nothing can have changed yet"
    assert waiting() == [world.connection.pk]
    world.work()
    assert waiting() == [] and len(world.gifts()) == 1
    jobs.look_for_gifts()
    assert waiting() == [], "not before five minutes are over"
    with in_tenant(world.tenant):
        Switch.objects.update(
            looked_at=timezone.now() - timedelta(minutes=6), turned_on_at=timezone.now() - timedelta(1)
        )
    jobs.look_for_gifts()
    with in_tenant(world.tenant):
        assert sorted(GiftRun.objects.filter(state="running").values_list("kind", flat=True)) == ["changes", "new"]


@pytest.mark.parametrize("kind", ["500", "200_empty", "200_html", "429"])
def test_D5_a_vendor_in_trouble_is_left_in_peace_for_a_while_and_nothing_is_missed(
    world: DonorPerfectWorld, kind: str, settings: Any
) -> None:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60
    world.gift(world.donor(), 30)
    world.faults(kind)
    with in_tenant(world.tenant):
        run = gift_pages.begin(world.connection, "new")
    assert run is not None and not serve(world.connection.pk)
    with in_tenant(world.tenant):
        connection = Connection.objects.get(pk=world.connection.pk)
        assert connection.retry_at is not None and connection.failing_since is not None
    assert world.again(run).reason.endswith(".") and world.gifts() == []
    world.faults()
    world.work()
    assert world.again(run).state == "done" and len(world.gifts()) == 1


def test_D2_a_revoked_key_pauses_the_connection_with_a_sentence(world: DonorPerfectWorld) -> None:
    world.act("revoke_key")
    with in_tenant(world.tenant):
        gift_pages.begin(world.connection, "new")
    serve(world.connection.pk)
    with in_tenant(world.tenant):
        connection = Connection.objects.get(pk=world.connection.pk)
        assert connection.state == "reconnect" and "key" in connection.reason


def test_L36_it_is_an_alarm_when_new_gifts_are_not_looked_for(world: DonorPerfectWorld, settings: Any) -> None:
    alarms.look_round()  # somebody is awake
    with in_tenant(world.tenant):
        from integrations.models import Heartbeat

        Heartbeat.objects.update(at=timezone.now() - timedelta(hours=5))
        Heartbeat.objects.filter(name="alarms").update(at=timezone.now())
        Connection.objects.update(connected_at=timezone.now() - timedelta(days=3))
        Switch.objects.update(looked_at=timezone.now() - timedelta(hours=1))
    alarms.look_round()
    with in_tenant(world.tenant):
        assert not Alarm.objects.exists()
        Switch.objects.update(looked_at=timezone.now() - timedelta(hours=3))
    alarms.look_round()
    with in_tenant(world.tenant):
        assert [alarm.kind for alarm in Alarm.objects.all()] == ["gifts"]
        Switch.objects.update(looked_at=timezone.now())
    alarms.look_round()
    with in_tenant(world.tenant):
        assert Alarm.objects.get().cleared_at is not None
