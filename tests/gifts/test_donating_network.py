"""Networks (O7): subscriptions travel up, nothing else does, and nothing travels down."""

from typing import Any

import pytest
from django.forms import modelform_factory

from config.operator_admin import OrganizationForm
from contacts.mail_status import mail_statuses
from contacts.models import ConsentEvent, Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating.donations import record_donation
from gifts.donating.network import would_circle
from gifts.donating.people import sign_up, update_person
from gifts.donating.refused import DonatingRefused
from gifts.models import Donation, FundraisingPage, Gift
from tests.factories import ContactFactory, TenantFactory
from tests.gifts.donating import ANA, NUMBER, OTHER, addresses, body, give, numbers, page_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def state() -> Any:
    """The organization above River Trust."""
    return TenantFactory(name="River State")


@pytest.fixture
def nation() -> Any:
    """The one above that."""
    return TenantFactory(name="River Nation")


@pytest.fixture
def page(tenant: Tenant, state: Tenant, nation: Tenant) -> FundraisingPage:
    state.parent = nation
    state.save()
    tenant.parent = state
    tenant.save()
    return page_of(tenant)


def donate(tenant: Tenant, page: FundraisingPage, who: dict[str, Any]) -> Contact:
    """In the organization at the bottom."""
    with in_tenant(tenant):
        return give(page, who).gift.contact


def people(tenant: Tenant) -> list[Contact]:
    """Everybody there."""
    with in_tenant(tenant):
        return list(Contact.objects.all())


def status(contact: Contact) -> str:
    """Of email, in their organization."""
    with in_tenant(contact.tenant):
        return mail_statuses([contact])[contact.pk]


def opt_out(contact: Contact) -> None:
    """In their organization."""
    with in_tenant(contact.tenant):
        update_person(contact, {"email_addresses": [{"status": "unsubscribed"}]})


def test_O7_somebody_new_is_subscribed_all_the_way_up(
    tenant: Tenant, state: Tenant, nation: Tenant, neighbour: Tenant, page: FundraisingPage
) -> None:
    donate(tenant, page, person(ANA, NUMBER, given_name="Ana", custom_fields={"Secret": "yes"}, text="subscribed"))
    for above in (state, nation):
        (found,) = people(above)
        assert (found.first_name, status(found)) == ("Ana", "subscribed")
        with in_tenant(above):
            assert (addresses(found), numbers(found)) == ([ANA], [])  # text messages do not travel by themselves
            assert not found.custom_values.exists()
            assert not Gift.objects.exists()
            assert not Donation.objects.exists()
            assert ConsentEvent.objects.get().source.endswith("in your network")
    assert not people(neighbour)


def test_O7_who_is_known_above_is_subscribed_there_only_by_their_word_and_stays_as_they_are(
    tenant: Tenant, state: Tenant, page: FundraisingPage
) -> None:
    theirs = ContactFactory(tenant=state, email=ANA, first_name="Anna")
    opt_out(theirs)
    donate(tenant, page, person(ANA, given_name="Ana"))
    assert status(theirs) == "unsubscribed"
    donate(tenant, page, person(ANA, mail="subscribed", given_name="Anne", phone_numbers=[{"number": NUMBER}]))
    assert status(theirs) == "subscribed"
    with in_tenant(state):
        theirs.refresh_from_db()
        assert theirs.first_name == "Anna"
        assert numbers(theirs) == []


def test_O7_an_unsubscription_does_not_travel_up_nor_a_subscription_down(
    tenant: Tenant, state: Tenant, page: FundraisingPage
) -> None:
    mine = donate(tenant, page, person(ANA))
    (above,) = people(state)
    opt_out(mine)
    assert (status(mine), status(above)) == ("unsubscribed", "subscribed")
    with in_tenant(state):
        sign_up({"person": person(ANA, mail="subscribed")})
        sign_up({"person": person("new@rivermail.test", mail="subscribed")})
    assert status(mine) == "unsubscribed"
    assert len(people(tenant)) == 1


def test_O7_known_people_who_say_nothing_do_not_travel(tenant: Tenant, state: Tenant, page: FundraisingPage) -> None:
    ContactFactory(tenant=tenant, email=ANA)
    donate(tenant, page, person(ANA))
    assert not people(state)


def test_O7_text_messages_travel_only_where_the_setting_says_so(
    tenant: Tenant, state: Tenant, nation: Tenant, page: FundraisingPage
) -> None:
    donate(tenant, page, person(phone=NUMBER, text="subscribed"))
    assert not people(state)
    tenant.mobile_goes_up = True
    tenant.save()
    donate(tenant, page, person(phone=OTHER))
    assert not people(state)  # nobody said so
    donate(tenant, page, person(phone=NUMBER, text="subscribed"))
    (above,) = people(state)
    with in_tenant(state):
        assert above.phone_numbers.get().takes_texts
    assert not people(nation)  # the setting of the one in the middle


def test_O7_above_no_number_is_taken_from_anybody(tenant: Tenant, state: Tenant, page: FundraisingPage) -> None:
    tenant.mobile_goes_up = True
    tenant.save()
    holder = ContactFactory(tenant=state, email="holder@rivermail.test", phone=NUMBER)
    donate(tenant, page, person(ANA, NUMBER, text="subscribed"))
    with in_tenant(state):
        assert holder.phone_numbers.get().takes_texts
        assert numbers(Contact.objects.exclude(pk=holder.pk).get()) == []


def test_O7_a_circle_in_the_rows_ends(tenant: Tenant, state: Tenant, nation: Tenant, page: FundraisingPage) -> None:
    assert would_circle(nation, tenant)
    assert would_circle(tenant, tenant)
    assert not would_circle(tenant, nation)
    Tenant.objects.filter(pk=nation.pk).update(parent=tenant)
    donate(tenant, page, person(ANA))
    assert [len(people(one)) for one in (tenant, state, nation)] == [1, 1, 1]


def test_O7_operators_say_who_is_part_of_whom_and_never_in_a_circle(
    tenant: Tenant, state: Tenant, nation: Tenant, page: FundraisingPage
) -> None:
    fields = ["name", "parent"]
    form: Any = modelform_factory(Tenant, form=OrganizationForm, fields=fields)
    assert not form({"name": nation.name, "parent": tenant.pk}, instance=nation).is_valid()
    assert not form({"name": tenant.name, "parent": tenant.pk}, instance=tenant).is_valid()
    assert form({"name": tenant.name, "parent": nation.pk}, instance=tenant).is_valid()


def test_O7_what_is_refused_leaves_nothing_above(tenant: Tenant, state: Tenant, page: FundraisingPage) -> None:
    with in_tenant(tenant), pytest.raises(DonatingRefused):
        record_donation(page, body(person(ANA), amount="0.00"))
    assert not people(tenant)
    assert not people(state)
