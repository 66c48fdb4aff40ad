"""A contact who gave is not deleted, whoever tries and however; merging loses no gift, and undoing gives it back."""

from datetime import date

import pytest
from django.db.models import RestrictedError
from django.test import Client
from django.urls import reverse

from contacts import bulk, holds, services, timeline
from contacts.duplicates.merge import merge
from contacts.duplicates.unmerge import undo
from contacts.models import Contact, ImportRow
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Gift, Giving, Pledge
from gifts.services import record_gift, record_pledge, refund
from tests.contacts.import_desk import imported, taken_back
from tests.factories import ContactFactory
from tests.gifts.test_totals import kept, right

pytestmark = pytest.mark.django_db
WHY = "Ana Ruiz has 2 gifts and 1 pledge, which would be left without a donor"


@pytest.fixture
def giver(tenant: Tenant, donor: Contact) -> Contact:
    with in_tenant(tenant):
        refund(record_gift(donor, 100, date(2025, 3, 1)))
        record_gift(donor, 20, date(2025, 4, 1))
        record_pledge(donor, 500, date(2025, 1, 1))
    return donor


def test_M8_the_page_refuses_with_a_sentence(tenant: Tenant, client: Client, giver: Contact) -> None:
    address = reverse("admin:contacts_contact_delete", args=[giver.pk])
    for answer in (client.get(address), client.post(address, {"post": "yes"})):
        assert WHY in answer.content.decode()
        assert "Delete contact" not in answer.content.decode()
    with in_tenant(tenant):
        assert Contact.objects.filter(pk=giver.pk).exists()


def test_M8_bulk_deletion_says_who_stays_and_deletes_the_others(tenant: Tenant, client: Client, giver: Contact) -> None:
    other = ContactFactory(tenant=tenant)
    form = {"action": "delete_contacts", "_selected_action": [giver.pk, other.pk], "select_across": "0"}
    address = reverse("admin:contacts_contact_changelist")
    asked = client.post(address, form).content.decode()
    assert "1 contact will stay, because what they gave needs its donor: Ana Ruiz (2 gifts and 1 pledge)." in asked
    said = client.post(address, form | {"confirmed": "1"}, follow=True).content.decode()
    assert "1 contact deleted. 1 contact stays because of what they gave." in said
    with in_tenant(tenant):
        assert list(Contact.objects.all()) == [giver]


def test_M8_the_worker_and_services_leave_donors_alone(tenant: Tenant, giver: Contact) -> None:
    with in_tenant(tenant):
        ContactFactory()
        assert bulk.VERBS["delete_contacts"].run(Contact.objects.all()) == 1
        with pytest.raises(holds.Held, match=WHY):
            services.delete_contact(giver)
        with pytest.raises(RestrictedError):  # whoever goes past the services
            giver.delete()
        assert (Gift.objects.count(), Pledge.objects.count()) == (2, 1)


def test_M8_taking_an_import_back_leaves_whoever_has_given_since(tenant: Tenant) -> None:
    with in_tenant(tenant):
        done = imported("First name,Last name,Email\nMia,Ek,mia@rivermail.test\nJon,Ek,jon@rivermail.test\n")
        mia = Contact.objects.get(first_name="Mia")
        record_gift(mia, 5, date(2025, 1, 1))
        taken_back(done)
        assert list(Contact.objects.values_list("first_name", flat=True)) == ["Mia"]
        assert "changed or used by somebody since" in ImportRow.objects.get(data_import=done, number=2).undo_reason
        right(mia)


def test_a_tenant_goes_with_its_gifts(tenant: Tenant, giver: Contact) -> None:
    with in_tenant(tenant):
        tenant.delete()
    assert not Tenant.objects.filter(pk=tenant.pk).exists()


def test_merging_moves_gifts_and_pledges_and_undoing_gives_them_back(tenant: Tenant, giver: Contact) -> None:
    with in_tenant(tenant):
        other = ContactFactory(first_name="Anna", last_name="Ruiz")
        record_gift(other, 7, date(2026, 1, 1))
        uid = giver.uid
        before = kept(giver)
        done = merge(other, giver)
        assert other.gifts.count() == 3
        assert other.pledges.count() == 1
        assert kept(other)["total"] == 27
        right(other)
        assert not Giving.objects.exclude(contact=other).exists()
        undo(done, None)
        back = Contact.objects.get(uid=uid)
        assert kept(back) == before
        assert back.pledges.count() == 1
        assert kept(other)["total"] == 7
        right(back, other)


def test_the_timeline_tells_of_gifts_under_a_label_of_their_own(tenant: Tenant, client: Client, giver: Contact) -> None:
    address = reverse("admin:contacts_contact_timeline", args=[giver.pk])
    told = client.get(address, {"kind": "gifts"}).content.decode()
    assert "Gift recorded: $20.00 of Apr 1, 2025" in told
    assert "Pledge recorded: $500.00 promised on Jan 1, 2025" in told
    assert "Gift recorded" not in client.get(address, {"kind": "details"}).content.decode()
    assert ("gifts", "Gifts") in [(one.kind, one.label) for one in timeline._sources]
