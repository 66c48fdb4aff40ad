"""What operators do with people: whoever leaves is switched off, since ledgers name them."""

import pytest
from django.test import Client

from contacts.models import ConsentEvent, Contact
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant, User
from contacts.tenancy.walls import in_tenant
from tests.factories import PASSWORD, UserFactory
from tests.tenancy.people import place

pytestmark = pytest.mark.django_db


def test_somebody_whom_the_consent_ledger_names_is_switched_off_and_not_deleted(tenant: Tenant, client: Client) -> None:
    user = UserFactory()
    place(user, tenant)
    with in_tenant(tenant), acting(By.STAFF, "Almoner", user):
        Contact.objects.create(last_name="Ruiz", do_not_contact=True)
        assert ConsentEvent.objects.get().user == user
    client.force_login(User.objects.create_superuser("root@rivermail.test", PASSWORD))
    page = f"/operators/contacts/user/{user.pk}/"
    assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert "deletelink" not in client.get(f"{page}change/").content.decode()
    data = {"email": user.email, "first_name": "", "last_name": "", "is_active": ""}
    assert client.post(f"{page}change/", data).status_code == 302
    user.refresh_from_db()
    assert not user.is_active
