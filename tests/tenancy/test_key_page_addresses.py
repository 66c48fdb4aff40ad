"""The page of API keys tells whoever writes a program where each API is."""

import pytest
from django.test import Client
from django.urls import reverse

from contacts.tenancy.models import Tenant
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db


def test_O14_the_page_of_keys_names_the_address_of_the_donation_helper(tenant: Tenant) -> None:
    client: Client = logged_in(tenant)
    page = client.get(reverse("admin:api_keys")).content.decode()
    assert "/api/v2</code>" in page and 'href="/api/osdi/try"' in page and 'href="/api/osdi/openapi.json"' in page
