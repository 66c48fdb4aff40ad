"""The organization that is measured: its people, its list and its connection to the sandbox."""

import itertools
from typing import Any

from bench import LOGIN, PASSWORD
from bench.connecting import connect
from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from contacts.models.contact import address_key
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Role, StaffMember, Tenant, User
from contacts.tenancy.walls import TenantQuerySet, in_tenant
from integrations import jobs
from integrations.models import Connection, RemoteRecord
from integrations.sync import outbox

FIRST = "Amara Bruno Chidi Dana Elif Farid Greta Hana Iris Jonas Kemi Lena Marco Nadia Omar Priya Rosa Samir Tala Yusuf"
LAST = "Abara Bakker Costa Diaz Eriksen Fischer Garcia Haddad Ivanov Jansen Kaya Lopez Meyer Novak Okafor Park Quinn"


def found() -> None:
    """The organization, somebody who logs in, and a connection that waits for its first Sync."""
    tenant = Tenant.objects.create(name="River Trust")
    user = User.objects.create_user(LOGIN, PASSWORD)
    with in_tenant(tenant):
        StaffMember.objects.create(user=user, role=Role.OWNER)
        connect(user)


def ours() -> tuple[Tenant, Connection]:
    """The organization and its connection."""
    tenant = Tenant.objects.order_by("pk")[0]
    with in_tenant(tenant):
        return tenant, Connection.objects.get()


def owner() -> User:
    """Somebody who logs in and may do everything."""
    return User.objects.get()


def people(count: int, tenant: Tenant | None = None) -> None:
    """So many contacts on one synchronized list, straight into the tables: how they came there is not measured."""
    names = itertools.cycle(itertools.product(FIRST.split(), LAST.split()))
    with in_tenant(tenant or ours()[0]):
        newsletter = ContactList.objects.create(name="Newsletter", synchronize=True)
        for start in range(0, count, 5000):
            numbers = range(start, min(start + 5000, count))
            contacts = [
                Contact(first_name=first, last_name=last) for _, (first, last) in zip(numbers, names, strict=False)
            ]
            insert(Contact, contacts)
            addresses = [
                f"{c.first_name}.{c.last_name}.{n}@crowdmail.test" for c, n in zip(contacts, numbers, strict=True)
            ]
            insert(EmailAddress, [
                EmailAddress(contact=c, address=a, address_key=address_key(a), is_primary=True)
                for c, a in zip(contacts, addresses, strict=True)
            ])  # fmt: skip
            insert(ListMembership, [ListMembership(contact=c, contact_list=newsletter) for c in contacts])


def neighbours(count: int, contacts: int) -> None:
    """So many more organizations with the same vendor: the first with so many contacts, the others with a few."""
    for number in range(count):
        tenant = Tenant.objects.create(name=f"Neighbour {number + 1}")
        with in_tenant(tenant):
            connection = connect(owner(), "harbor")
            Connection.objects.filter(pk=connection.pk).update(state=Connection.State.ACTIVE)
        people(5 if number else contacts, tenant)


def flood() -> None:
    """Everything in the first neighbour is to be sent, as after a large import."""
    tenant = Tenant.objects.get(name="Neighbour 1")
    with in_tenant(tenant):
        outbox.mark_lists(tenant.pk, ContactList.objects.values_list("uid", flat=True), "Import")
        for connection in outbox.mark_contacts(tenant.pk, Contact.objects.values_list("uid", flat=True), "Import"):
            jobs.nudge(connection)


def waiting() -> int:
    """How many changes of the flood still wait."""
    with in_tenant(Tenant.objects.get(name="Neighbour 1")):
        return due()


def insert(model: type[Any], rows: list[Any]) -> None:
    """Without history and without telling anybody."""
    TenantQuerySet.bulk_create(model.objects.all(), rows, batch_size=1000)


def change(count: int) -> None:
    """Half of so many contacts get another name, the other half move to a second list; all of it leaves its traces."""
    tenant, _ = ours()
    with in_tenant(tenant), acting(By.STAFF, "Almoner", owner()):
        pks = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[: count * 7 : 7])
        renamed, moved = pks[: count // 2], pks[count // 2 :]
        Contact.objects.filter(pk__in=renamed).update(last_name="Renamed")
        second = ContactList.objects.create(name="Volunteers", synchronize=True)
        ListMembership.objects.filter(contact__in=moved).update(contact_list=second)


def due() -> int:
    """How many rows still wait to be sent."""
    return RemoteRecord.objects.filter(due_at__isnull=False).count()
