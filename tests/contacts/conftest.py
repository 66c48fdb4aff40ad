"""Everything here happens inside one organization, in a browser where its owner has logged in."""

import pytest
from django.test import Client

from contacts.tenancy.models import Tenant
from tests.tenancy.people import logged_in


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """The owner's browser."""
    return logged_in(tenant)
