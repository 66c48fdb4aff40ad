"""What somebody did not want holds up a network and beside a number (O5-O7, O10): nothing travels that came to nothing,
and a form lifts no opt-out that was given to another organization."""

from typing import Any

import pytest

from contacts.mail_status import mail_statuses
from contacts.models import ConsentEvent, Contact, PhoneNumber
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import services
from gifts.donating.caller import BLIND, KEYED, Caller
from gifts.donating.donations import record_donation, update_donation
from gifts.donating.people import sign_up, update_person
from gifts.models import FundraisingPage
from tests.factories import ContactFactory, TenantFactory
from tests.gifts.donating import ANA, BEN, NEW, NUMBER, OTHER, body, give, page_of, person
from tests.gifts.osdi import Program, said

pytestmark = pytest.mark.django_db
BOTH = [(KEYED, True), (BLIND, False)]


@pytest.fixture
def state(tenant: Tenant) -> Tenant:
    """The organization above River Trust, to which text messages travel as well."""
    found: Tenant = TenantFactory(name="River State")
    tenant.parent, tenant.mobile_goes_up = found, True
    tenant.save()
    return found


@pytest.fixture
def page(tenant: Tenant, state: Tenant) -> FundraisingPage:
    return page_of(tenant)


def give_here(tenant: Tenant, page: FundraisingPage, who: dict[str, Any], caller: Caller = KEYED) -> Contact:
    """A donation in the organization below."""
    with in_tenant(tenant):
        return record_donation(page, body(who), caller=caller).gift.contact


def put_under_dnc(contact: Contact) -> None:
    """By staff."""
    with in_tenant(contact.tenant), acting(By.STAFF, "Almoner"):
        contact = Contact.objects.get(pk=contact.pk)
        contact.do_not_contact = True
        contact.save()


def status(contact: Contact) -> str:
    """Of email, in their organization."""
    with in_tenant(contact.tenant):
        return mail_statuses([Contact.objects.get(pk=contact.pk)])[contact.pk]


def takes_texts(contact: Contact) -> bool:
    with in_tenant(contact.tenant):
        found: bool = contact.phone_numbers.get().takes_texts
        return found


def people(tenant: Tenant) -> list[Contact]:
    with in_tenant(tenant):
        return list(Contact.objects.all())


# --- up the network ---


@pytest.mark.parametrize("caller, comes_back", BOTH)
def test_O7_a_form_lifts_no_opt_out_that_was_given_to_the_organization_above(
    tenant: Tenant, state: Tenant, page: FundraisingPage, caller: Caller, comes_back: bool
) -> None:
    theirs = ContactFactory(tenant=state, email=ANA)
    with in_tenant(state):
        sign_up({"person": person(ANA, NUMBER, text="subscribed")})
        sign_up({"person": person(ANA, NUMBER, mail="unsubscribed", text="unsubscribed")})
    mine = give_here(tenant, page, person(ANA, NUMBER, mail="subscribed", text="subscribed"), caller)
    assert (status(mine), takes_texts(mine)) == ("subscribed", True)
    assert (status(theirs), takes_texts(theirs)) == ("subscribed" if comes_back else "unsubscribed", comes_back)


@pytest.mark.parametrize("caller, comes_back", BOTH)
def test_O7_nor_one_that_stayed_with_an_address_or_was_said_at_another_number(
    tenant: Tenant, state: Tenant, page: FundraisingPage, caller: Caller, comes_back: bool
) -> None:
    with in_tenant(state):
        former, _ = sign_up({"person": person(ANA, mail="subscribed")})
        update_person(former, person(mail="unsubscribed"))
        former.delete()
        ben, _ = sign_up({"person": person(BEN, NUMBER, text="subscribed")})
        update_person(ben, person(text="unsubscribed"))
        update_person(ben, person(phone=OTHER))
    give_here(tenant, page, person(ANA, mail="subscribed"), caller)
    give_here(tenant, page, person(BEN, OTHER, mail="subscribed", text="subscribed"), caller)
    with in_tenant(state):
        heir = Contact.objects.get(email_addresses__address_key=ANA)
    assert status(heir) == ("subscribed" if comes_back else "unsubscribed")
    assert takes_texts(ben) is comes_back


def test_O7_whoever_said_nothing_above_is_subscribed_there_by_a_form_as_well(
    tenant: Tenant, state: Tenant, page: FundraisingPage
) -> None:
    theirs = ContactFactory(tenant=state, email=ANA, phone=NUMBER)
    with in_tenant(state):
        PhoneNumber.objects.update(takes_texts=False)
    give_here(tenant, page, person(ANA, NUMBER, mail="subscribed", text="subscribed"), BLIND)
    give_here(tenant, page, person(NEW), BLIND)
    assert {status(one) for one in people(state)} == {"subscribed"}
    assert len(people(state)) == 2
    assert takes_texts(theirs)


