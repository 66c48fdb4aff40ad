"""An organization with both services: what a person said at one of them counts at the other one as well (L35)."""

from typing import Any

import pytest

from contacts.models import Contact, ContactList
from contacts.tenancy import walls
from contacts.tenancy.models import Tenant
from integrations.models import Delivery, RemoteRecord
from integrations.provider_kit.states import Standing
from integrations.shown import show_deliveries
from integrations.sync import pull, slices
from integrations.sync.serve import serve
from tests.integrations.constant_contact import ConstantContactWorld
from tests.integrations.engine import World, as_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant", "quick_activities")]
ADA = "ada@rivermail.test"
OF_NOBODY = "zoe@rivermail.test"


@pytest.fixture
def both(in_tenant: Tenant, sandbox: Any, constant_contact: Any) -> dict[str, World]:
    return {
        "mailchimp": World(in_tenant, sandbox),
        "constant_contact": ConstantContactWorld(in_tenant, constant_contact),
    }


@pytest.fixture(params=["mailchimp", "constant_contact"])
def said_at(request: pytest.FixtureRequest, both: dict[str, World]) -> tuple[World, World]:
    """Where the person says something, and the other service."""
    other = next(key for key in both if key != request.param)
    return both[request.param], both[other]


def unsubscribed_at(here: World, other: World) -> ContactList:
    """Ada is on a list, and unsubscribes at one service; both are quiet again. Returns a list that she is not on."""
    news, gala = here.a_list("Newsletter"), here.a_list("Gala")
    with as_staff():
        here.person(ADA, news, first_name="Ada")
    here.sync()
    other.sync()
    assert here.standing(ADA) == other.standing(ADA) == ("subscribed", ["Newsletter"])
    here.act("person", "unsubscribe", email=ADA)
    hear(here, other)
    return gala


def hear(*worlds: World) -> None:
    """Everything is heard and sent."""
    for world in worlds:
        serve(world.connection.pk, listen=True)
    for world in worlds:
        world.push()


def told(world: World, contact: Contact, standing: Standing) -> None:
    """The service's message about somebody known there."""
    ((container, known),) = slices.members_known(world.record(contact)).items()
    pull.apply(world.connection, container, known.but(standing=standing), [known.address])


def named_like(world: World, gala: ContactList) -> Contact:
    """Somebody with her address, as an import or staff put them on another list."""
    with as_staff():
        return world.person(ADA, gala, first_name="Adela")


def test_L35_who_unsubscribed_at_one_service_is_not_sent_to_the_other_under_another_name(said_at) -> None:
    here, other = said_at
    gala = unsubscribed_at(here, other)
    calls = {world: len(world.calls()) for world in said_at}
    adela = named_like(here, gala)
    for world in said_at:
        world.push()
        assert world.calls()[calls[world] :] == []
        record = world.record(adela)
        assert (record.state, record.reason_code) == (RemoteRecord.State.SKIPPED, "opted_out")
    assert not Delivery.objects.filter(subject_uid=adela.uid).exists()
    assert not adela.memberships.filter(do_not_contact=True).exists()


def test_L35_nor_are_they_themselves_when_staff_put_them_on_another_list(said_at) -> None:
    here, other = said_at
    gala = unsubscribed_at(here, other)
    ada = Contact.objects.get()
    with as_staff():
        ada.memberships.create(contact_list=gala)
    for world in said_at:
        world.push()
        assert world.standing(ADA)[0] == "unsubscribed"
        assert world.record(ada).reason_code == "opted_out"


def test_L35_the_preview_of_a_sync_says_so_too(said_at) -> None:
    here, other = said_at
    gala = unsubscribed_at(here, other)
    named_like(here, gala)
    other.push()
    run = other.preview()
    item = run.items.get(label__startswith="Adela")
    assert (item.verb, item.reason_code) == ("skip", "opted_out")


def test_L35_who_comes_back_at_one_service_hears_from_the_other_too(said_at) -> None:
    """No membership changes by it, and yet the other service is looked at again."""
    here, other = said_at
    gala = unsubscribed_at(here, other)
    adela = named_like(here, gala)
    for world in said_at:
        world.push()
    here.act("person", "sign_up", email=ADA, **({"list": "River Friends"} if here.provider != "mailchimp" else {}))
    told(here, Contact.objects.get(first_name="Ada"), Standing.SUBSCRIBED)
    for world in said_at:
        world.push()
    assert here.record(adela).reason_code == ""
    assert here.standing(ADA)[0] == "subscribed"
    assert "Gala" in here.standing(ADA)[1]
    # Where only the person may undo it, they are asked.
    expected = ("waiting_confirmation", "pending") if other.provider == "constant_contact" else ("", "subscribed")
    assert (other.record(adela).reason_code, other.standing(ADA)[0]) == expected


def test_L35_who_was_deleted_and_added_again_is_heard_at_the_other_service_too(said_at) -> None:
    """They took over the word that was said here; at the other service they sign up themselves."""
    here, other = said_at
    gala = unsubscribed_at(here, other)
    before = Contact.objects.get()
    gone = Contact.objects.get()
    before.delete()
    again = named_like(here, gala)
    for world in said_at:
        world.push()
        assert world.standing(ADA)[0] == "unsubscribed"
    other.act("person", "sign_up", email=ADA, **({"list": "River Friends"} if other.provider != "mailchimp" else {}))
    told(other, gone, Standing.SUBSCRIBED)
    for world in said_at:
        world.push()
    assert other.record(again).reason_code == ""
    assert other.standing(ADA)[0] == "subscribed" and "Gala" in other.standing(ADA)[1]
    assert here.standing(ADA)[0] == "unsubscribed", "what they said here, they take back here"


def test_control_L12_who_did_not_unsubscribe_is_sent_to_both(both) -> None:
    news, gala = both["mailchimp"].a_list("Newsletter"), both["mailchimp"].a_list("Gala")
    with as_staff():
        both["mailchimp"].person(ADA, news)
    for world in both.values():
        world.sync()
    named_like(both["mailchimp"], gala)
    for world in both.values():
        world.push()
        assert world.standing(ADA) == ("subscribed", ["Gala", "Newsletter"])


@pytest.mark.parametrize("provider", ["mailchimp", "constant_contact"])
def test_L30_L35_who_is_found_to_have_left_there_is_not_shown_as_subscribed(both, provider, neighbour: Tenant) -> None:
    """They left before Almoner knew them, so that only the service could tell."""
    world = both[provider]
    news = world.a_list("Newsletter")
    world.sync()
    world.stranger(OF_NOBODY)
    world.act("person", "unsubscribe", email=OF_NOBODY)
    with as_staff():
        zoe = world.person(OF_NOBODY, news, first_name="Zoe")
    world.push()
    assert world.standing(OF_NOBODY)[0] == "unsubscribed"
    sent = Delivery.objects.filter(connection=world.connection, subject_uid=zoe.uid).exclude(outcome="heard")
    (shown,) = show_deliveries(sent)
    assert sent.get().outcome == Delivery.Outcome.REFUSED
    said = [str(one) for one in shown.changes]
    assert "State: Unsubscribed" in said and not any("Subscribed" in one or "Newsletter" in one for one in said)
    assert (world.record(zoe).state, world.record(zoe).reason_code) == (RemoteRecord.State.SKIPPED, "opted_out")
    with walls.in_tenant(neighbour):
        assert not Delivery.objects.exists()
