"""Check and Repair (L31): what was changed at the vendor behind our back is found, named, and put right by choice."""

from typing import Any

import pytest
from django.db.models import Q

from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, ListMembership
from integrations.models import Connection, Delivery, ListCheck, RemoteRecord, RunItem, SyncRun
from integrations.providers.mailchimp import everybody
from integrations.sync import runs
from tests.integrations.engine import World

pytestmark = pytest.mark.usefixtures("in_tenant")
Kind = RunItem.Difference


@pytest.fixture
def world(tenant, sandbox) -> World:
    return World(tenant, sandbox)


def crowd(world: World, size: int, *lists: ContactList) -> list[Contact]:
    """So many people on these lists, there as well."""
    people = Contact.objects.bulk_create([Contact(first_name=f"P{n}", last_name="Ruiz") for n in range(size)])
    EmailAddress.objects.bulk_create(
        [EmailAddress(contact=p, address=mail(n), address_key=mail(n), is_primary=True) for n, p in enumerate(people)]
    )
    for one in lists:
        ListMembership.objects.bulk_create([ListMembership(contact=p, contact_list=one) for p in people])
    world.push()
    return people


def mail(number: int) -> str:
    return f"p{number}@rivermail.test"


def check(world: World, user: Any = None) -> SyncRun:
    """Press *Check* and wait for what it finds."""
    run = runs.start(world.connection, user, kind=SyncRun.Kind.CHECK)
    world.push(turns=500)
    run.refresh_from_db()
    return run


def repair(world: World, run: SyncRun, chosen: Q | None = None) -> SyncRun:
    """Choose rows and confirm."""
    assert runs.confirm(run, run.started_by, chosen)
    world.push(turns=500)
    run.refresh_from_db()
    return run


def classes(run: SyncRun) -> dict[str, str]:
    return dict(run.items.values_list("address", "difference"))


def figure(one: ContactList) -> tuple[int, int]:
    found = ListCheck.objects.get(list_uid=one.uid)
    return found.in_step, found.members


def tamper(world: World, people: list[Contact]) -> dict[str, str]:
    """Eight kinds of mischief, one person each: {address as the check shows it: the class that it must have}."""
    gala = ContactList.objects.get(name="Gala")
    out = people[7]
    Contact.objects.filter(pk=out.pk).update(do_not_contact=True)
    world.push()
    world.act("holder", "unsubscribe", email=mail(0))
    since = len(world.writes())
    world.act("person", "update_profile", email=mail(1), merge_fields={"FNAME": "Somebody", "LNAME": "Else"})
    world.act("person", "change_address", email=mail(2), new_email="moved@rivermail.test")
    world.act("holder", "remove_tag", email=mail(3), tag="Newsletter")
    world.act("holder", "add_tag", email=mail(4), tag=gala.name)
    world.act("holder", "archive", email=mail(5))
    world.act("holder", "delete_permanent", email=mail(6))
    world.act("person", "sign_up", email=mail(7))
    world.act("holder", "add_member", email="stranger@rivermail.test", tags=["Newsletter"])
    assert len(world.writes()) == since
    return {
        mail(0): Kind.CONSENT, mail(1): Kind.DIFFERS, mail(2): Kind.DIFFERS, mail(3): Kind.MISSING,
        mail(4): Kind.EXTRA, mail(5): Kind.MISSING, mail(6): Kind.MISSING, mail(7): Kind.CONSENT,
    }  # fmt: skip


def test_L31_each_of_eight_ways_of_tampering_is_listed_with_its_class_and_repaired(world) -> None:
    news, gala = world.a_list(), world.a_list("Gala")
    people = crowd(world, 40, news)
    world.person("gala@rivermail.test", gala)
    world.push()
    expected = tamper(world, people)
    since = len(world.writes())
    run = check(world)
    assert world.writes(0)[since:] == []
    assert classes(run) == expected
    assert run.state == SyncRun.State.READY
