"""Who owns which field (L22): the tenant's choice, seen from a change on either side to what is there and here."""

from datetime import timedelta
from typing import Any

import pytest

from contacts import households
from contacts.models import Contact, EmailAddress, ListMembership
from contacts.tenancy.walls import in_tenant as inside
from integrations.models import Delivery
from integrations.providers import provider_for
from integrations.sync import pull, slices
from integrations.sync.corrections import changed_here
from tests.integrations.constant_contact import ConstantContactWorld
from tests.integrations.engine import CONSTANT_CONTACT, World

pytestmark = pytest.mark.usefixtures("in_tenant")
ANA = "ana@rivermail.test"
EVERY = ["ours", "theirs", "newest", "fill"]


@pytest.fixture(params=["tags", CONSTANT_CONTACT])
def world(request: Any, tenant: Any) -> World:
    """Each vendor."""
    if request.param == "constant_contact":
        request.getfixturevalue("quick_activities")
        return ConstantContactWorld(tenant, request.getfixturevalue("constant_contact"))
    return World(tenant, request.getfixturevalue("sandbox"))


def choose(world: World, names: str = "ours", address: str = "ours") -> None:
    """What the settings page would keep."""
    world.connection.settings["owners"] = {"address": address, "first_name": names, "last_name": names}
    world.connection.save()


def look(world: World, *addresses: str) -> None:
    """As if the vendor had told of these addresses, and whatever follows."""
    with provider_for(world.connection) as provider:
        container = slices.policy_of(world.connection).container
        places = slices.places_of(world.connection)
        found = [provider.look(container, each, "", places) for each in addresses]
    pull.apply(world.connection, container, next(filter(None, found)), addresses)
    world.push()


def rename(contact: Contact, first: str) -> None:
    """Staff change the first name."""
    contact = Contact.objects.get(pk=contact.pk)
    contact.first_name = first
    contact.save()


def here(contact: Contact) -> str:
    return str(Contact.objects.get(pk=contact.pk).first_name)


def told(contact: Contact) -> str:
    """What the history says of the last thing that was heard."""
    return str(Delivery.objects.filter(subject_uid=contact.uid, verb="heard").latest("pk").answer)


@pytest.mark.parametrize(
    ("owner", "ends"),
    [("ours", ("Ana", "Ana")), ("theirs", ("Anna", "Anna")), ("newest", ("Anna", "Anna")), ("fill", ("Ana", "Anna"))],
)
def test_L22_a_name_that_was_changed_there_ends_as_chosen_and_then_nothing_moves(world, owner, ends) -> None:
    choose(world, owner)
    ana = world.person(ANA, world.a_list())
    world.push()
    world.rename_there(ANA, "Anna")
    look(world, ANA)
    assert (here(ana), world.name_there(ANA)[0]) == ends
    since = len(world.writes())
    look(world, ANA)
    world.push()
    assert world.writes()[since:] == []


@pytest.mark.parametrize(("owner", "there"), [("ours", "Anne"), ("theirs", "Ana"), ("newest", "Anne"), ("fill", "Ana")])
def test_L22_a_name_that_was_changed_here_is_sent_as_chosen(world, owner, there) -> None:
    choose(world, owner)
    ana = world.person(ANA, world.a_list())
    world.push()
    rename(ana, "Anne")
    world.push()
    assert (here(ana), world.name_there(ANA)[0]) == ("Anne", there)
    run = world.preview()
    assert run.counts.get("update", 0) == 0


@pytest.mark.parametrize(
    ("owner", "ends"), [("ours", ("Anne", "Anne")), ("theirs", ("Anne", "Anna")), ("fill", ("Anne", "Anna"))]
)
def test_L22_what_was_changed_on_both_sides_before_either_heard(world, owner, ends) -> None:
    """Nobody told us of their change: where theirs counts it is not written over, and comes here once it is heard."""
    choose(world, owner)
    ana = world.person(ANA, world.a_list())
    world.push()
    world.rename_there(ANA, "Anna")
    rename(ana, "Anne")
    world.push()
    assert (here(ana), world.name_there(ANA)[0]) == ends
    look(world, ANA)
    assert (here(ana), world.name_there(ANA)[0]) == (("Anna", "Anna") if owner == "theirs" else ends)


@pytest.mark.parametrize("is_theirs_later", [True, False])
def test_L22_of_two_changes_the_newer_one_counts_though_nobody_told_of_theirs(
    world, is_theirs_later, monkeypatch
) -> None:
    choose(world, "newest")
    ana = world.person(ANA, world.a_list())
    world.push()
    seconds = 100 if is_theirs_later else -100
    monkeypatch.setattr("integrations.sync.corrections.changed_here", earlier_by(seconds))
    world.rename_there(ANA, "Anna")
    rename(ana, "Anne")
    world.push()
    assert (here(ana), world.name_there(ANA)[0]) == (("Anna", "Anna") if is_theirs_later else ("Anne", "Anne"))
    assert told(ana) == (
        "First name changed there and taken over here." if is_theirs_later
        else "First name changed there and, later, here; ours is put back."
    )  # fmt: skip


def earlier_by(seconds: int) -> Any:
    """As if the change here had been made so long before now; the vendors' clocks count whole seconds."""

    def then(contact: Contact, *fields: str) -> Any:
        at = changed_here(contact, *fields)
        return at and at - timedelta(seconds=seconds)

    return then


