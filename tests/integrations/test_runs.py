"""Sync: preview, confirm, carry out what was shown and still holds; the brake; stopping and pressing twice."""

import pytest
from django.db import connection as db_connection

from contacts import services
from contacts.models import Contact, ListMembership
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.providers import provider_for
from integrations.sync import brake, reading, runs
from tests.integrations.engine import World

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture
def world(tenant, sandbox) -> World:
    world = World(tenant, sandbox)
    Connection.objects.update(state=Connection.State.READY)
    return world


def crowd(world: World, size: int, *lists) -> list[Contact]:
    return [world.person(f"p{n}@rivermail.test", *lists, first_name=f"P{n}") for n in range(size)]


def test_L5_the_preview_shows_everything_and_writes_nothing_there(world) -> None:
    one = world.a_list()
    crowd(world, 3, one)
    world.person("dnc@rivermail.test", one, do_not_contact=True)
    world.person("", one)
    run = world.preview()
    assert run.state == SyncRun.State.READY
    assert run.counts == {"create_list": 1, "create": 3, "skip": 2}
    assert world.writes() == []
    assert sorted(run.items.filter(verb="skip").values_list("reason_code", flat=True)) == ["dnc_contact", "no_email"]


def test_L5_before_the_first_sync_is_confirmed_nothing_is_sent(world) -> None:
    one = world.a_list()
    ana = world.person("ana@rivermail.test", one)
    assert world.push() == 0
    world.sync()
    assert world.standing("ana@rivermail.test") == ("subscribed", ["Newsletter"])
    ana.first_name = "Anna"
    ana.save()
    world.push()
    assert world.there("ana@rivermail.test")["merge_fields"]["FNAME"] == "Anna"


def test_L5_the_report_tells_what_came_of_every_row(world) -> None:
    one = world.a_list()
    crowd(world, 2, one)
    world.person("fake@example.com", one)
    run = world.sync()
    assert run.state == SyncRun.State.DONE
    found = dict(run.items.values_list("address", "state"))
    assert found["p0@rivermail.test"] == found["p1@rivermail.test"] == RunItem.State.DONE
    refused = run.items.get(address="fake@example.com")
    assert (refused.state, refused.reason_code) == (RunItem.State.REFUSED, "fake_address")
    assert refused.reason


def test_L5_pressing_twice_never_runs_twice(world) -> None:
    one = world.a_list()
    crowd(world, 2, one)
    run = world.preview()
    assert runs.confirm(run, None) and not runs.confirm(run, None)
    assert runs.start(world.connection, None).pk == run.pk
    world.push()
    assert len([c for c in world.writes() if c["path"].endswith(f"/lists/{world.audience}")]) == 1


def test_L5_a_second_sync_with_nothing_changed_writes_nothing(world) -> None:
    one = world.a_list()
    crowd(world, 5, one)
    world.sync()
    since = len(world.calls())
    run = world.sync()
    assert (run.state, run.unchanged, run.items.count()) == (SyncRun.State.DONE, 5, 0)
    assert world.writes(since) == []


def test_a_row_changed_after_the_preview_goes_out_as_it_is_now_and_the_report_says_so(world) -> None:
    one = world.a_list()
    ana, ben = crowd(world, 2, one)
    run = world.preview()
    ana.first_name = "Changed"
    ana.save()
    ListMembership.objects.filter(contact=ben).update(do_not_contact=True)
    runs.confirm(run, None)
    world.push()
    assert world.there("p0@rivermail.test")["merge_fields"]["FNAME"] == "Changed"
    assert world.there("p1@rivermail.test") is None


def test_the_run_carries_out_nothing_that_was_not_shown(world) -> None:
    """What is due for another reason than a change here, and was not shown, is not sent by the run."""
    one = world.a_list()
    crowd(world, 2, one)
    run = world.preview()
    shown = RunItem.objects.filter(run=run, address="p1@rivermail.test")
    shown.update(plan_hash="something else was shown", operations=[])
    runs.confirm(run, None)
    world.push()
    assert world.there("p0@rivermail.test") is not None
    assert world.there("p1@rivermail.test") is None
    assert run.items.get(address="p1@rivermail.test").state == RunItem.State.CHANGED


def test_L27_a_refused_list_keeps_nobody_off_their_other_lists(world) -> None:
    world.act("holder", "add_member", email="x@rivermail.test", tags=["Two"])
    one, two = world.a_list("One"), world.a_list("Two")
    world.person("ana@rivermail.test", one, two)
    ben = world.person("ben@rivermail.test", two)
    world.sync()
    assert world.record(two).reason_code == "name_taken"
    assert world.standing("ana@rivermail.test") == ("subscribed", ["One"])
    assert world.record(ben).reason_code == "list_not_there_yet"


