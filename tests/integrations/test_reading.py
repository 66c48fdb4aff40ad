"""Readings of opt-outs that take longer than a turn (L21, L25): they keep the lease and go on where they were."""

import time
from typing import Any

import pytest

from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from integrations.models import Connection, RemoteRecord
from integrations.provider_kit.errors import CallFailed, Retry
from integrations.providers.mailchimp import Mailchimp, webhooks
from integrations.sync import pull, runs
from integrations.sync.lease import Lease
from integrations.sync.serve import serve
from tests.integrations.engine import World

pytestmark = pytest.mark.usefixtures("in_tenant")
SIZE = 60


@pytest.fixture
def world(tenant, sandbox, settings, monkeypatch) -> World:
    """Sixty people there, read twenty at a time."""
    monkeypatch.setattr(webhooks, "PAGE", 20)
    monkeypatch.setattr(webhooks, "OVERLAP", 3)
    world = World(tenant, sandbox)
    one = world.a_list()
    people = Contact.objects.bulk_create([Contact(first_name=f"P{n}") for n in range(SIZE)])
    EmailAddress.objects.bulk_create(
        [EmailAddress(contact=p, address=f"{p.first_name}@rivermail.test".lower(),
                      address_key=f"{p.first_name}@rivermail.test".lower(), is_primary=True) for p in people]
    )  # fmt: skip
    ListMembership.objects.bulk_create([ListMembership(contact=p, contact_list=one) for p in people])
    world.push()
    settings.SLICE_SECONDS = 0.1
    return world


def all_unsubscribe(world: World) -> None:
    for n in range(SIZE):
        world.act("person", "unsubscribe", email=f"p{n}@rivermail.test")


def left() -> int:
    """How many places on the list are marked Do Not Contact here."""
    return ListMembership.objects.filter(contact_list=ContactList.objects.get(), do_not_contact=True).count()


def test_L21_a_reading_that_takes_many_turns_comes_to_its_end(world, monkeypatch) -> None:
    all_unsubscribe(world)
    slow = pull.apply

    def slowly(*args: Any) -> str:
        time.sleep(0.01)
        return slow(*args)

    monkeypatch.setattr(pull, "apply", slowly)
    assert serve(world.connection.pk, listen=True)  # there is more to do
    assert 0 < left() < SIZE
    assert Connection.objects.get().listened_at is None
    world.push(turns=500)
    assert left() == SIZE
    assert Connection.objects.get().reading == "" and Connection.objects.get().listened_at is not None
    pages = [c["query"] for c in world.calls() if "status=unsubscribed" in c["query"]]
    assert any("offset=17" in query for query in pages)


def test_L21_a_reading_of_thousands_of_strangers_goes_on_and_does_not_begin_anew(world, monkeypatch) -> None:
    """Nobody here is among them, so nothing but the place that is kept tells how far it came."""
    for n in range(90):
        world.act("holder", "add_member", email=f"old{n}@rivermail.test", status="unsubscribed")
    page = Mailchimp.opt_outs_page

    def slowly(*args: Any) -> Any:
        time.sleep(0.11)
        return page(*args)

    monkeypatch.setattr(Mailchimp, "opt_outs_page", slowly)
    since, turns = len(world.calls()), 1
    while serve(world.connection.pk, listen=turns == 1) and turns < 30:
        turns += 1
    assert turns >= 5  # a page each
    pages = [c["query"] for c in world.calls()[since:]]
    assert len(pages) == len(set(pages)), "no page was read twice"
    assert Connection.objects.get().listened_at is not None


def test_L28_a_reading_that_the_vendor_interrupts_goes_on_there(world, monkeypatch, settings) -> None:
    settings.SLICE_SECONDS = 60
    all_unsubscribe(world)
    page, asked = Mailchimp.opt_outs_page, []

    def breaking(provider: Any, container: str, cursor: str, places: Any, since: Any) -> Any:
        asked.append(cursor)
        if len(asked) == 2:
            raise CallFailed(Retry("A pause.", after=60))
        return page(provider, container, cursor, places)

    monkeypatch.setattr(Mailchimp, "opt_outs_page", breaking)
    serve(world.connection.pk, listen=True)
    Connection.objects.update(retry_at=None)
    world.push()
    assert asked[2] == asked[1] != ""
    assert left() == SIZE


def test_L25_a_long_reading_keeps_its_lease(world, monkeypatch, settings) -> None:
    settings.LEASE_SECONDS, settings.SLICE_SECONDS = 1.2, 60
    all_unsubscribe(world)
    slow, rivals = pull.apply, []

    def slowly(*args: Any) -> str:
        time.sleep(0.05)
        rivals.append(Lease.take(world.connection))
        return slow(*args)

    monkeypatch.setattr(pull, "apply", slowly)
    serve(world.connection.pk, listen=True)
    assert left() == SIZE
    assert len(rivals) == SIZE and not any(rivals)


def test_L5_a_preview_waits_for_the_end_of_the_reading(world, monkeypatch) -> None:
    all_unsubscribe(world)
    run = runs.start(world.connection, None)
    world.push(turns=500)
    run.refresh_from_db()
    assert Connection.objects.get().reading == ""
    assert run.counts == {"skip": SIZE}
    assert not RemoteRecord.objects.filter(due_at__isnull=False).exists()
