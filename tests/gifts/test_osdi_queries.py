"""How much one call of the helper asks of the database: what is recorded needs it, and nobody is told twice (O1)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import ConsentEvent, Contact, CustomField, HistoryEntry, MobileEvent, Tag
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from tests.gifts.osdi import SMITH, Program, said

pytestmark = pytest.mark.django_db
FULL = SMITH | {
    "languages_spoken": ["en", "es"], "custom_fields": {"Employer": "Acme", "Shirt": "L"}, "identifiers": ["crm:1"],
    "email_addresses": [{"address": "jsmith@mail.com", "status": "subscribed"}],
    "phone_numbers": [{"number": "2021234444", "status": "subscribed"}],
}  # fmt: skip
APART = ("SAVEPOINT", "RELEASE", "SELECT pg_advisory")


def asked(act: Any) -> int:
    """How many questions to the database; marks and waiting in between are none."""
    with CaptureQueriesContext(connection) as seen:
        said(act())
    return sum(not one["sql"].startswith(APART) for one in seen.captured_queries)


def test_O1_a_new_donor_with_every_field_costs_less_than_eighty_questions_and_has_every_line(tenant: Tenant) -> None:
    program = Program(tenant)
    page = program.page()
    with in_tenant(tenant):
        for name in ("donor", "member"):
            Tag.objects.create(name=name)
        for name in ("Employer", "Shirt"):
            CustomField.objects.create(name=name)
    said(program.give(page, person={"email_addresses": [{"address": "first@mail.com"}]}))
    assert asked(lambda: program.give(page, person=FULL, identifiers=["form:1"])) < 80
    with in_tenant(tenant):
        john = Contact.objects.get(first_name="John")
        lines = HistoryEntry.objects.filter(contact_uid=john.uid).order_by("pk").values_list("what", "verb")
        assert list(lines) == [
            ("contact", "added"), ("email address", "added"), ("postal address", "added"), ("language", "added"),
            ("language", "added"), ("custom field value", "added"), ("custom field value", "added"),
            ("identifier elsewhere", "added"), ("phone number", "added"), ("phone number", "changed"), ("tag", "added"),
            ("tag", "added"), ("gift", "added"), ("thank-you", "added"),
        ]  # fmt: skip
        assert ConsentEvent.objects.filter(contact_uid=john.uid).count() == 2
        assert MobileEvent.objects.filter(contact_uid=john.uid).count() == 1


def test_O1_the_same_donor_again_costs_as_little(tenant: Tenant) -> None:
    program = Program(tenant)
    page = program.page()
    said(program.give(page, person=FULL))
    assert asked(lambda: program.give(page, person=FULL, identifiers=["form:2"])) < 70
