"""Adopt (L33): people and lists that somebody else made at the vendor become ours only when staff have chosen so."""

from typing import Any

import pytest
from django.db.models import Q

from contacts.models import ConsentEvent, Contact, EmailAddress, ListMembership
from contacts.tenancy.acting import By
from integrations.models import Connection, Delivery, RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.errors import CallFailed, Retry
from integrations.providers import all_providers
from integrations.sync import namesakes, runs
from tests.factories import UserFactory
from tests.integrations.checks import Kind, Mischief, check, classes, crowd, figure, mail, repair
from tests.integrations.engine import AUDIENCES, CONSTANT_CONTACT, World
from tests.integrations.test_list_sync import a_world

pytestmark = pytest.mark.usefixtures("in_tenant")
VERA = "vera@oldtown.test"


@pytest.fixture(params=["tags", AUDIENCES, CONSTANT_CONTACT])
def world(request, tenant) -> World:
    """Each vendor, and each way of modelling."""
    return a_world(request, tenant, request.param)


@pytest.fixture(params=["tags", "constant_contact"])
def shared(request, tenant) -> World:
    """Each vendor, with everybody in one place."""
    return a_world(request, tenant, request.param)


@pytest.fixture
def user(db) -> Any:
    return UserFactory()


def named(world: World, first: str, last: str) -> dict[str, Any]:
    """How the vendor takes a name."""
    if world.provider == "mailchimp":
        return {"merge_fields": {"FNAME": first, "LNAME": last}}
    return {"first_name": first, "last_name": last}


def vera_there(world: World) -> Any:
    """A list that is there, and somebody whom the account holder put on it."""
    news = world.a_list()
    crowd(world, 2, news)
    Mischief(world).add(VERA, news, **named(world, "Vera", "Visitor"))
    return news


# --- strangers ---


def test_L33_who_was_not_put_there_by_us_is_offered_and_left_alone(world, user) -> None:
    news = vera_there(world)
    run = check(world, user)
    assert classes(run) == {VERA: Kind.NOT_OURS}
    item = run.items.get()
    assert (item.label, item.state, item.verb, item.record) == ("Vera Visitor", RunItem.State.SHOWN, "adopt", None)
    assert figure(news) == (2, 2), "they are no difference"
    since = len(world.calls())
    runs.cancel(run, user)
    world.sync()
    check(world, user)
    assert world.writes(since) == [] and world.seen(VERA, news) == "on"
    assert not Contact.objects.filter(first_name="Vera").exists()


def test_L33_by_night_they_are_only_counted(world) -> None:
    vera_there(world)
    run = check(world)
    assert run.state == SyncRun.State.DONE and not run.items.exists()
    assert run.found["not_ours"] == 1


def test_L33_strangers_on_no_list_of_ours_are_nobodys_business(shared, user) -> None:
    crowd(shared, 2, shared.a_list())
    shared.stranger(VERA)
    run = check(shared, user)
    assert not run.items.exists() and run.found["others"] >= 1


def test_L33_L35_who_is_adopted_is_added_here_with_where_their_consent_comes_from(world, user) -> None:
    news = vera_there(world)
    run = check(world, user)
    since = len(world.calls())
    run = repair(world, run)
    assert world.writes(since) == [], "nothing is sent there"
    contact = Contact.objects.get(first_name="Vera", last_name="Visitor")
    assert str(contact.primary_email) == VERA and world.place(contact, news)
    event = ConsentEvent.objects.get(contact_uid=contact.uid)
    assert (event.kind, event.by, event.user, event.list_uid) == ("opt_in", By.STAFF, user, news.uid)
    assert event.source == f"Adopted from {world.connection}" and "when adopted" in event.detail
    record = world.record(contact)
    assert record.due_at is None and next(iter(record.containers.values()))["ours"]
    assert run.state == SyncRun.State.DONE and run.items.get().state == RunItem.State.DONE
    assert figure(news) == (3, 3)
    told = Delivery.objects.get(subject_uid=contact.uid, verb="adopt")
    assert told.run is None and str(user) in told.cause
    # From now on they are kept in step.
    Contact.objects.filter(pk=contact.pk).update(first_name="Veronica")
    world.push()
    assert world.first_name(VERA, news) == "Veronica"
    ListMembership.objects.filter(contact=contact).delete()
    world.push()
    assert world.seen(VERA, news) in ("archived", "off")


