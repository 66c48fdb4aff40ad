"""The organization that is measured: its people, its list and its connection to the sandbox."""

import hashlib
import itertools
import json
import os
import urllib.request
from typing import Any

from bench import LOGIN, PASSWORD
from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from contacts.models.contact import address_key
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Role, StaffMember, Tenant, User
from contacts.tenancy.walls import TenantQuerySet, in_tenant
from integrations.models import Connection, Credential, RemoteRecord

FIRST = "Amara Bruno Chidi Dana Elif Farid Greta Hana Iris Jonas Kemi Lena Marco Nadia Omar Priya Rosa Samir Tala Yusuf"
LAST = "Abara Bakker Costa Diaz Eriksen Fischer Garcia Haddad Ivanov Jansen Kaya Lopez Meyer Novak Okafor Park Quinn"


def found() -> None:
    """The organization, somebody who logs in, and a connection that waits for its first Sync."""
    tenant = Tenant.objects.create(name="River Trust")
    user = User.objects.create_user(LOGIN, PASSWORD)
    data_centre, audience, token = account()
    with in_tenant(tenant):
        StaffMember.objects.create(user=user, role=Role.OWNER)
        settings = {
            "mode": "tags", "audience": audience, "audience_name": "River Friends", "dc": data_centre,
        }  # fmt: skip
        connection = Connection.objects.create(provider="mailchimp", state=Connection.State.READY, settings=settings)
        Credential.store(connection, {"token": token, "dc": data_centre}, user)


def account() -> tuple[str, str, str]:
    """The sandbox account's data centre, its audience and a key that opens it (tests/fakes/mailchimp/seed.py)."""
    sandbox, data_centre = os.environ["BENCH_SANDBOX"], "us21"
    token = f"{hashlib.md5(b'river sandbox key', usedforsecurity=False).hexdigest()}-{data_centre}"
    request = urllib.request.Request(
        f"{sandbox}/{data_centre}/3.0/lists?fields=lists.id", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return data_centre, json.load(answer)["lists"][0]["id"], token


def ours() -> tuple[Tenant, Connection]:
    """The organization and its connection."""
    tenant = Tenant.objects.get()
    with in_tenant(tenant):
        return tenant, Connection.objects.get()


def owner() -> User:
    """Somebody who logs in and may do everything."""
    return User.objects.get()


def people(count: int) -> None:
    """So many contacts on one synchronized list, straight into the tables: how they came there is not measured."""
    names = itertools.cycle(itertools.product(FIRST.split(), LAST.split()))
    tenant, _ = ours()
    with in_tenant(tenant):
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