def test_a_cancelled_run_sends_no_more(world) -> None:
    one = world.a_list()
    crowd(world, 2, one)
    run = world.preview()
    runs.confirm(run, None)
    runs.cancel(run, "Ana")
    world.push()
    assert world.there("p0@rivermail.test") is None
    run.refresh_from_db()
    assert run.state == SyncRun.State.CANCELLED


def test_L32_taking_many_off_a_list_stops_before_the_first_and_asks(world) -> None:
    one = world.a_list()
    people = crowd(world, 40, one)
    world.sync()
    services.take_off_list(one, Contact.objects.filter(pk__in=[p.pk for p in people[:30]]))
    since = len(world.calls())
    world.push()
    assert world.writes(since) == []
    world.connection.refresh_from_db()
    assert world.connection.brake == {str(one.uid): ["Newsletter", 30, 40]}
    brake.release(world.connection, "Ana")
    world.push()
    statuses = [world.standing(f"p{n}@rivermail.test")[0] for n in range(40)]
    assert (statuses.count("archived"), statuses.count("subscribed")) == (30, 10)


def test_L32_leaving_them_keeps_everybody_until_something_changes(world) -> None:
    one = world.a_list()
    people = crowd(world, 30, one)
    world.sync()
    services.take_off_list(one, Contact.objects.filter(pk__in=[p.pk for p in people]))
    world.push()
    brake.keep(world.connection, "Ana")
    since = len(world.calls())
    world.push()
    assert world.writes(since) == []
    services.add_to_list(one, Contact.objects.filter(pk__in=[p.pk for p in people]))
    world.push()
    assert {world.standing(f"p{n}@rivermail.test")[0] for n in range(30)} == {"subscribed"}
    assert not RemoteRecord.objects.filter(state=RemoteRecord.State.HELD).exists()


def test_L32_a_few_removals_need_no_answer_and_opt_outs_never_do(world) -> None:
    one = world.a_list()
    people = crowd(world, 40, one)
    world.sync()
    services.take_off_list(one, Contact.objects.filter(pk__in=[p.pk for p in people[:5]]))
    services.set_do_not_contact(Contact.objects.filter(pk__in=[p.pk for p in people[5:]]), True)
    world.push()
    statuses = [world.standing(f"p{n}@rivermail.test")[0] for n in range(40)]
    assert (statuses.count("archived"), statuses.count("unsubscribed")) == (5, 35)


def test_L32_deleting_a_large_list_is_held_back_as_well(world) -> None:
    one = world.a_list()
    crowd(world, 30, one)
    world.sync()
    one.delete()
    since = len(world.calls())
    world.push()
    assert world.writes(since) == []
    brake.release(world.connection, "Ana")
    world.push()
    assert {world.standing(f"p{n}@rivermail.test")[0] for n in range(30)} == {"archived"}


def test_L32_a_sync_that_would_take_many_off_says_so_in_the_preview_and_asks_when_run(world) -> None:
    one = world.a_list()
    people = crowd(world, 30, one)
    world.sync()
    # Changes that no signal told of, such as a restored backup: only Sync notices them.
    ListMembership.objects.with_scopes_disabled().filter(contact__in=people)._raw_delete("default")
    run = world.preview()
    assert run.removals == {str(one.uid): ["Newsletter", 30, 30]}
    runs.confirm(run, None)
    world.push()
    run.refresh_from_db()
    assert run.state == SyncRun.State.ASKING
    brake.release(world.connection, "Ana")
    world.push()
    run.refresh_from_db()
    assert run.state == SyncRun.State.DONE
    assert world.standing("p0@rivermail.test")[0] == "archived"