def test_L33_somebody_known_here_is_put_on_the_list_and_no_second_contact_is_made(world, user) -> None:
    news = vera_there(world)
    vera = world.person(VERA, first_name="Vera", last_name="Visitor")
    run = check(world, user)
    assert run.items.get().label == "Vera Visitor"
    repair(world, run)
    assert world.place(vera, news) and Contact.objects.filter(last_name="Visitor").count() == 1
    assert figure(news) == (3, 3)


@pytest.mark.parametrize("how", ["before", "after"])
def test_L35_nobody_who_unsubscribed_is_adopted_whenever_they_did(world, user, how) -> None:
    news = vera_there(world)
    if how == "before":
        Mischief(world).leave(VERA, news)
    run = check(world, user)
    if how == "before":
        assert not run.items.filter(state=RunItem.State.SHOWN).exists()
        return
    Mischief(world).leave(VERA, news)
    since = len(world.calls())
    run = repair(world, run)
    assert (run.items.get().state, run.items.get().reason_code) == (RunItem.State.SKIPPED, "opted_out")
    assert run.state == SyncRun.State.DONE
    assert world.writes(since) == [] and world.seen(VERA, news) == "unsubscribed"
    assert not Contact.objects.filter(first_name="Vera").exists()


def test_L35_an_earlier_opt_out_under_that_address_stands_against_it(world, user) -> None:
    news = vera_there(world)
    ConsentEvent.objects.create(
        kind=ConsentEvent.Kind.OPT_OUT, by=By.PERSON, actor_label="The person", source="A form", address=VERA,
        contact_uid="6a3c2a0e-0000-4000-8000-000000000001", contact_name="Vera, deleted since",
    )  # fmt: skip
    run = check(world, user)
    item = run.items.get()
    assert (item.state, item.reason_code) == (RunItem.State.SKIPPED, "opted_out")
    assert run.state == SyncRun.State.DONE and world.seen(VERA, news) == "on", "left alone"


@pytest.mark.parametrize(
    ("state", "reason"),
    [("bounced", "email_bounced"), ("invalid", "email_invalid"), ("complained", "email_complained")],
)
def test_L20_whose_address_here_is_of_no_use_is_not_adopted_and_so_not_switched_off(
    shared, user, state, reason
) -> None:
    vera_there(shared)
    vera = shared.person(VERA)
    EmailAddress.objects.filter(contact=vera).update(state=state)
    run = check(shared, user)
    assert run.items.get().reason_code == reason and not run.items.filter(state=RunItem.State.SHOWN).exists()


def test_L33_an_address_that_is_not_the_primary_one_is_left_alone(shared, user) -> None:
    vera_there(shared)
    vera = shared.person("vera.visitor@rivermail.test")
    EmailAddress.objects.create(contact=vera, address=VERA)
    assert check(shared, user).items.get().reason_code == "other_address"


def test_L33_who_went_meanwhile_is_not_adopted(world, user) -> None:
    news = vera_there(world)
    run = check(world, user)
    Mischief(world).remove(VERA, news)
    run = repair(world, run)
    assert run.items.get().state == RunItem.State.SKIPPED and run.items.get().reason_code in (
        "not_found", "removed_there"
    )  # fmt: skip
    assert not Contact.objects.filter(first_name="Vera").exists()


def test_L33_only_those_who_were_chosen_are_adopted_whatever_is_repaired(shared, user) -> None:
    news = vera_there(shared)
    Mischief(shared).add("walt@oldtown.test", news)
    Mischief(shared).rename(mail(0), news)
    run = check(shared, user)
    run = repair(shared, run, Q(address=VERA) | Q(difference=Kind.DIFFERS))
    assert EmailAddress.objects.filter(address_key=VERA).exists()
    assert not EmailAddress.objects.filter(address_key="walt@oldtown.test").exists()
    assert shared.name_there(mail(0))[0] == "P0"
    assert run.items.get(address="walt@oldtown.test").reason_code == "not_chosen"


