"""Log in as somebody with a role."""

from django.test import Client

from contacts.tenancy.models import Role, StaffMember, Tenant, User
from contacts.tenancy.walls import in_tenant
from tests.factories import UserFactory


def place(user: User, tenant: Tenant, role: str = Role.OWNER) -> StaffMember:
    """A place in an organization."""
    with in_tenant(tenant):
        return StaffMember.objects.create(user=user, role=role)


def logged_in(tenant: Tenant, role: str = Role.OWNER, *also: Tenant) -> Client:
    """A browser in which somebody with this role has logged in; `also` are further organizations of theirs."""
    user = UserFactory()
    for one in (tenant, *also):
        place(user, one, role)
    client = Client()
    client.force_login(user)
    return client
