"""What is particular about Constant Contact, through the real engine: bulk work that takes its time, no messages from
the vendor, its counted calls (L9, L23, L25 to L29)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from contacts import services
from contacts.models import ConsentEvent, Contact, ContactList, ListMembership
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant as in_a_tenant
from integrations.models import Connection, Delivery, RemoteRecord, RunItem, SyncRun
from integrations.sync import runs
from integrations.sync.serve import serve
from tests.fakes.faults import Faults
from tests.integrations.checks import check, classes, repair
from tests.integrations.constant_contact import ConstantContactWorld

pytestmark = [pytest.mark.usefixtures("in_tenant"), pytest.mark.django_db]
State = RemoteRecord.State
ANA = "ana@rivermail.test"


@pytest.fixture
def world(tenant: Any, constant_contact: Any, quick_activities: None) -> ConstantContactWorld:
    return ConstantContactWorld(tenant, constant_contact)


def hear(world: ConstantContactWorld) -> list[str]:
    """The hourly reading; what was asked about contacts."""
    since = len(world.calls())
    serve(world.connection.pk, listen=True)
    world.push()
    return [call["query"] for call in world.calls()[since:] if call["path"] == "/v3/contacts"]


def make_due() -> None:
    """As if the time until the vendor is asked again were over."""
    RemoteRecord.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))


# --- bulk work ---


@pytest.mark.once
def test_L5_L29_a_first_Sync_of_two_thousand_takes_few_calls_and_shows_all_of_them(world) -> None:
    Connection.objects.update(state=Connection.State.READY)
    one = world.a_list()
    world.crowd(2000, one)
    run = world.preview()
    assert run.counts == {"create_list": 1, "create": 2000} and world.writes() == []
    assert len(world.calls()) == 3  # who left, who was deleted, and which lists there are
    runs.confirm(run, None)
    calls = world.push()
    run.refresh_from_db()
    assert (run.state, run.outcomes) == (SyncRun.State.DONE, {"done": {"create_list": 1, "create": 2000}})
    assert calls <= 10 and len(world.bulk()) == 1
    assert world.seen("p0@crowd.test", one) == world.seen("p1999@crowd.test", one) == "on"
    assert Delivery.objects.filter(verb="create", outcome="done").count() == 2000
    assert world.push() == 0


def test_L25_bulk_work_that_takes_long_waits_without_trouble_and_is_not_sent_again(world) -> None:
    world.sandbox.options.activity_step_s = 600
    one = world.a_list()
    world.crowd(10, one)
    world.push()
    rows = RemoteRecord.objects.filter(kind="contact")
    assert {(r.state, r.attempts, r.troubles, r.token) for r in rows} == {(State.OK, 0, 0, "")}
    assert all(r.known["tickets"] and r.due_at > timezone.now() for r in rows)
    world.connection.refresh_from_db()
    assert (world.connection.failures, world.connection.retry_at) == (0, None)
    assert not Delivery.objects.filter(kind="contact").exists()
    for _ in range(8):  # more often than a vain attempt would be forgiven
        make_due()
        world.push()
    assert len(world.bulk()) == 1
    world.act("holder", "finish_activities")
    make_due()
    world.push()
    assert len(world.bulk()) == 1 and not rows.filter(due_at__isnull=False).exists()
    assert [world.seen(f"p{n}@crowd.test", one) for n in range(10)] == ["on"] * 10
    assert {(d.verb, d.outcome) for d in Delivery.objects.filter(kind="contact")} == {("create", "done")}


@pytest.mark.parametrize("change", ["DNC", "left the list", "deleted"])
def test_L14_L17_L19_whoever_leaves_while_they_are_being_put_on_is_taken_off_in_the_end(world, change) -> None:
    """Looked at too early, nobody would be found there, and the import would put them on for good."""
    world.sandbox.options.activity_step_s = 600
    one = world.a_list()
    world.crowd(10, one)
    world.push()
    ana = Contact.objects.get(first_name="P3")
    {
        "DNC": lambda: services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), True),
        "left the list": lambda: services.take_off_list(one, Contact.objects.filter(pk=ana.pk)),
        "deleted": ana.delete,
    }[change]()
    world.push()
    assert world.there("p3@crowd.test") is None
    assert world.record(ana).due_at is not None
    world.act("holder", "finish_activities")
    make_due()
    world.push()
    assert world.seen("p3@crowd.test", one) == ("unsubscribed" if change == "DNC" else "archived")
    assert world.seen("p4@crowd.test", one) == "on"
    assert not RemoteRecord.objects.filter(due_at__isnull=False).exists()


def test_L26_a_change_while_they_are_being_put_on_arrives_as_well(world) -> None:
    world.sandbox.options.activity_step_s = 600
    one = world.a_list()
    world.crowd(10, one)
    world.push()
    ana = Contact.objects.get(first_name="P3")
    ana.first_name = "Anna"
    ana.save()
    world.act("holder", "finish_activities")
    make_due()
    world.push()
    assert world.first_name("p3@crowd.test", one) == "Anna"


def test_L27_who_vanished_from_an_import_is_set_aside_with_the_reason_and_the_others_go_on(world) -> None:
    one = world.a_list()
    people = world.crowd(12, one)
    bad, left, gone = people[0], people[1], people[2]
    bad.email_addresses.update(address="nobody@-", address_key="nobody@-")
    for contact, address in ((left, "june.park@rivermail.test"), (gone, "hugo.marchetti@rivermail.test")):
        contact.email_addresses.update(address=address, address_key=address)
    world.push()
    record = world.record(bad)
    assert (record.state, record.reason_code) == (State.SET_ASIDE, "invalid_address")
    assert world.record(left).reason_code == "opted_out" and world.place(left, one).do_not_contact
    assert world.seen("june.park@rivermail.test", one) == "unsubscribed"
    assert all(world.seen(f"p{n}@crowd.test", one) == "on" for n in range(3, 12))
    assert len(world.bulk()) == 1


@pytest.mark.parametrize("end", ["failed", "timed_out", "cancelled"])
def test_L25_an_import_that_failed_there_is_made_up_for(world, end) -> None:
    world.sandbox.options.activity_end = end
    one = world.a_list()
    world.crowd(10, one)
    world.push()
    assert [world.seen(f"p{n}@crowd.test", one) for n in range(10)] == ["on"] * 10


@pytest.mark.parametrize("slow", [True, False])
def test_L25_L28_a_large_import_that_failed_there_is_handed_in_again_and_not_sent_one_by_one(world, slow) -> None:
    world.sandbox.options.activity_end = "failed"
    world.sandbox.options.activity_step_s = 600 if slow else 0.02
    one = world.a_list()
    world.crowd(80, one)
    world.push(turns=1)
    if slow:
        world.act("holder", "finish_activities", state="failed")
        make_due()
        world.push(turns=1)
    assert Delivery.objects.filter(kind="contact", outcome="unclear").count() >= 80
    world.sandbox.options.activity_end, world.sandbox.options.activity_step_s = "completed", 0.02
    Connection.objects.update(retry_at=None)
    make_due()
    world.push()
    assert world.seen("p0@crowd.test", one) == world.seen("p79@crowd.test", one) == "on"
    assert len(world.writes()) == 1 + len(world.bulk())  # the list, and nobody alone


def test_L25_work_that_the_vendor_has_forgotten_is_handed_in_again(world) -> None:
    world.sandbox.options.activity_step_s = 600
    one = world.a_list()
    world.crowd(30, one)
    world.push()
    world.account.activities.clear()
    world.account.waiting.clear()
    world.sandbox.options.activity_step_s = 0.02
    make_due()
    world.push()
    assert world.seen("p29@crowd.test", one) == "on" and len(world.bulk()) == len(world.writes()) - 1 == 2


def test_L29_many_who_leave_the_lists_are_taken_off_together_and_opt_outs_say_whose_they_are(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    people = world.crowd(20, one, two)
    world.push()
    since = len(world.calls())
    services.take_off_list(two, Contact.objects.all())
    world.push()
    assert len(world.bulk(since)) == 1 and len(world.calls()) - since < 8
    assert {world.seen(f"p{n}@crowd.test", two) for n in range(20)} == {"off"}
    services.set_do_not_contact(Contact.objects.filter(pk=people[0].pk), True)
    with acting(By.PERSON, "the sign-up form"):
        services.set_do_not_contact(Contact.objects.filter(pk=people[1].pk), True)
    world.push()
    held = [world.sandbox.contact(f"p{n}@crowd.test") for n in (0, 1)]
    assert [(each.permission, each.opt_out_source) for each in held] == [
        ("unsubscribed", "Account"), ("unsubscribed", "Contact"),
    ]  # fmt: skip


def test_L29_many_who_come_back_on_a_list_are_put_on_it_together_and_nobody_who_left_meanwhile(world) -> None:
    one = world.a_list("One")
    world.crowd(30, one)
    world.push()
    ContactList.objects.filter(pk=one.pk).update(synchronize=False)
    world.connection.settings["brake"] = {"people": 100, "percent": 100}
    world.connection.save()
    world.push()
    assert {world.seen(f"p{n}@crowd.test", one) for n in range(30)} == {"archived"}
    world.act("person", "unsubscribe", email="p3@crowd.test")  # not heard of yet
    world.act("holder", "delete", email="p4@crowd.test")
    since = len(world.calls())
    ContactList.objects.filter(pk=one.pk).update(synchronize=True)
    world.push()
    assert {world.seen(f"p{n}@crowd.test", one) for n in range(30) if n != 3} == {"on"}
    assert world.seen("p3@crowd.test", one) == "unsubscribed"
    assert world.place(Contact.objects.get(first_name="P3"), one).do_not_contact
    assert len(world.bulk(since)) == 1 and len(world.calls()) - since < 12


def test_L29_L31_a_list_that_was_emptied_there_is_compared_without_asking_about_each(world) -> None:
    one = world.a_list("One")
    world.crowd(30, one)
    world.push()
    for n in range(25):
        world.act("holder", "take_off_list", email=f"p{n}@crowd.test", list="One")
    world.act("person", "unsubscribe", email="p0@crowd.test")
    since = len(world.calls())
    run = check(world)
    assert len(world.calls()) - since < 6
    found = classes(run)
    assert found.pop("p0@crowd.test") == RunItem.Difference.CONSENT, "they left, and were on no list besides"
    assert len(found) == 24 and set(found.values()) == {RunItem.Difference.MISSING}
    repair(world, run)
    assert {world.seen(f"p{n}@crowd.test", one) for n in range(1, 30)} == {"on"}
    assert world.seen("p0@crowd.test", one) == "unsubscribed"


def test_L18_a_list_with_many_members_is_deleted_there_and_nobody_is_called_one_by_one(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    world.crowd(20, one)
    world.push()
    since = len(world.calls())
    one.delete()
    world.connection.settings["brake"] = {"people": 100, "percent": 100}
    world.connection.save()
    world.push()
    assert "One" not in world.lists_there() and "Two" in world.lists_there()
    assert world.seen("p5@crowd.test", two) == "archived"
    assert len(world.calls()) - since < 30


# --- no messages from the vendor (L23) ---


def test_L23_opt_outs_are_asked_for_since_the_last_time_and_everybody_once_a_day(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana = world.person(ANA, one, two)
    world.push()
    assert not any("optout_after" in query for query in hear(world))  # the first reading goes through everybody
    world.act("person", "unsubscribe", email=ANA)
    queries = hear(world)
    assert all("status=unsubscribed" in query and "optout_after" in query for query in queries) and len(queries) == 1
    assert world.place(ana, one).do_not_contact and world.place(ana, two).do_not_contact
    word = ConsentEvent.objects.get(contact_uid=ana.uid, kind=ConsentEvent.Kind.OPT_OUT)
    assert (word.by, word.source) == (By.PERSON, "Constant Contact")
    since = len(world.calls())
    world.push()
    assert world.writes(since) == []  # nothing is echoed
    Connection.objects.update(swept_at=timezone.now() - timedelta(hours=23, minutes=1))
    queries = hear(world)
    assert any("status=deleted" in query for query in queries)
    assert not any("optout_after" in query or "updated_after" in query for query in queries)
    assert ConsentEvent.objects.count() == 3  # two memberships and their word: heard often is heard once


def test_L23_what_the_hourly_reading_misses_the_daily_one_finds(world) -> None:
    ana = world.person(ANA, one := world.a_list())
    world.push()
    hear(world)
    world.act("person", "unsubscribe", email=ANA)
    world.sandbox.contact(ANA).opt_out_date -= 5 * 86_400  # as if the filter did not work
    hear(world)
    assert not world.place(ana, one).do_not_contact
    Connection.objects.update(swept_at=timezone.now() - timedelta(days=2))
    hear(world)
    assert world.place(ana, one).do_not_contact


@pytest.mark.parametrize(("who", "code"), [("person", "opted_out"), ("holder", "removed_there")])
def test_L23_L35_who_was_deleted_there_is_noticed_by_the_daily_reading(world, who, code) -> None:
    ana = world.person(ANA, one := world.a_list())
    world.push()
    if who == "person":
        world.act("person", "unsubscribe", email=ANA)
    world.act("holder", "delete", email=ANA)
    hear(world)
    assert world.record(ana).reason_code == code
    assert world.place(ana, one).do_not_contact == (who == "person")


def test_L15_who_was_asked_and_confirmed_is_heard_of_by_the_hourly_reading(world) -> None:
    one = world.a_list()
    people = [world.person(f"p{n}@rivermail.test", one) for n in range(7)]
    world.push()
    for n in range(7):
        world.act("person", "unsubscribe", email=f"p{n}@rivermail.test")
    hear(world)
    ListMembership.objects.update(do_not_contact=False)
    world.push()
    assert {world.record(each).state for each in people} == {State.WAITING}
    assert {world.seen(each, one) for each in people} == {"pending"}
    for n in range(2):
        world.act("person", "confirm", email=f"p{n}@rivermail.test")
    since = len(world.calls())
    hear(world)
    assert [world.record(each).state for each in people] == [State.OK] * 2 + [State.WAITING] * 5
    assert [world.seen(each, one) for each in people[:2]] == ["on"] * 2
    # Those who still wait are read together, and only who is not among them is asked about alone.
    assert len(world.calls()) - since <= 6
    confirmed = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.OPT_IN, by=By.PERSON)
    assert {event.contact_uid for event in confirmed} == {each.uid for each in people[:2]}


def test_L17_being_put_on_a_list_there_by_the_account_holder_is_no_opt_in(world) -> None:
    ana = world.person(ANA, one := world.a_list())
    world.push()
    services.take_off_list(one, Contact.objects.filter(pk=ana.pk))
    world.push()
    world.act("holder", "put_on_list", email=ANA, list="Newsletter")
    hear(world)
    Connection.objects.update(swept_at=None)
    hear(world)
    assert not ConsentEvent.objects.filter(kind=ConsentEvent.Kind.OPT_IN).exists()


def test_L23_a_neighbour_with_the_same_application_key_hears_nothing(world, neighbour) -> None:
    with in_a_tenant(neighbour):
        other = world.another(neighbour, "harbor")
        theirs = other.person(ANA, their_list := other.a_list())
        other.push()
    ana = world.person(ANA, one := world.a_list())
    world.push()
    world.act("person", "unsubscribe", email=ANA)
    hear(world)
    assert world.place(ana, one).do_not_contact
    with in_a_tenant(neighbour):
        serve(other.connection.pk, listen=True)
        other.push()
        assert not other.place(theirs, their_list).do_not_contact
        assert other.seen(theirs, their_list) == "on"


# --- what is sent ---


def test_L12_names_are_cut_to_what_the_vendor_takes_and_that_is_no_difference(world) -> None:
    one = world.a_list()
    ana = world.person(ANA, one, first_name="Maria " * 12)
    world.push()
    held = world.first_name(ANA, one)
    assert len(held) <= 50 and held.startswith("Maria Maria")
    ana.notes = "Met at the fair."
    ana.save()
    assert world.push() == 0


def test_the_choice_to_send_only_addresses_keeps_the_names_there_and_the_other_way_sends_them(world) -> None:
    one = world.a_list()
    ana = world.person(ANA, one)
    world.push()
    run = world.sync({**world.connection.settings, "fields": "address"})
    assert (run.state, run.counts) == (SyncRun.State.DONE, {})  # nobody's name is taken away
    ana.first_name = "Anna"
    ana.save()
    since = len(world.calls())
    world.push()
    assert world.writes(since) == [] and world.first_name(ANA, one) == "Ana"
    services.add_to_list(world.a_list("Two"), Contact.objects.all())
    world.push()
    assert world.standing(ANA) == ("subscribed", ["Newsletter", "Two"]) and world.first_name(ANA, one) == "Ana"
    run = world.sync({**world.connection.settings, "fields": "names"})
    assert run.counts == {"update": 1} and world.first_name(ANA, one) == "Anna"


# --- trouble on the way (L28) ---


@pytest.mark.parametrize("seed", [2])
def test_L25_L28_among_faults_of_every_kind_everything_arrives_in_the_end_and_nobody_twice(world, seed) -> None:
    kinds = ["429", "500", "502_html", "403_html", "cut", "500_applied", "invalid_json", "done_unanswered", "redirect"]
    world.sandbox.faults = Faults.from_json({"kinds": kinds, "share": 0.35, "seed": seed, "limit": 40})
    one, two = world.a_list("One"), world.a_list("Two")
    world.crowd(14, one)
    some = [world.person(f"s{n}@rivermail.test", one, two) for n in range(3)]
    for step in range(60):
        world.push(turns=3)
        if step == 4:
            services.take_off_list(two, Contact.objects.all())
            services.set_do_not_contact(Contact.objects.filter(pk=some[0].pk), True)
            some[1].first_name = "Anna"
            some[1].save()
        Connection.objects.update(retry_at=None, bulk_retry_at=None)
        make_due()
        if step > 4 and not RemoteRecord.objects.filter(due_at__isnull=False).exists():
            break
    assert not RemoteRecord.objects.exclude(state__in=[State.OK, State.SKIPPED]).exists()
    assert [world.seen(f"p{n}@crowd.test", one) for n in range(14)] == ["on"] * 14
    assert [world.seen(each, one) for each in some] == ["unsubscribed", "on", "on"]
    assert [world.seen(each, two) for each in some[1:]] == ["off", "off"]
    assert world.first_name("s1@rivermail.test", one) == "Anna"
    assert world.lists_there() == ["One", "River Friends", "Two"]
    assert world.account.sign_ups == []
