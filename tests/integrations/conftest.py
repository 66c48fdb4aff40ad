"""What tests of pages about integrations begin with; a file whose world is another one makes it itself."""

from typing import Any

import pytest

from contacts.tenancy.walls import in_tenant
from tests.integrations.desk import Desk, desk
from tests.integrations.engine import World


@pytest.fixture
def world(tenant: Any, sandbox: Any) -> World:
    """An organization with the sandbox Mailchimp; the test is outside of it, as a browser is."""
    with in_tenant(tenant):
        return World(tenant, sandbox)


@pytest.fixture
def owner(tenant: Any) -> Desk:
    """Its owner, logged in."""
    return desk(tenant)
