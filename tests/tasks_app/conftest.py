"""Everything here happens inside one organization, in a browser where its owner has logged in."""

import pytest
from django.test import Client

from contacts.models import Contact
from contacts.tenancy.models import Tenant
from tests.factories import ContactFactory
from tests.tenancy.people import logged_in


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """The owner's browser."""
    return logged_in(tenant)


@pytest.fixture
def donor(tenant: Tenant) -> Contact:
    """Somebody who has not given yet."""
    found: Contact = ContactFactory(tenant=tenant, first_name="Ana", last_name="Ruiz")
    return found
