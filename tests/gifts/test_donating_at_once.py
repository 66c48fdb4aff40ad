"""Many programs at the same moment: one person, one donation for each call, and nobody waits in vain (O1, O3)."""

from typing import Any

import pytest
from django.db import connection

from contacts.models import Contact, CustomField, CustomValue, EmailAddress, OutsideIdentifier, PhoneNumber
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating.donations import record_donation
from gifts.models import Donation, Gift, Giving
from tests.factories import TenantFactory
from tests.gifts.donating import ANA, BEN, NUMBER, body, give, page_of, person
from tests.gifts.test_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def threads() -> int:
    """SQLite lets one write at a time; a few show it."""
    return 20 if connection.vendor == "postgresql" else 4


def test_O3_twenty_calls_about_one_new_person_make_one_person_with_all_donations() -> None:
    tenant: Tenant = TenantFactory(name="River Trust together")
    page = page_of(tenant)
    number = threads()
    at_once(tenant, [lambda: give(page, person(ANA, NUMBER, given_name="Ana"), "2.00")] * number)  # type: ignore[list-item]
    with in_tenant(tenant):
        ana = Contact.objects.get()
        assert (EmailAddress.objects.count(), PhoneNumber.objects.count()) == (1, 1)
        assert Donation.objects.filter(gift__contact=ana).count() == number
        assert (ana.giving.total, ana.giving.number) == (2 * number, number)


def test_O3_calls_by_address_by_number_and_by_both_come_to_one_person() -> None:
    tenant: Tenant = TenantFactory(name="River Trust apart")
    page = page_of(tenant)
    with in_tenant(tenant):
        give(page, person(ANA))
        give(page, person(phone=NUMBER))
    who = [person(ANA), person(phone=NUMBER), person(ANA, NUMBER), person(ANA, NUMBER, mail="subscribed")]
    acts: list[Any] = [lambda one=who[n % 4]: give(page, one, "1.00") for n in range(threads())]
    at_once(tenant, acts)
    with in_tenant(tenant):
        ana = Contact.objects.get()
        assert (EmailAddress.objects.count(), PhoneNumber.objects.count()) == (1, 1)
        assert Gift.objects.filter(contact=ana).count() == 2 + len(acts)
        assert ana.giving.total == 6 + len(acts)


def test_O3_two_people_who_fight_for_a_number_end_with_one_holder() -> None:
    tenant: Tenant = TenantFactory(name="River Trust fighting")
    page = page_of(tenant)
    acts: list[Any] = [lambda one=(ANA, BEN)[n % 2]: give(page, person(one, NUMBER), "1.00") for n in range(threads())]
    at_once(tenant, acts)
    with in_tenant(tenant):
        assert Contact.objects.count() == 2
        assert PhoneNumber.objects.count() == 1
        assert sum(Giving.objects.values_list("total", flat=True)) == len(acts)


def test_O2_one_identifier_sent_at_once_is_one_donation() -> None:
    tenant: Tenant = TenantFactory(name="River Trust once")
    page = page_of(tenant)
    emails = [f"{n}@rivermail.test" for n in range(threads())]
    acts: list[Any] = [
        lambda one=one: record_donation(page, body(person(one), identifiers=["crm:1"])) for one in emails
    ]
    at_once(tenant, acts)
    with in_tenant(tenant):
        assert Donation.objects.count() == 1
        assert Contact.objects.count() == 1


def test_O4_a_new_custom_field_and_an_identifier_that_many_bring_at_once_lose_no_donation() -> None:
    tenant: Tenant = TenantFactory(name="River Trust asking")
    page = page_of(tenant)
    number = threads()
    acts: list[Any] = [
        lambda n=n: give(
            page, person(f"{n}@rivermail.test", custom_fields={"Employer": "Acme"}, identifiers=["crm:1"]), "1.00"
        )
        for n in range(number)
    ]
    at_once(tenant, acts)
    with in_tenant(tenant):
        assert Donation.objects.count() == Contact.objects.count() == number
        assert CustomField.objects.get().name == "Employer" and CustomValue.objects.count() == number
        assert OutsideIdentifier.objects.count() == 1
