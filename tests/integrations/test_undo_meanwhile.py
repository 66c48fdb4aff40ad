"""What came between a run and taking it back (L37): a decision of staff, another address, a merge, another account."""

from typing import Any

import pytest
from django.db.models import F

from contacts.duplicates.merge import merge
from contacts.models import Contact, ContactList, ListMembership
from integrations.models import Delivery, RemoteRecord, RunItem, SyncRun
from integrations.sync import brake, runs, taking_back, undoing
from tests.integrations.checks import check
from tests.integrations.engine import AUDIENCES, CONSTANT_CONTACT, World
from tests.integrations.test_list_sync import a_world
from tests.integrations.test_undo import ana as ana
from tests.integrations.test_undo import crowd, emptied, preview, sync, take_back

pytestmark = pytest.mark.usefixtures("in_tenant")
ANA = "ana@crowd.test"


@pytest.fixture(params=["tags", AUDIENCES, CONSTANT_CONTACT])
def world(request: Any, tenant: Any) -> World:
    """Each vendor, and each way of modelling."""
    return a_world(request, tenant, request.param)


@pytest.fixture(params=["tags", "constant_contact"])
def shared(request: Any, tenant: Any) -> World:
    """Each vendor, with everybody in one place."""
    return a_world(request, tenant, request.param)


def marked_and_taken_off(world: World) -> tuple[ContactList, SyncRun]:
    """Staff set Do Not Contact for one list, a Sync carried it out, and then they took the person off that list."""
    one, two = world.a_list(), world.a_list("Volunteers")
    ana = world.person(ANA, one, two)
    world.push()
    assert world.seen(ANA, one) == "on"
    ListMembership.objects.filter(contact=ana, contact_list=one).update(do_not_contact=True)
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    run = sync(world)
    assert world.seen(ANA, one) != "on"
    ListMembership.objects.filter(contact=ana, contact_list=one).delete()
    world.push()
    return one, run


def test_L37_L35_do_not_contact_of_staff_holds_although_they_are_on_that_list_no_more(world: World) -> None:
    one, run = marked_and_taken_off(world)
    undo = take_back(world, run)
    assert world.seen(ANA, one) != "on"
    assert undo.items.get(kind="contact").reason_code == "dnc_list"


def test_L37_L35_control_without_the_kept_mark_they_would_be_put_back(shared: World, monkeypatch: Any) -> None:
    one, run = marked_and_taken_off(shared)
    monkeypatch.setattr(taking_back, "marked_on", lambda *_: set())
    take_back(shared, run)
    assert shared.seen(ANA, one) == "on"


def test_L37_L16_an_address_that_was_replaced_here_is_not_subscribed_again(world: World) -> None:
    one, people, run = emptied(world)
    people[0].email_addresses.update(address="new@crowd.test", address_key="new@crowd.test")
    world.push()
    undo = preview(world, run)
    people[1].email_addresses.update(address="other@crowd.test", address_key="other@crowd.test")
    RemoteRecord.objects.filter(subject_uid=people[1].uid).update(due_at=None, want_version=F("sent_version"))
    runs.confirm(undo, None)
    world.push()
    assert undo.items.get(subject_uid=people[0].uid).reason_code == "address_stays"
    assert {world.seen(f"p{n}@crowd.test", one) for n in (0, 1)} == {"archived"}
    assert world.seen(people[2], one) == "on"


def test_L37_L35_who_unsubscribes_there_after_the_preview_unheard_is_not_put_back(shared: World) -> None:
    one, two = shared.a_list(), shared.a_list("Volunteers")
    people = [shared.person(f"p{n}@crowd.test", one, two, first_name=f"P{n}") for n in range(2)]
    shared.push()
    ListMembership.objects.filter(contact_list=one).delete()
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    run = sync(shared)
    undo = preview(shared, run)
    shared.act("person", "unsubscribe", email="p0@crowd.test")
    runs.confirm(undo, None)
    shared.push()
    assert shared.seen("p0@crowd.test", one) == "unsubscribed"
    assert shared.seen(people[1], one) == "on"
    assert shared.place(people[0], two).do_not_contact, "and it counts here"


def test_L37_L19_who_was_merged_into_somebody_else_after_the_preview_is_not_put_back(world: World) -> None:
    one, people, run = emptied(world)
    undo = preview(world, run)
    other = world.person("kept@crowd.test", first_name="Kept")
    merge(other, people[0])
    runs.confirm(undo, None)
    world.push()
    assert world.seen("p0@crowd.test", one) == "archived"
    assert undo.items.get(subject_uid=people[0].uid).state == RunItem.State.CHANGED
    assert world.seen(people[1], one) == "on"


