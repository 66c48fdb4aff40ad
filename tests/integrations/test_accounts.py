"""One DonorPerfect account is never taken for another: gifts, donors' numbers and what was skipped stay with theirs,
and a key that opens another account than the one that is meant is refused (D1, D5, D7, D11)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from contacts.models import Contact, OutsideIdentifier
from contacts.tenancy.walls import in_tenant
from gifts.models import Gift
from integrations import connecting, switching
from integrations.models import Connection, Credential, GiftRun
from integrations.provider_kit.base import Account
from integrations.sync.interactions import ids_there
from tests.integrations.desk import Desk, desk
from tests.integrations.giving import DonorPerfectWorld
from tests.integrations.test_interactions import sent, thank_you
from tests.integrations.test_pull_gifts import thanked
from tests.integrations.test_switches import KEY, enter


@pytest.fixture
def world(tenant: Any, donor_perfect: Any) -> DonorPerfectWorld:
    return DonorPerfectWorld(tenant, donor_perfect)


@pytest.fixture
def nameless(world: DonorPerfectWorld) -> DonorPerfectWorld:
    """Connected before anybody said which account it is."""
    with in_tenant(world.tenant):
        Connection.objects.update(account_id="", first_account="")
        world.connection.refresh_from_db()
    return world


def account(world: DonorPerfectWorld, name: str, of: str) -> Account:
    return Account(name, f"Client {name}", {"key": world.sandbox.issued_key(of)}, {})


def connect_another(world: DonorPerfectWorld, name: str = "2208HF", of: str = "harbor") -> None:
    with in_tenant(world.tenant):
        connecting.connect_another(world.connection, account(world, name, of), world.user)
        world.connection.refresh_from_db()
        world.account = of
        switching.choose_codes(world.connection, {"sent": "TYV"})
        world.connection.refresh_from_db()
        for kind in ("new_gift", "sent"):
            switching.turn_on(world.connection, kind, world.user)


def test_D5_an_account_that_gets_its_name_later_stays_the_same(nameless: DonorPerfectWorld) -> None:
    nameless.gift(nameless.donor())
    nameless.gift(nameless.donor(email="no@donors.test", nomail="Y"))
    nameless.look()
    with in_tenant(nameless.tenant):
        connecting.connect(nameless.connection, account(nameless, "4711RT", "river"), nameless.user)
        nameless.connection.refresh_from_db()
        assert Gift.objects.get().source_place == nameless.connection.account_id == "4711RT"
    run = nameless.look()
    assert run.new == run.skipped == 0 and len(nameless.gifts()) == 1 and len(thanked(nameless)) == 1


def test_D1_a_key_entered_without_the_client_id_keeps_the_name(world: DonorPerfectWorld) -> None:
    with in_tenant(world.tenant):
        assert not connecting.is_another_account(world.connection, account(world, "", "river"))
        connecting.connect(world.connection, Account("", "", {"key": "k" * 30}, {}), world.user)
        assert Connection.objects.get().account_id == "river"


def test_D1_the_key_of_another_account_is_told_by_its_gifts_and_refused(nameless: DonorPerfectWorld) -> None:
    donor = nameless.donor()
    for day in range(1, 7):
        nameless.gift(donor, 10, day=f"3/{day}/2026")
    nameless.look()
    owner: Desk = desk(nameless.tenant)
    said = enter(owner, nameless.sandbox.issued_key("harbor"))
    assert "another DonorPerfect account" in said and "It was not stored" in said
    with in_tenant(nameless.tenant):
        assert Credential.objects.get().read() == {"key": nameless.sandbox.issued_key("river")}
    assert "accepted the key" in enter(owner, nameless.sandbox.issued_key("river"))


def test_D7_a_donors_number_of_a_former_account_is_nobody_in_the_next(world: DonorPerfectWorld) -> None:
    number = world.donor(first_name="Old", last_name="Friend", email="old@donors.test")
    world.gift(number, 10)
    world.look()
    connect_another(world)
    world.act("add_donor", donor_id=number, first_name="Somebody", last_name="Else", email="else@donors.test")
    last = int(world.sandbox.account("harbor").rows("SELECT MAX(donor_id) AS n FROM dp")[0]["n"])
    world.sandbox.account("harbor").database.execute("UPDATE dp SET donor_id = ? WHERE donor_id = ?", (number, last))
    world.gift(number, 20)
    world.look()
    assert [str(gift.contact) for gift in world.gifts()] == ["Old Friend", "Somebody Else"]
    with in_tenant(world.tenant):
        old, new = Contact.objects.get(last_name="Friend"), Contact.objects.get(last_name="Else")
        assert ids_there(world.connection, [old, new]) == {old.pk: [], new.pk: [str(number)]}
        assert sorted(str(one) for one in OutsideIdentifier.objects.all()) == [
            f"DonorPerfect 2208HF: {number}", f"DonorPerfect: {number}",
        ]  # fmt: skip


def test_D11_nothing_is_saved_on_whoever_has_the_same_number_in_another_account(world: DonorPerfectWorld) -> None:
    donor = world.donor()
    world.gift(donor, 10)
    world.look()
    contact = world.gifts()[0].contact
    connect_another(world)
    before = len(world.interactions)
    with in_tenant(world.tenant):
        from tasks_app import services

        one = services.ask_by_hand(Contact.objects.get(pk=contact.pk), "She painted the fence.")
    sent(world, one)
    sent(world, thank_you(world, world.donor(first_name="Ben", email="ben@donors.test")))
    world.work()
    assert [row.reason_code for row in world.records()] == ["no_donor_id", ""]
    assert len(world.interactions) == before + 1


def test_D5_the_first_account_is_known_again_when_it_comes_back(world: DonorPerfectWorld) -> None:
    donor = world.donor()
    world.gift(donor, 10)
    world.look()
    connect_another(world)
    connect_another(world, "river", "river")
    assert world.connection.system == "DonorPerfect"
    world.gift(donor, 20)
    world.look()
    with in_tenant(world.tenant):
        assert Contact.objects.count() == 1 and len(world.gifts()) == 2


def test_D8_what_was_skipped_in_one_account_is_not_skipped_in_another(world: DonorPerfectWorld) -> None:
    number = world.gift(world.donor(nomail="Y"), 10)
    world.look()
    connect_another(world)
    last = world.gift(world.donor(email="harbor@donors.test"), 30)
    world.sandbox.account("harbor").database.execute("UPDATE dpgift SET gift_id = ? WHERE gift_id = ?", (number, last))
    with in_tenant(world.tenant):
        GiftRun.objects.filter(state="running").update(created_at=timezone.now() - timedelta(minutes=1))
        switch = world.switch()
        switch.mark = {**switch.mark, "after": min(switch.mark["after"], number - 1)}
        switch.cursor = str(number - 1)
        switch.save()
    world.look()
    assert [str(gift.source_id) for gift in world.gifts(is_history=False, source_place="2208HF")] == [str(number)]


def test_D1_staff_are_told_that_another_account_starts_with_everything_off(
    world: DonorPerfectWorld,
) -> None:
    owner = desk(world.tenant)
    owner.post(KEY, {"step": "letter", "client_id": "2208HF", "user": ""})
    answer = owner.post(KEY, {"step": "key", "key": world.sandbox.issued_key("harbor")})
    asked = owner.text(answer["Location"])
    assert "everything is switched off" in asked and "first Sync" not in asked
    from tests.integrations.desk import plain

    said = plain(owner.post(answer["Location"], {"answer": "yes"}, follow=True).content.decode())
    assert "Client 2208HF is connected. Turn on what is to be done with it." in said and "going out now" not in said
