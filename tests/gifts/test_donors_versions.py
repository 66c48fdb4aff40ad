"""A change of the contact is one of its donor: a PUT of what was read before takes nothing back (A11)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact, CustomField, CustomValue, EmailAddress, PhoneNumber, PostalAddress
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import versions
from gifts.models import Donor
from gifts.services import record_gift
from tests.gifts.donors_api import Program, giver, good, person, refused, replace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


@contextmanager
def committed() -> Iterator[None]:
    """As if what is done inside were a transaction of its own."""
    connection.run_on_commit = []
    with TestCase.captureOnCommitCallbacks(execute=True):
        yield


def test_A11_what_staff_corrected_meanwhile_is_not_written_over_by_a_put_of_what_was_read_before(
    tenant: Tenant, neighbour: Tenant, program: Program
) -> None:
    row, theirs = giver(tenant, 10, email="old@river.test"), giver(neighbour, 10, email="old@river.test")
    read = good(program.read(str(row.uid)))
    with committed(), in_tenant(tenant):
        address = EmailAddress.objects.get(contact=row.contact)
        address.address = "new@river.test"
        address.save()
    refused(program.put(read["id"], read | {"notes": "x"}), 409, "other-version")
    refused(program.patch(read["id"], {"op": "test", "path": "/sys_version", "value": read["sys_version"]}), 400)
    now = good(program.read(read["id"]))
    assert (now["email_address"], now["sys_version"]) == ("new@river.test", read["sys_version"] + 1)
    good(program.put(read["id"], now | {"notes": "x"}))
    with in_tenant(neighbour):
        assert Donor.objects.get(pk=theirs.pk).version == theirs.version


def change(what: str, contact: Contact) -> None:
    if what == "names and more, saved together":
        Contact.objects.filter(pk=contact.pk).update(last_name="Ng")
        Contact.objects.filter(pk=contact.pk).update(job_title="Baker")
        PostalAddress.objects.create(contact=contact, city="Ulm")
    elif what == "custom field":
        field = CustomField.objects.create(name="VIP", kind="text")
        CustomValue.objects.create(contact=contact, field=field, value="x")
    elif what == "phone number":
        PhoneNumber.objects.create(contact=contact, number="+15035550142")
    elif what == "a name and Do Not Contact":
        Contact.objects.filter(pk=contact.pk).update(last_name="Ng", do_not_contact=True)
    else:
        Contact.objects.filter(pk=contact.pk).update(last_name="Ng")
        record_gift(contact, 5, date(2025, 5, 1))


@pytest.mark.parametrize(
    ("what", "more"),
    [("names and more, saved together", 1), ("custom field", 1), ("phone number", 0), ("a name and Do Not Contact", 1),
     ("a name, and then a gift", 1)],
)  # fmt: skip
def test_A11_one_save_is_one_version_and_what_is_not_shown_is_none(tenant: Tenant, what: str, more: int) -> None:
    row = giver(tenant, 10, last_name="Old")
    with committed(), in_tenant(tenant):
        change(what, row.contact)
    with in_tenant(tenant):
        assert Donor.objects.get(pk=row.pk).version == row.version + more


def test_A11_what_a_program_writes_of_the_contact_is_one_version(tenant: Tenant, program: Program) -> None:
    with committed():
        made = [program.create(person(tenant), first_name="Ana", city="Ulm") for _ in range(3)]
    with committed():
        good(program.patch(made[0]["id"], replace("/city", "Bonn"), replace("/email_address", "a@river.test")))
        good(program.put(made[1]["id"], made[1] | {"last_name": "Ng"}))
        good(program.batch(*(
            {"operation": "patch", "id": each["id"], "patch": [replace("/job_title", "Baker")]} for each in made
        )))  # fmt: skip
    assert [good(program.read(each["id"]))["sys_version"] for each in made] == [3, 3, 2]


def test_A11_as_many_queries_for_300_contacts_as_for_3(tenant: Tenant) -> None:
    def queries(count: int) -> int:
        with in_tenant(tenant):
            people = Contact.objects.bulk_create([Contact(first_name="P") for _ in range(count)])
            Donor.objects.bulk_create([Donor(contact=each) for each in people])
            Donor.objects.order_by().plainly(version=1)
            changed = {each.uid: timezone.now() for each in people}
            with CaptureQueriesContext(connection) as caught:
                assert versions.raise_versions(changed, "Ana") == count
            assert versions.raise_versions(changed, "Ana") == 0, "once"
            assert set(Donor.objects.filter(contact__in=people).values_list("version", flat=True)) == {2}
        return len(caught)

    queries(2)
    assert queries(3) == queries(300)
