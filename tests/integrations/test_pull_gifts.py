"""New gifts come in from DonorPerfect: none missed, none twice, and its donors become contacts (D4–D9)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, EmailAddress, ListMembership, OutsideIdentifier, PhoneNumber
from contacts.tenancy.walls import in_tenant
from gifts import services
from gifts.models import Gift, Giving
from integrations import switching
from integrations.models import GiftRun, GiftRunItem
from integrations.provider_kit.giving import GiftThere, PersonThere
from integrations.sync import gift_pages, gift_store, givers
from integrations.sync.serve import serve
from tasks_app.models import ThankYou
from tests.integrations.giving import DonorPerfectWorld


@pytest.fixture
def world(tenant: Any, donor_perfect: Any) -> DonorPerfectWorld:
    return DonorPerfectWorld(tenant, donor_perfect)


def thanked(world: DonorPerfectWorld) -> list[str]:
    with in_tenant(world.tenant):
        return [one.sentence for one in ThankYou.objects.filter(state="open").order_by("pk")]


def contacts(world: DonorPerfectWorld, **which: Any) -> int:
    with in_tenant(world.tenant):
        return int(Contact.objects.filter(**which).count())


# -- what is new --------------------------------------------------------------------------------


def test_D5_D6_D9_a_new_gift_becomes_a_contact_a_gift_and_a_thank_you(world: DonorPerfectWorld) -> None:
    number = world.gift(
        world.donor(mobile_phone="(503) 555-0142"), 100, gift_narrative="For the river 4111111111111111"
    )
    run = world.look()
    assert (run.state, run.new, run.to_thank, run.reason) == ("done", 1, 1, "")
    (gift,) = world.gifts()
    assert (gift.amount, gift.source, gift.source_id, gift.is_history) == (
        Decimal(100), "donor_perfect", str(number), False,
    )  # fmt: skip
    assert "4111111111111111" not in gift.comment and gift.comment.startswith("For the river")
    assert thanked(world) == ["Send Ana Ruiz a thank you video. Ana made a $100.00 donation."]
    with in_tenant(world.tenant):
        contact = gift.contact
        assert str(contact.primary_email) == "ana@donors.test"
        assert str(PhoneNumber.objects.get(contact=contact).number) == "+15035550142"
        assert not ListMembership.objects.exists(), "a donor has asked for no newsletter"
        assert world.switch().last_success_at is not None


def test_D4_what_was_there_before_the_switch_is_left_alone(world: DonorPerfectWorld) -> None:
    assert world.sandbox.account().count("dpgift") > 500
    run = world.look()
    assert run.state == "done" and run.new == run.updated == run.skipped == 0
    assert world.gifts() == [] and contacts(world) == 0


def test_D4_nothing_is_looked_for_while_the_switch_is_off_and_what_came_meanwhile_is_left_alone(
    world: DonorPerfectWorld,
) -> None:
    with in_tenant(world.tenant):
        switching.turn_off(world.connection, "new_gift")
        assert gift_pages.begin(world.connection, "new") is None
    world.gift(world.donor())
    with in_tenant(world.tenant):
        switching.turn_on(world.connection, "new_gift", world.user)
    world.look()
    assert world.gifts() == []


def test_D5_looking_again_takes_nothing_in_twice(world: DonorPerfectWorld) -> None:
    donor = world.donor()
    world.gift(donor, 25)
    world.look()
    world.gift(donor, 35, day="1/2/2015")  # an old date
    for _ in range(3):
        run = world.look()
    assert [gift.amount for gift in world.gifts()] == [25, 35]
    assert run.new == run.updated == run.skipped == 0
    assert contacts(world) == 1 and len(thanked(world)) == 1
    assert [outcome for _, outcome, _ in world.items()] == ["new", "new"]


def test_D5_more_than_one_answer_holds_are_all_taken_in(world: DonorPerfectWorld) -> None:
    world.act("add_crowd", donors=13, gifts=50, amount=10)
    run = world.look()
    assert (run.new, len(world.gifts()), run.calls) == (650, 650, 2)
    with in_tenant(world.tenant):
        assert {row.total for row in Giving.objects.all()} == {Decimal(500)}


def test_D5_a_gift_whose_number_was_free_before_is_found_later(world: DonorPerfectWorld) -> None:
    world.gift(world.donor(), 5)
    world.look()
    late = world.gift(world.donor(email="late@donors.test", first_name="Lea"), 60, late=True)
    world.look()
    assert str(late) in {gift.source_id for gift in world.gifts()}
    assert len(thanked(world)) == 2


def test_D5_parts_of_a_split_gift_count_and_the_whole_is_thanked_once(world: DonorPerfectWorld) -> None:
    world.act("split_gift", donor=world.donor(), amount=60, amount_2=40)
    world.look()
    assert [(g.amount, g.counts, g.is_one) for g in world.gifts()] == [
        (Decimal(100), False, True), (Decimal(60), True, False), (Decimal(40), True, False),
    ]  # fmt: skip
    assert thanked(world) == ["Send Ana Ruiz a thank you video. Ana made a $100.00 donation."]
    with in_tenant(world.tenant):
        assert [(row.total, row.number) for row in Giving.objects.all()] == [(100, 1)]


def test_D5_soft_credits_and_pledges_are_no_gifts_and_are_told(world: DonorPerfectWorld) -> None:
    giver, other = world.donor(), world.donor(first_name="Ben", email="ben@donors.test")
    world.act("soft_credit", gift=world.gift(giver, 80), donor=other)
    world.act("add_pledge", donor=giver, amount=600)
    run = world.look()
    assert (run.new, run.skipped, contacts(world)) == (1, 2, 1)
    reasons = [reason for _, outcome, reason in world.items() if outcome == "skipped"]
    assert "soft credit" in reasons[0] and "pledge" in reasons[1]
    assert world.look().skipped == 0, "told once"


# -- who is skipped -----------------------------------------------------------------------------


def test_D8_a_donor_who_wants_no_mail_is_skipped_with_nothing_but_the_number(world: DonorPerfectWorld) -> None:
    donor = world.donor(nomail="Y")
    number = world.gift(donor, 500)
    run = world.look()
    assert (run.new, run.skipped) == (0, 1) and world.gifts() == [] and contacts(world) == 0 and thanked(world) == []
    assert world.items() == [(str(number), "skipped", "“Do Not Send Mail” is set for this donor in DonorPerfect.")]
    world.act("edit_donor", donor=donor, nomail="N")
    world.look()
    assert len(world.gifts(is_history=True)) == 1 and thanked(world) == [], "it was skipped, and is not thanked later"


@pytest.mark.parametrize("how", ["task", "note"])
def test_D8_a_donor_who_wants_no_mail_any_more_is_not_thanked_for_what_came_before(
    world: DonorPerfectWorld, how: str
) -> None:
    from integrations.sync.thanking import CHOICE
    from tasks_app.models import Note

    with in_tenant(world.tenant):
        switching.choose(world.connection, {CHOICE: how})
    donor, other = world.donor(), world.donor(email="ben@donors.test", first_name="Ben")
    gift = world.gift(donor, 500)
    world.gift(other, 40)
    world.look()

    def waiting() -> list[str]:
        with in_tenant(world.tenant):
            rows = ThankYou.objects.filter(state="open") if how == "task" else Note.objects.filter(state="waiting")
            return [str(row.contact) for row in rows.select_related("contact").order_by("pk")]

    assert waiting() == ["Ana Ruiz", "Ben Ruiz"]
    world.act("edit_donor", donor=donor, nomail="Y")
    world.look()
    assert waiting() == ["Ben Ruiz"]
    assert (str(gift), "skipped", "“Do Not Send Mail” is set for this donor in DonorPerfect.") in world.items()
    told = len(world.items())
    with in_tenant(world.tenant):
        assert Giving.objects.get(contact__first_name="Ana").total == 500, "it was given all the same"
    world.act("edit_gift", gift=gift, amount=600)
    world.look()
    assert waiting() == ["Ben Ruiz"] and len(world.items()) == told + 1, "it was changed, and is thanked by nobody"


def test_D8_a_gift_on_another_page_of_who_wants_no_mail_any_more_is_not_thanked_after_a_refund_by_mistake_either(
    world: DonorPerfectWorld,
) -> None:
    donor = world.donor()
    first, _ = world.gift(donor, 500), world.gift(donor, 40)
    run = world.look()
    assert len(thanked(world)) == 1, "the control: both are to be thanked for"
    with in_tenant(world.tenant):
        person = PersonThere(str(donor), skip="No mail.")
        gift_store.take_in(run, [GiftThere(str(first), person, date(2026, 5, 1), Decimal(500), is_new=True)])
        other = Gift.objects.get(amount=40)
        services.refund(other)
        services.refund(other, 0)
        assert not ThankYou.objects.filter(state="open").exists()


def test_D5_a_gift_whose_donor_is_missing_is_told_and_taken_in_when_the_donor_is_back(world: DonorPerfectWorld) -> None:
    donor = world.donor()
    number = world.gift(donor, 40)
    world.sandbox.account().delete("dp", donor)
    world.look()
    assert world.items() == [(str(number), "skipped", gift_store.NO_DONOR)]
    world.act("add_donor", donor_id=donor, first_name="Ana", last_name="Ruiz", email="ana@donors.test")
    world.sandbox.account().update("dpgift", number, {"donor_id": max_donor(world)})
    world.look()
    assert len(world.gifts()) == 1 and len(thanked(world)) == 1


def max_donor(world: DonorPerfectWorld) -> int:
    return int(world.sandbox.account().rows("SELECT MAX(donor_id) AS n FROM dp")[0]["n"])


# -- who they are -------------------------------------------------------------------------------


def person(world: DonorPerfectWorld, email: str = "", phone: str = "", **values: Any) -> Contact:
    with in_tenant(world.tenant):
        contact: Contact = Contact.objects.create(**({"first_name": "Ana", "last_name": "Ruiz"} | values))
        if email:
            EmailAddress.objects.create(contact=contact, address=email, is_primary=True)
        if phone:
            PhoneNumber.objects.create(contact=contact, number=phone)
        return contact


def test_D7_a_contact_with_the_donors_number_is_used_before_one_with_the_address(world: DonorPerfectWorld) -> None:
    donor = world.donor()
    person(world, "ana@donors.test")
    mine = person(world, custom_user_id=str(donor), first_name="Annie")
    world.gift(donor)
    world.look()
    assert [gift.contact for gift in world.gifts()] == [mine] and contacts(world) == 2


@pytest.mark.parametrize("known_by", [{"email": "ANA@Donors.test"}, {"phone": "+15035550142"}])
def test_D7_a_contact_with_the_address_or_phone_is_used_and_gets_the_number(
    world: DonorPerfectWorld, known_by: dict[str, str]
) -> None:
    mine = person(world, **known_by)
    donor = world.donor(home_phone="503-555-0142")
    world.gift(donor)
    world.look()
    assert [gift.contact for gift in world.gifts()] == [mine] and contacts(world) == 1
    with in_tenant(world.tenant):
        mine.refresh_from_db()
        assert mine.custom_user_id == str(donor)
        assert [str(one) for one in OutsideIdentifier.objects.all()] == [f"DonorPerfect: {donor}"]
        assert EmailAddress.objects.count() == ("email" in known_by), "what a contact has is left alone"


def test_D7_the_first_of_several_addresses_counts_and_donors_without_any_stay_apart(world: DonorPerfectWorld) -> None:
    world.gift(world.donor(email="one@donors.test; two@donors.test"))
    for name in ("Lea", "Tom"):
        world.gift(world.donor(first_name=name, email="", last_name="Nomail"))
    world.gift(world.donor(org_rec="Y", first_name="", last_name="River Bakery", email="hello@bakery.test"))
    world.look()
    with in_tenant(world.tenant):
        assert sorted(EmailAddress.objects.values_list("address", flat=True)) == [
            "hello@bakery.test",
            "one@donors.test",
        ]
        assert Contact.objects.get(kind="organization").organization_name == "River Bakery"
    assert contacts(world) == 4


def test_D7_a_couple_with_one_address_is_two_donors_and_a_donor_twice_there_is_one_contact(
    world: DonorPerfectWorld,
) -> None:
    for values in ({}, {"first_name": "Ben"}, {}):
        world.gift(world.donor(**values))
    world.look()
    assert [str(gift.contact) for gift in world.gifts()] == ["Ana Ruiz", "Ben Ruiz", "Ana Ruiz"]
    assert contacts(world) == 2


def test_D7_a_donor_who_is_added_elsewhere_at_the_same_moment_is_still_one_contact(
    world: DonorPerfectWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    donor = world.donor()
    world.gift(donor)
    real = givers.Givers.recognize
    been: list[bool] = []

    def late(self: Any, people: Any) -> None:
        real(self, people)
        if not been:
            been.append(True)
            raise IntegrityError("outside_identifier_once")

    monkeypatch.setattr(givers.Givers, "recognize", late)
    world.look()
    assert contacts(world) == 1 and len(world.gifts()) == 1 and len(thanked(world)) == 1


def test_D7_an_id_of_another_system_stays(world: DonorPerfectWorld) -> None:
    person(world, "ana@donors.test", custom_user_id="M-17")
    world.gift(world.donor())
    world.look()
    with in_tenant(world.tenant):
        assert Contact.objects.get().custom_user_id == "M-17" and OutsideIdentifier.objects.count() == 1


def test_the_neighbour_sees_nothing_of_it(world: DonorPerfectWorld, neighbour: Any) -> None:
    other = DonorPerfectWorld(neighbour, world.sandbox, "harbor")
    donor = world.donor()
    world.gift(donor)
    world.look()
    other.look()
    assert len(world.gifts()) == 1 and other.gifts() == [] and contacts(other) == 0 and other.items() == []
    with in_tenant(neighbour):
        assert GiftRun.objects.count() == 1


# -- D6: as the switch is set --------------------------------------------------------------------


def test_D6_the_switch_decides_between_a_thank_you_and_a_note(world: DonorPerfectWorld) -> None:
    from integrations.sync.thanking import CHOICE, choice_of
    from tasks_app.models import Note

    with in_tenant(world.tenant):
        world.connection.settings |= {CHOICE: "note"}
        world.connection.save(update_fields=["settings"])
        assert choice_of(world.connection) == "note"
    world.gift(world.donor())
    world.look()
    with in_tenant(world.tenant):
        assert thanked(world) == [] and Note.objects.count() == 1


# -- queries ------------------------------------------------------------------------------------


def test_D5_a_page_of_many_takes_as_many_queries_as_a_page_of_few(
    world: DonorPerfectWorld,
) -> None:
    def queries(donors: int) -> int:
        world.act("add_crowd", donors=donors, gifts=2, amount=10)
        with in_tenant(world.tenant):
            gift_pages.begin(world.connection, "new")
        with CaptureQueriesContext(database) as caught:
            serve(world.connection.pk)
        return len(caught)

    queries(3)
    few, many = queries(3), queries(120)
    # 117 donors and 234 gifts more: some INSERTs are cut into several, and nothing is asked row by row.
    assert many < few + 60, (few, many)
    with in_tenant(world.tenant):
        assert GiftRunItem.objects.count() == 2 * 126
