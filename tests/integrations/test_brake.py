"""The brake (L32) at every moment: whatever is committed while a push is under way is looked at before it goes out."""

import time
from typing import Any

import pytest

from contacts import services
from contacts.models import Contact, ContactList, ListMembership
from integrations.models import Connection, RemoteRecord
from integrations.providers.mailchimp import Mailchimp
from integrations.sync import brake, slices
from tests.integrations.engine import World

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture
def world(tenant, sandbox) -> World:
    return World(tenant, sandbox)


@pytest.fixture
def crowd(world) -> tuple[ContactList, list[Contact]]:
    """A list with forty people, all of them there."""
    one = world.a_list()
    people = [world.person(f"p{n}@rivermail.test", one) for n in range(40)]
    world.push()
    return one, people


def take_off(one: ContactList, people: list[Contact]) -> None:
    services.take_off_list(one, Contact.objects.filter(pk__in=[p.pk for p in people]))


def statuses(world: World) -> dict[str, int]:
    """{status: how many of the forty}."""
    state = world.sandbox.state({"account": world.login})["accounts"][world.login]["audiences"][0]
    found: dict[str, int] = {}
    for member in state["members"]:
        if member["email_address"].startswith("p") and member["email_address"].partition("@")[0][1:].isdigit():
            found[member["status"]] = found.get(member["status"], 0) + 1
    return found


def once_before(monkeypatch: Any, owner: Any, name: str, what: Any) -> None:
    """Have this happen just before the next call of a function."""
    real = getattr(owner, name)
    happened: list[bool] = []

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not happened:
            happened.append(True)
            what()
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, wrapped)


def test_L32_a_large_removal_committed_while_others_are_sent_is_held(world, crowd, monkeypatch) -> None:
    one, people = crowd
    once_before(monkeypatch, Mailchimp, "carry_out", lambda: take_off(one, people[:30]))
    Contact.objects.filter(pk=people[35].pk).update(first_name="Changed")
    world.push()
    assert world.there("p35@rivermail.test")["merge_fields"]["FNAME"] == "Changed"
    assert statuses(world) == {"subscribed": 40}
    world.connection.refresh_from_db()
    assert world.connection.brake == {str(one.uid): ["Newsletter", 30, 40]}


@pytest.mark.parametrize("name", ["plan_rows", "places_of", "present_lists"])
def test_L32_a_large_removal_committed_after_the_claim_is_held(world, crowd, monkeypatch, name) -> None:
    """Claimed for the sake of a name, and already off the list when they are read."""
    one, people = crowd
    Contact.objects.filter(pk__in=[p.pk for p in people]).update(last_name="Changed")
    world.connection.refresh_from_db()
    RemoteRecord.objects.update(brake_passed=True)  # they were looked at before
    once_before(monkeypatch, slices, name, lambda: take_off(one, people[:30]))
    world.push()
    assert statuses(world) == {"subscribed": 40}
    world.connection.refresh_from_db()
    assert world.connection.brake == {str(one.uid): ["Newsletter", 30, 40]}


def test_L32_control_without_the_look_at_the_claim_they_are_taken_off(world, crowd, monkeypatch) -> None:
    one, people = crowd
    monkeypatch.setattr(brake, "is_news", lambda rows: False)
    take_off(one, people[:30])
    world.push()
    assert statuses(world)["archived"] == 30


def test_L32_many_small_removals_are_a_large_one(world, crowd, monkeypatch) -> None:
    one, people = crowd
    for start in range(0, 36, 6):
        take_off(one, people[start : start + 6])
        world.push()
    assert statuses(world) == {"archived": 24, "subscribed": 16}
    world.connection.refresh_from_db()
    assert world.connection.brake == {str(one.uid): ["Newsletter", 36, 36]}
    brake.release(world.connection, "Ana")
    world.push()
    assert statuses(world) == {"archived": 36, "subscribed": 4}


def test_L32_what_was_taken_off_long_ago_counts_no_more(world, crowd, monkeypatch) -> None:
    one, people = crowd
    take_off(one, people[:20])
    world.push()
    later = time.time() + brake.LATELY + 1
    monkeypatch.setattr(time, "time", lambda: later)
    take_off(one, people[20:40])
    world.push()
    assert statuses(world) == {"archived": 40}


def test_L32_the_same_person_changed_many_times_counts_once(world, crowd, monkeypatch, settings) -> None:
    one, people = crowd
    settings.SLICE_SECONDS = 0.1
    monkeypatch.setattr(Mailchimp, "carry_out", lambda *_: iter(()))  # nothing gets through
    take_off(one, people[:20])
    for turn in range(3):
        Contact.objects.filter(pk__in=[p.pk for p in people[:20]]).update(first_name=f"Turn {turn}")
        world.push(turns=1)
    world.connection.refresh_from_db()
    assert world.connection.brake == {}


def test_L32_the_share_is_of_those_who_are_really_there(world, crowd, monkeypatch) -> None:
    """Forty are there; a thousand more on the list here cannot leave, as they were never sent."""
    one, people = crowd
    others = Contact.objects.bulk_create([Contact(first_name=f"N{n}", do_not_contact=True) for n in range(1000)])
    ListMembership.objects.bulk_create([ListMembership(contact=c, contact_list=one) for c in others])
    world.push()
    take_off(one, people[:30])
    world.push()
    assert statuses(world) == {"subscribed": 40}
    world.connection.refresh_from_db()
    assert world.connection.brake == {str(one.uid): ["Newsletter", 30, 40]}


def test_L32_deleting_a_large_list_while_others_are_sent_is_held(world, crowd, monkeypatch) -> None:
    one, people = crowd
    once_before(monkeypatch, Mailchimp, "carry_out", one.delete)
    Contact.objects.filter(pk=people[35].pk).update(first_name="Changed")
    since = len(world.calls())
    world.push()
    assert not [c for c in world.writes(since) if c["method"] == "DELETE"]
    assert statuses(world) == {"subscribed": 40}
    assert world.record(people[0]).state == RemoteRecord.State.HELD


def test_L32_a_look_that_takes_long_renews_the_lease_and_goes_on_in_the_next_turn(
    world, crowd, monkeypatch, settings
) -> None:
    one, people = crowd
    settings.LEASE_SECONDS = 0.4
    plan_rows = slices.plan_rows

    def slowly(records: Any, *args: Any) -> Any:
        time.sleep(0.15)
        return plan_rows(records, *args)

    monkeypatch.setattr(brake, "chunks", lambda rows, size=0: [list(rows)[n : n + 10] for n in range(0, len(rows), 10)])
    monkeypatch.setattr(slices, "plan_rows", slowly)
    take_off(one, people[:30])
    world.push()
    assert statuses(world) == {"subscribed": 40}
    assert Connection.objects.get(pk=world.connection.pk).brake == {str(one.uid): ["Newsletter", 30, 40]}
