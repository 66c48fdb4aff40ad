"""What a client may filter by is found by an index, and pages further back are reached by where the last one ended: an
organization may have 100,000 people (O14)."""

import json
from typing import Any

import pytest
from django.db import connection

from contacts.models import Contact, EmailAddress, OutsideIdentifier, PhoneNumber, PostalAddress
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.osdi import filters
from gifts.api.osdi.filter import Compare, apply
from gifts.models import Donation
from tests.gifts.osdi import Program, embedded, said, somebody, uid_in

pytestmark = pytest.mark.django_db


def plan(rows: Any) -> str:
    """How the database would find them, if it does not look at everybody just because they are few."""
    if connection.vendor != "postgresql":
        return str(rows.explain())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return json.dumps(rows.explain(format="json"))


WHERE: list[tuple[Any, dict[str, Compare], str, str]] = [
    (Contact, filters.PEOPLE, "given_name eq 'Ana'", "contact_by_first_name"),
    (Contact, filters.PEOPLE, "family_name gt 'Ana'", "contact_by_last_name"),
    (Contact, filters.PEOPLE, "region eq 'OR'", "postal_by_state"),
    (Contact, filters.PEOPLE, "postal_code eq '97301'", "postal_by_code"),
    (Contact, filters.PEOPLE, "email_address eq 'ana@rivermail.test'", "contacts_em_tenant"),
    (Contact, filters.PEOPLE, "phone_number eq '15035550142'", "contacts_ph_tenant"),
    (Contact, filters.PEOPLE, "identifier eq 'crm:7'", "outside_identifier_once"),
    (Donation, filters.DONATIONS, "created_date gt '2026-01-01'", "donation_by_day"),
]


def seed_many(tenant: Tenant) -> None:
    """So many rows, known to the database, that it matters which index it takes."""
    with in_tenant(tenant):
        people = Contact.objects.bulk_create(
            Contact(tenant=tenant, first_name=f"F{n}", last_name=f"A{n}", kind=Contact.Kind.PERSON) for n in range(300)
        )
        EmailAddress.objects.bulk_create(
            EmailAddress(tenant=tenant, contact=one, address=f"f{one.pk}@x.test", address_key=f"f{one.pk}@x.test")
            for one in people
        )
        PhoneNumber.objects.bulk_create(
            PhoneNumber(tenant=tenant, contact=one, number=f"+1503555{n:04}") for n, one in enumerate(people)
        )
        PostalAddress.objects.bulk_create(
            PostalAddress(tenant=tenant, contact=one, state=f"S{n}", postal_code=f"{n:05}")
            for n, one in enumerate(people)
        )
        OutsideIdentifier.objects.bulk_create(
            OutsideIdentifier(tenant=tenant, contact=one, system="crm", value=f"x{n}") for n, one in enumerate(people)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def test_O14_what_can_be_filtered_by_is_found_by_an_index(tenant: Tenant) -> None:
    is_postgres, walks = connection.vendor == "postgresql", {}
    if is_postgres:
        seed_many(tenant)
    for model, known, text, index in WHERE:
        with in_tenant(tenant):
            found = plan(apply(model.objects.order_by(), text, known))
        # which of several indexes SQLite takes depends on statistics
        if index not in found if is_postgres else "SEARCH" not in found or "SCAN" in found:
            walks[text] = found
    assert not walks


def test_O14_a_list_that_grows_while_it_is_read_repeats_nobody_and_misses_nobody(
    tenant: Tenant, neighbour: Tenant
) -> None:
    program, own = Program(tenant), []
    for n in range(5):
        own.append(str(somebody(tenant, f"a{n}@rivermail.test").uid))
        somebody(neighbour, f"b{n}@rivermail.test")
    seen, page = [], 1
    while rows := embedded(said(program.get("/people", page=page, per_page=2))):
        seen += [uid_in(row) for row in rows]
        if page < 4:
            own.append(str(somebody(tenant, f"c{page}@rivermail.test").uid))
        page += 1
    assert seen == own