def test_L22_where_no_time_tells_which_is_newer_ours_counts_and_the_history_says_so(world, monkeypatch) -> None:
    monkeypatch.setattr("integrations.providers.mailchimp.members.time_of", lambda stamp: None)
    monkeypatch.setattr("integrations.providers.constant_contact.members.changed_at", lambda row: None)
    choose(world, "newest")
    ana = world.person(ANA, world.a_list())
    world.push()
    world.rename_there(ANA, "Anna")
    rename(ana, "Anne")
    world.push()
    assert (here(ana), world.name_there(ANA)[0]) == ("Anne", "Anne")
    assert told(ana) == "First name changed there and here, and nobody can tell which is newer; ours is put back."


@pytest.mark.parametrize(
    ("owner", "full", "empty"),
    [
        ("ours", ("Ana", "Ana"), ("Ana", "Ana")),
        ("theirs", ("Theirs", "Theirs"), ("Ana", "Ana")),
        ("fill", ("Ana", "Theirs"), ("Ana", "Ana")),
    ],
)
def test_L22_whoever_was_there_before_us_keeps_the_name_that_counts(world, owner, full, empty) -> None:
    choose(world, owner)
    one = world.a_list()
    world.push()
    for email, name in ((ANA, "Theirs"), ("ben@rivermail.test", "")):
        world.stranger(email)
        world.rename_there(email, name, "")
    people = [world.person(ANA, one), world.person("ben@rivermail.test", one)]
    world.push()
    ends = [(here(each), world.name_there(str(each.primary_email))[0]) for each in people]
    assert ends == [full, empty]
    assert world.seen(people[0], one) == world.seen(people[1], one) == "on"


def test_L22_a_name_that_is_missing_here_is_filled_in_from_there(world) -> None:
    choose(world, "fill")
    one = world.a_list()
    world.push()
    world.stranger(ANA)
    world.rename_there(ANA, "Theirs", "Name")
    ana = world.person(ANA, one, first_name="", last_name="Ruiz")
    world.push()
    assert (here(ana), Contact.objects.get(pk=ana.pk).last_name) == ("Theirs", "Ruiz")
    assert world.name_there(ANA) == ("Theirs", "Name")


@pytest.mark.parametrize("owner", ["ours", "theirs", "newest"])
def test_L22_L16_an_address_that_was_changed_there_ends_as_chosen(world, owner) -> None:
    choose(world, address=owner)
    one = world.a_list()
    ana = world.person(ANA, one)
    world.push()
    world.act("person", "change_address", email=ANA, new_email="moved@rivermail.test")
    look(world, "moved@rivermail.test", ANA)
    ends = ANA if owner == "ours" else "moved@rivermail.test"
    assert str(Contact.objects.get(pk=ana.pk).primary_email) == ends
    other = "moved@rivermail.test" if owner == "ours" else ANA
    assert (world.seen(ends, one), world.seen(other, one)) == ("on", "absent")


@pytest.mark.parametrize("owner", ["ours", "theirs", "newest"])
def test_L22_an_address_that_was_changed_there_unheard_is_not_lost_by_an_edit_here(world, owner) -> None:
    """The edit goes out, meets them under another address, and what was found counts as chosen."""
    choose(world, address=owner)
    one, two = world.a_list(), world.a_list("Second")
    ana = world.person(ANA, one)
    world.push()
    world.act("person", "change_address", email=ANA, new_email="moved@rivermail.test")
    rename(ana, "Anne")
    ListMembership.objects.create(contact=ana, contact_list=two)
    world.push()
    ends = ANA if owner == "ours" else "moved@rivermail.test"
    assert str(Contact.objects.get(pk=ana.pk).primary_email) == ends
    assert world.name_there(ends)[0] == "Anne"
    assert world.seen(ends, one) == world.seen(ends, two) == "on"
    assert world.seen("moved@rivermail.test" if owner == "ours" else ANA, one) in ("absent", "archived")


def test_L8_L22_whoever_shared_an_address_is_called_by_their_own_name_again(world) -> None:
    """What was made up for two is nobody's own: no first name here, and not kept there."""
    choose(world, "theirs")
    one = world.a_list()
    ada, ben = (world.person(ANA, one, first_name=name) for name in ("Ada", "Ben"))
    households.make_household([ada, ben])
    world.push()
    assert world.name_there(ANA)[0] == "Ada and Ben"
    world.rename_there(ANA, "Both")
    look(world, ANA)
    assert world.name_there(ANA)[0] == "Ada and Ben"
    assert set(Contact.objects.values_list("first_name", flat=True)) == {"Ada", "Ben"}
    EmailAddress.objects.filter(contact=ben).update(address="ben@rivermail.test", address_key="ben@rivermail.test")
    world.push()
    assert world.name_there(ANA)[0] == "Ada"
    assert world.name_there("ben@rivermail.test")[0] == "Ben"


def test_L22_an_organization_has_no_first_name_to_take_over(world) -> None:
    choose(world, "theirs")
    shop = world.person(ANA, world.a_list(), kind=Contact.Kind.ORGANIZATION, organization_name="Mill Shop")
    world.push()
    world.rename_there(ANA, "Anna")
    look(world, ANA)
    assert here(shop) == "Ana" and world.name_there(ANA)[0] == "Mill Shop"


def test_L22_a_neighbours_choice_and_contacts_notice_nothing(world, neighbour) -> None:
    choose(world, "theirs")
    with inside(neighbour):
        login = "harbor"
        other = (
            world.another(neighbour, login) if isinstance(world, ConstantContactWorld)
            else World(neighbour, world.sandbox, login=login)
        )  # fmt: skip
        theirs = other.person(ANA, other.a_list())
        other.push()
    world.person(ANA, world.a_list())
    world.push()
    world.rename_there(ANA, "Anna")
    look(world, ANA)
    with inside(neighbour):
        assert other.push() == 0
        assert (here(theirs), other.name_there(ANA)[0]) == ("Ana", "Ana")