def test_L32_a_yes_about_one_list_is_none_about_another_that_was_to_be_left_alone(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    people = crowd(world, 30, one)
    others = [world.person(f"q{n}@rivermail.test", two) for n in range(30)]
    world.sync()
    services.take_off_list(one, Contact.objects.filter(pk__in=[p.pk for p in people]))
    world.push()
    brake.keep(world.connection, "Ana")
    services.take_off_list(two, Contact.objects.filter(pk__in=[p.pk for p in others]))
    world.push()
    assert brake.release(world.connection, "Ana") == 30
    world.push()
    assert world.record(people[0]).reason_code == "kept"
    assert {r.known["containers"].popitem()[1]["standing"] for r in map(world.record, people)} == {"subscribed"}
    assert {r.known["containers"].popitem()[1]["standing"] for r in map(world.record, others)} == {"archived"}


def test_L32_a_question_that_settles_itself_leaves_nobody_held(world) -> None:
    one = world.a_list()
    people = crowd(world, 30, one)
    world.sync()
    services.take_off_list(one, Contact.objects.filter(pk__in=[p.pk for p in people]))
    world.push()
    services.add_to_list(one, Contact.objects.filter(pk__in=[p.pk for p in people[:10]]))
    world.push()
    world.connection.refresh_from_db()
    assert world.connection.brake == {}
    assert not RemoteRecord.objects.filter(state=RemoteRecord.State.HELD).exists()
    statuses = [r.known["containers"].popitem()[1]["standing"] for r in map(world.record, people)]
    assert (statuses.count("subscribed"), statuses.count("archived")) == (10, 20)


def test_L24_L35_who_opted_out_where_everybody_lived_stays_out_when_lists_move(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana = world.person("ana@rivermail.test", one)
    world.sync()
    world.act("person", "unsubscribe", email="ana@rivermail.test")
    with provider_for(world.connection) as provider:
        reading.listen(world.connection, provider)
    services.add_to_list(two, Contact.objects.all())
    world.sync({**world.connection.settings, "mode": "audiences"})
    assert world.standing("ana@rivermail.test", world.record(two).known["ids"][f"list:{two.uid}"]) is None
    assert world.record(ana).reason_code == "opted_out"


def test_L24_changing_to_an_audience_per_list_is_previewed_and_loses_nobody(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    crowd(world, 3, one, two)
    world.sync()
    changed = {**world.connection.settings, "mode": "audiences"}
    run = world.preview(changed)
    assert run.counts == {"create_list": 2, "move": 3}  # and nobody is “added” or “taken off”
    assert run.removals == {}
    world.connection.refresh_from_db()
    assert world.connection.settings["mode"] == "tags"  # nothing has changed yet
    runs.confirm(run, None)
    world.push()
    world.connection.refresh_from_db()
    assert world.connection.settings["mode"] == "audiences"
    for one_list in (one, two):
        audience = world.record(one_list).known["ids"][f"list:{one_list.uid}"]
        assert world.standing("p0@rivermail.test", audience)[0] == "subscribed"
    assert world.standing("p0@rivermail.test")[0] == "archived"


@pytest.mark.parametrize(("before", "now"), [("tags", "audiences"), ("audiences", "tags")])
def test_L14_L24_do_not_contact_on_a_list_that_moves_unsubscribes_where_they_were(tenant, sandbox, before, now) -> None:
    world = World(tenant, sandbox, before)
    one, two = world.a_list("One"), world.a_list("Two")
    ana, ben = (world.person(f"{name}@rivermail.test", *on) for name, on in (("ana", [one]), ("ben", [one, two])))
    world.person("cleo@rivermail.test", one)
    world.sync()
    old = world.home(one)
    ListMembership.objects.filter(contact__in=[ana, ben], contact_list=one).update(do_not_contact=True)
    RemoteRecord.objects.update(due_at=None)  # they go with the Sync that moves the lists
    run = world.sync({**world.connection.settings, "mode": now})
    assert run.state == SyncRun.State.DONE
    world.connection.refresh_from_db()
    stands = {name: world.standing(f"{name}@rivermail.test", old) for name in ("ana", "ben", "cleo")}
    assert stands["ana"][0] == "unsubscribed"
    # Ben still hears from the other list: of one place he only leaves, of a place of its own he is unsubscribed.
    assert stands["ben"][0] == {"tags": "archived", "audiences": "unsubscribed"}[before]
    assert world.seen("cleo@rivermail.test", one) == "on" and world.seen("ben@rivermail.test", two) == "on"
    assert world.seen("ana@rivermail.test", one) != "on" and world.seen("ben@rivermail.test", one) != "on"


def test_L4_after_disconnect_nothing_is_sent_and_the_history_stays(world) -> None:
    one = world.a_list()
    [ana] = crowd(world, 1, one)
    world.sync()
    runs.stop_all(world.connection, "Disconnected")
    Connection.objects.update(state=Connection.State.NOT_CONNECTED)
    ana.first_name = "Anna"
    ana.save()
    assert world.push() == 0
    assert world.connection.deliveries.count() > 0


@pytest.mark.once
def test_L29_a_first_sync_of_10000_needs_at_most_25_calls(world) -> None:
    one = world.a_list()
    world.preview()  # warm
    Contact.objects.bulk_create([Contact(first_name=f"P{n}") for n in range(10_000)], batch_size=500)
    from contacts.models import EmailAddress

    people = list(Contact.objects.all())
    EmailAddress.objects.bulk_create(
        [
            EmailAddress(
                contact=p, address=f"{p.first_name}@rivermail.test",
                address_key=f"{p.first_name}@rivermail.test".lower(), is_primary=True,
            )  # fmt: skip
            for p in people
        ],
        batch_size=500,
    )  # fmt: skip
    ListMembership.objects.bulk_create([ListMembership(contact=p, contact_list=one) for p in people], batch_size=500)
    with db_connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # in life the database has done so long before there are 10,000
    since = len(world.calls())
    run = world.sync()
    assert run.state == SyncRun.State.DONE
    assert world.standing("p9999@rivermail.test") == ("subscribed", ["Newsletter"])
    assert len(world.calls()) - since <= 25


def test_L32_the_limits_are_settable(world) -> None:
    world.connection.settings["brake"] = {"people": 3, "percent": 10}
    world.connection.save()
    one = world.a_list()
    people = crowd(world, 8, one)
    world.sync()
    services.take_off_list(one, Contact.objects.filter(pk__in=[p.pk for p in people[:4]]))
    since = len(world.calls())
    world.push()
    assert world.writes(since) == []
    world.connection.refresh_from_db()
    assert world.connection.brake == {str(one.uid): ["Newsletter", 4, 8]}
    assert brake.chosen({}).of(100) == 25 and brake.chosen({}).of(1000) == 50


def test_L24_nobody_leaves_the_old_audience_for_a_list_that_the_plan_has_no_place_for(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    crowd(world, 3, one)
    ben = world.person("ben@rivermail.test", two)
    world.sync()
    world.act("holder", "set_account", max_instances=2)  # one audience more, where two are needed
    run = world.sync({**world.connection.settings, "mode": "audiences"})
    assert run.state == SyncRun.State.DONE
    refused = run.items.get(reason_code="plan_limit")
    moved, left = (two, one) if refused.subject_uid == one.uid else (one, two)
    assert f"list:{moved.uid}" in world.record(moved).known["ids"]
    for contact in Contact.objects.filter(memberships__contact_list=left):
        assert world.standing(contact.primary_email.address)[0] == "subscribed"
        assert world.record(contact).reason_code == "list_not_there_yet"
    assert ben.memberships.count() == 1


def test_L24_whom_the_new_audience_refuses_stays_in_the_old_one(world) -> None:
    one = world.a_list("One")
    ana, ben = world.person("ana@rivermail.test", one), world.person("ben@rivermail.test", one)
    world.sync()
    tags = world.connection.settings
    world.sync({**tags, "mode": "audiences"})
    audience = world.record(one).known["ids"][f"list:{one.uid}"]
    # Erased for good in the audience that they are to return to: Mailchimp takes nobody back who was forgotten.
    world.act("holder", "delete_permanent", email="ana@rivermail.test")
    since = len(world.calls())
    run = world.sync(tags)
    assert world.standing("ana@rivermail.test", audience)[0] == "subscribed"
    assert [world.standing("ben@rivermail.test", a)[0] for a in (world.audience, audience)] == [
        "subscribed",
        "archived",
    ]
    assert world.record(ana).reason_code == "forgotten"
    assert run.state == SyncRun.State.DONE
    assert (run.items.get(subject_uid=ana.uid).state, run.items.get(subject_uid=ben.uid).state) == ("refused", "done")
    writes = [call["path"].split("/lists/")[1].split("/")[0] for call in world.writes(since)]
    assert writes.index(world.audience) < writes.index(audience), "on before off"
    again = world.preview()
    assert again.counts == {"skip": 1}, "it is not shown as something that will be done"


def test_L24_L32_the_brake_counts_those_who_would_be_in_neither_place(world) -> None:
    one = world.a_list("One")
    people = crowd(world, 30, one)
    world.sync()
    tags = world.connection.settings
    world.sync({**tags, "mode": "audiences"})
    for person in people:  # somebody brought them back there and archived them again, which is for us to leave alone
        row = world.record(person)
        row.known["containers"][f"audience:{world.audience}"] |= {"standing": "removed", "lists": [str(one.uid)]}
        row.save()
    run = world.preview(tags)
    assert run.removals == {str(one.uid): ["One", 30, 30]}