def test_O7_what_do_not_contact_stops_here_does_not_travel(
    tenant: Tenant, state: Tenant, page: FundraisingPage
) -> None:
    put_under_dnc(give_here(tenant, page, person(ANA, NUMBER)))
    with in_tenant(state):
        Contact.objects.all().delete()
    wish = person(ANA, NUMBER, mail="subscribed", text="subscribed")
    give_here(tenant, page, wish, BLIND)
    assert not people(state)
    with in_tenant(tenant), acting(By.STAFF, "Almoner"):
        Contact.objects.update(do_not_contact=False)
    give_here(tenant, page, wish, BLIND)
    assert [status(one) for one in people(state)] == ["subscribed"]


@pytest.mark.parametrize("mail_state", ["complained", "bounced"])
def test_O7_a_complaint_and_a_bounce_do_not_travel_as_a_subscription(
    tenant: Tenant, state: Tenant, page: FundraisingPage, mail_state: str
) -> None:
    ContactFactory(tenant=tenant, email=ANA, email_state=mail_state)
    give_here(tenant, page, person(ANA, mail="subscribed"))
    assert not people(state)


def test_O7_somebody_new_here_who_had_opted_out_before_does_not_travel(
    tenant: Tenant, state: Tenant, page: FundraisingPage
) -> None:
    former = ContactFactory(tenant=tenant, email=ANA)
    with in_tenant(tenant):
        update_person(former, person(mail="unsubscribed"))
        former.delete()
    assert status(give_here(tenant, page, person(ANA))) == "unsubscribed"
    assert not people(state)


# --- Do Not Contact and text messages ---


def test_O6_nobody_under_do_not_contact_is_said_to_get_text_messages(tenant: Tenant) -> None:
    contact = ContactFactory(tenant=tenant, email=ANA, phone=NUMBER)
    with in_tenant(tenant):
        PhoneNumber.objects.update(takes_texts=True)

    def told() -> str:
        return str(said(Program(tenant).get(f"/people/{contact.uid}"))["phone_numbers"][0]["status"])

    assert told() == "subscribed"
    put_under_dnc(contact)
    assert told() == "unsubscribed"


@pytest.mark.parametrize("is_stopped", [True, False])
@pytest.mark.parametrize("caller", [KEYED, BLIND])
def test_O6_a_number_leaves_its_yes_behind_with_somebody_under_do_not_contact(
    tenant: Tenant, page: FundraisingPage, caller: Caller, is_stopped: bool
) -> None:
    holder = give_here(tenant, page, person(ANA, NUMBER, text="subscribed"))
    if is_stopped:
        put_under_dnc(holder)
    new = give_here(tenant, page, person(NEW, NUMBER), caller)
    assert takes_texts(new) is not is_stopped


# --- changes ---


def test_O5_subscribed_beside_an_address_of_somebody_else_is_passed_over_with_it(tenant: Tenant) -> None:
    contact, _ = ContactFactory(tenant=tenant, email=ANA), ContactFactory(tenant=tenant, email=BEN)
    with in_tenant(tenant):
        update_person(contact, person(mail="unsubscribed"))
        update_person(contact, person(BEN, mail="subscribed"))
        assert status(contact) == "unsubscribed"
        update_person(contact, person(ANA, mail="subscribed"))
        assert status(contact) == "subscribed"
        update_person(contact, person(BEN, mail="unsubscribed"))
        assert status(contact) == "unsubscribed"


def test_O15_a_change_of_a_donation_writes_into_the_gift_only_what_was_sent(
    tenant: Tenant, page: FundraisingPage
) -> None:
    with in_tenant(tenant):
        donation = give(page, person(ANA), "500.00")
        services.correct(donation.gift, amount="50.00")
        for sent, amount in (
            ({"action_network:referrer_data": {"source": "leaflet"}}, "50.00"),
            ({"created_date": "2026-02-01T12:00:00Z"}, "50.00"),
            ({"recipients": [{"display_name": "Tom", "amount": "70.00"}]}, "70.00"),
        ):
            gift = update_donation(donation, sent).gift
            gift.refresh_from_db()
            assert str(gift.amount) == amount
        assert str(gift.received_on) == "2026-02-01"


def test_O5_whoever_wants_no_mail_before_there_is_an_address_gets_none_at_the_one_that_comes(
    tenant: Tenant, page: FundraisingPage
) -> None:
    mute, other = give_here(tenant, page, person(phone=NUMBER)), give_here(tenant, page, person(phone=OTHER))
    with in_tenant(tenant):
        update_person(mute, person(mail="unsubscribed"))
        update_person(mute, person(mail="unsubscribed"))
        assert ConsentEvent.objects.filter(contact_uid=mute.uid).count() == 1
    give_here(tenant, page, person(ANA, NUMBER))
    give_here(tenant, page, person(BEN, OTHER))
    assert (status(mute), status(other)) == ("unsubscribed", "subscribed")
    give_here(tenant, page, person(ANA, mail="subscribed"))
    assert status(mute) == "subscribed"