def test_L37_L8_a_couple_that_was_added_is_switched_off_together(world: World) -> None:
    one = world.a_list()
    world.push()
    for name in ("Ada", "Ben"):
        world.person("home@crowd.test", one, first_name=name)
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    run = sync(world)
    assert world.seen("home@crowd.test", one) == "on"
    take_back(world, run)
    world.push()
    assert world.seen("home@crowd.test", one) == "archived"
    assert taking_back.held_by_undo(world.connection).count() == 2


def test_L37_L8_who_shares_an_address_and_was_on_no_list_does_not_undo_the_undo(shared: World) -> None:
    one = shared.a_list()
    ada = shared.person("home@crowd.test", one, first_name="Ada")
    shared.push()
    ben = shared.person("home@crowd.test", one, first_name="Ben")
    shared.push()
    ListMembership.objects.filter(contact=ben).delete()
    shared.push()
    ListMembership.objects.filter(contact=ada).delete()
    RemoteRecord.objects.filter(subject_uid=ada.uid).update(due_at=None)
    run = sync(shared)
    assert shared.seen("home@crowd.test", one) == "archived"
    take_back(shared, run)
    shared.push()
    assert shared.seen("home@crowd.test", one) == "on"
    assert {shared.record(each).reason_code for each in (ada, ben)} == {"taken_back"}


def test_L37_two_who_confirm_start_it_once(shared: World) -> None:
    _, _, run = emptied(shared)
    undo = preview(shared, run)
    again = SyncRun.objects.get(pk=undo.pk)
    assert [runs.confirm(undo, None), runs.confirm(again, None)] == [True, False]
    shared.push()
    undo.refresh_from_db()
    assert undo.count_outcomes() == {"done": {"enable": 3}}


def test_L37_a_run_of_another_account_cannot_be_taken_back_at_this_one(shared: World) -> None:
    _, _, run = emptied(shared)
    assert undoing.why_not(run) == ""
    runs.leave_account(shared.connection, "Another account was connected.")
    run.refresh_from_db()
    assert "connected to another account" in undoing.why_not(run)


def test_L37_after_another_sync_the_later_one_is_what_can_be_taken_back(shared: World) -> None:
    one, people, run = emptied(shared)
    take_back(shared, run)
    again = sync(shared)
    assert {shared.seen(person, one) for person in people} == {"archived"}
    take_back(shared, again)
    assert {shared.seen(person, one) for person in people} == {"on"}
    assert taking_back.held_by_undo(shared.connection).count() == 3


def test_L37_L24_nobody_is_put_back_in_a_place_that_is_not_used_any_more(tenant: Any, sandbox: Any) -> None:
    world = World(tenant, sandbox)
    one, people, run = emptied(world)
    moved = world.sync({**world.connection.settings, "mode": "audiences"})
    world.connection.refresh_from_db()
    run = SyncRun.objects.get(pk=run.pk)
    undo = take_back(world, run)
    assert {item.reason_code for item in undo.items.all()} == {"list_is_gone"}
    assert {world.standing(str(person.primary_email))[0] for person in people} == {"archived"}
    assert one and "choose the earlier setting again" in undoing.why_not(moved)


def test_L37_L32_after_a_no_to_its_question_nothing_belongs_to_an_undo_any_more(shared: World) -> None:
    one = shared.a_list()
    [cleo] = crowd(shared, one, 1, "cleo")
    added = [shared.person(f"p{n}@crowd.test", one) for n in range(30)]
    Contact.objects.filter(pk=cleo.pk).update(first_name="Wrong")
    RemoteRecord.objects.update(due_at=None)
    run = sync(shared)
    undo = take_back(shared, run)
    assert undo.state == SyncRun.State.ASKING and shared.first_name("cleo0@crowd.test", one) == "P0"
    brake.keep(shared.connection, None)
    assert not RemoteRecord.objects.filter(run__isnull=False).exists()
    Contact.objects.filter(pk=cleo.pk).update(first_name="Later")
    shared.push()
    assert not Delivery.objects.filter(run=undo, after__fields__first_name="Later").exists()
    assert not taking_back.is_taken_back(shared.record(cleo)), "what is heard of her has her looked at again"
    assert {shared.seen(person, one) for person in added} == {"on"}


def test_L37_L31_what_was_taken_back_is_no_news_to_the_check_by_night(world: World, ana: Any) -> None:
    one, people, run = emptied(world)
    ContactList.objects.filter(pk=one.pk).update(name="Wrong")
    RemoteRecord.objects.update(due_at=None)
    renamed = sync(world)
    take_back(world, run)
    take_back(world, renamed)
    by_night = check(world)
    assert (by_night.state, by_night.items.count(), by_night.found["held"]) == (SyncRun.State.DONE, 0, 4)
    by_hand = check(world, ana)
    assert set(by_hand.items.values_list("kind", "reason_code")) == {("list", "taken_back"), ("contact", "taken_back")}
    assert {world.seen(person, one) for person in people} <= {"on", "off"}, "nothing was sent"