def test_L25_a_cancelled_adoption_stops_where_it_is(shared, user) -> None:
    news = vera_there(shared)
    run = check(shared, user)
    runs.confirm(run, user)
    runs.cancel(run, user)
    shared.push()
    assert not Contact.objects.filter(first_name="Vera").exists() and shared.seen(VERA, news) == "on"


# --- those who are kept in step, and were there before us ---


def test_L33_who_was_there_before_us_can_become_ours_altogether(shared, user) -> None:
    news = shared.a_list()
    shared.stranger(VERA)
    vera = shared.person(VERA, news, first_name="Vera")
    shared.push()
    assert not next(iter(shared.record(vera).containers.values()))["ours"]
    run = check(shared, user)
    assert classes(run) == {VERA: Kind.NOT_OURS} and run.items.get().subject_uid == vera.uid
    since = len(shared.calls())
    repair(shared, run)
    assert shared.writes(since) == [] and next(iter(shared.record(vera).containers.values()))["ours"]
    assert not check(shared, user).items.exists()


# --- lists ---


def made_there(world: World, name: str) -> None:
    """The account holder made a list, with somebody on it, before the first Sync."""
    Connection.objects.update(state=Connection.State.READY)
    if world.provider != "mailchimp":
        world.act("holder", "add_list", name=name)
        world.stranger(VERA, name)
    elif world.connection.settings["mode"] == "tags":
        world.stranger(VERA, name)
    else:
        world.act("holder", "rename_audience", new_name=name)


def names_there(world: World) -> list[str]:
    if world.provider != "mailchimp":
        return world.lists_there()  # type: ignore[attr-defined, no-any-return]
    if world.connection.settings["mode"] == "tags":
        return [each.name for each in world.account.audiences[world.audience].segments.values()]
    return [each.name for each in world.account.audiences.values()]


def test_L33_a_preview_offers_the_list_that_is_there_under_the_same_name(world) -> None:
    made_there(world, "Newsletter")
    news = world.a_list()
    ana = world.person("ana@rivermail.test", news)
    run = world.preview()
    item = run.items.get(kind="list")
    assert item.reason_code == "name_taken" and "Newsletter" in item.reason
    assert world.writes() == []
    assert namesakes.choose(run, item, use_it=True)
    run.refresh_from_db()
    assert run.counts == {"use_list": 1, "create": 1}
    runs.confirm(run, None)
    world.push()
    run.refresh_from_db()
    assert run.state == SyncRun.State.DONE and world.record(news).state == RemoteRecord.State.OK
    assert names_there(world).count("Newsletter") == 1
    assert world.seen(ana, news) == "on"
    if world.provider != "mailchimp" or world.connection.settings["mode"] == "tags":
        assert world.seen(VERA, news) == "on", "who is on it there stays on it"


def test_L33_a_choice_can_be_taken_back_and_a_cancelled_preview_adopts_nothing(shared) -> None:
    made_there(shared, "Newsletter")
    news = shared.a_list()
    run = shared.preview()
    item = run.items.get(kind="list")
    assert namesakes.choose(run, item, use_it=True) and namesakes.choose(run, item, use_it=False)
    assert run.counts == {"create_list": 1}
    assert not namesakes.choose(run, item, use_it=False), "that is chosen already"
    namesakes.choose(run, item, use_it=True)
    runs.cancel(run, None)
    assert shared.record(news).effect == RemoteRecord.Effect.NONE


def test_L33_a_list_of_another_name_is_not_offered_and_our_own_never(shared) -> None:
    made_there(shared, "Made there")
    shared.a_list("Gala")
    shared.sync()
    shared.a_list("Newsletter")
    run = shared.preview()
    assert run.items.filter(kind="list").count() <= 1 and not run.items.filter(reason_code="name_taken").exists()


def test_L28_a_preview_does_not_wait_for_a_vendor_that_cannot_tell_its_lists(shared, monkeypatch) -> None:
    def fails(*args: Any) -> Any:
        raise CallFailed(Retry("Not now.", after=3600))

    made_there(shared, "Newsletter")
    shared.a_list()
    monkeypatch.setattr(all_providers()[shared.provider], "lists_there", fails)
    run = shared.preview()
    assert run.state == SyncRun.State.READY and run.counts == {"create_list": 1}
