"""The donors API among clients that mean it ill, or do not know better (A6, A8, A9)."""

import re
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact, CustomField, PostalAddress
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.donors import searching
from gifts.models import Donor, DonorClub, Pledge
from gifts.services import record_gift, record_pledge
from gifts.totals import recount_all
from gifts.whole import whole
from tests.factories import TenantFactory
from tests.gifts.donors_api import Program, giver, good, refused, replace
from tests.gifts.osdi import Program as OsdiProgram
from tests.gifts.test_osdi_large import plan, seed_many

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


def other_spellings(uid: str) -> list[str]:
    """36 signs that Python takes for the same id."""
    plain = uid.replace("-", "")
    fullwidth = "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in uid)
    return [f"{plain}----", f"----{plain}", fullwidth]


def test_A8_a_donor_cannot_be_in_a_batch_twice_by_another_spelling_of_its_id(tenant: Tenant, program: Program) -> None:
    donor = giver(tenant, 10)
    uid = str(donor.uid)
    for spelling in other_spellings(uid):
        assert spelling != uid and len(spelling) == 36 and uuid.UUID(spelling) == donor.uid
        body = good(program.batch(
            {"operation": "patch", "id": uid, "patch": [replace("/notes", "one")]},
            {"operation": "patch", "id": spelling, "patch": [replace("/notes", "two")]},
        ))  # fmt: skip
        assert [each["status"] for each in body["results"]] == [200, 404]
        refused(program.read(spelling), 404)
    assert good(program.read(uid.upper()))["notes"] == "one"


def test_A9_O4_an_address_that_is_too_long_in_small_letters_is_no_address(tenant: Tenant, program: Program) -> None:
    """A dotted capital I is two signs in small letters, and PostgreSQL refuses what is longer than its column."""
    donor, address = giver(tenant, 10), "İ" * 200 + "@river.test"
    assert len(address) < 254 < len(address.lower())
    said = refused(program.patch(str(donor.uid), replace("/email_address", address)), 400, "invalid")
    assert said["errors"][0]["path"] == "/email_address"
    assert program.search(email_address=address)["Count"] == 0
    person = {"given_name": "Ana", "email_addresses": [{"address": address}]}
    assert OsdiProgram(tenant).post("/people", {"person": person}).status_code == 400


def test_A6_a_search_for_spaces_asks_for_nothing(tenant: Tenant, program: Program) -> None:
    giver(tenant, 10, last_name="Ng")
    giver(tenant, 10, last_name="")
    for name in ("last_name", "nickname", "type", "email_address", "city"):
        assert program.search(**{name: "  "})["Count"] == 2, name


def test_A9_a_body_without_a_length_is_refused_instead_of_passed_over(tenant: Tenant, program: Program) -> None:
    giver(tenant, 10, last_name="Ng")
    answer = program.client.generic(
        "POST", f"/donors/{tenant.slug}/search", b"", "application/json",
        headers={"Authorization": program.secret, "Transfer-Encoding": "chunked"},
    )  # fmt: skip
    refused(answer, 400)


@pytest.mark.parametrize(
    "query",
    ["?" + "a&" * 2_001, "?fields=%ff", "?fields=%00", "?fields=a&fields=b", "?%ff=%ff"],
    ids=["thousands", "no UTF-8", "NUL", "twice", "no name"],
)
def test_A9_no_query_is_a_500_and_every_refusal_is_a_problem(tenant: Tenant, program: Program, query: str) -> None:
    answer = program.read(str(giver(tenant, 10).uid), query)
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        refused(answer, 400)


@pytest.mark.parametrize("value", [
    1e308, -1e308, 10**400, 1e-300, -0.0, 123456789012345678901234567890.5, True, "1e400", "NaN", "٣", "x" * 100_000,
    "\u202e", "\ud83d\ude00", [], {}, [[]], {"a": 1},
])  # fmt: skip
@pytest.mark.once
def test_A9_no_value_of_any_member_is_a_500(tenant: Tenant, program: Program, value: Any) -> None:
    donor = giver(tenant, 10)
    with in_tenant(tenant):
        fields = [CustomField.objects.create(name=kind, kind=kind) for kind in CustomField.Kind.values]
    uid, shown = str(donor.uid), good(program.read(str(donor.uid)))
    for name in (*shown, "custom_field_values/0", "nobody"):
        assert program.patch(uid, {"op": "add", "path": f"/{name}", "value": value}).status_code in (200, 400, 409), (
            name
        )
        assert program.put(uid, good(program.read(uid)) | {name: value}).status_code in (200, 400, 409), name
    for field in fields:
        for kept in ("string_value", "numeric_value", "boolean_value", "list_value"):
            row = {"custom_field_id": str(field.uid), kept: value}
            answer = program.put(uid, good(program.read(uid)) | {"custom_field_values": [row]})
            assert answer.status_code in (200, 400), (field.kind, kept, answer.content)
            good(program.read(uid))


@pytest.mark.parametrize("path", ["", "/", "/x/", "/search/", "/batch/", "/x/y", "/%00", "/x%2fy", "//", "/.", "/%ff"])
def test_A9_no_address_is_a_500_or_leads_elsewhere(tenant: Tenant, program: Program, path: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = program.call(method, path, {})
        assert answer.status_code in (200, 400, 404, 405), (method, answer.status_code)
        if answer.status_code != 200:
            assert answer.json()["message"], method


def test_A6_a_key_for_the_next_page_cannot_be_made_or_carried_over(
    tenant: Tenant, program: Program, settings: Any
) -> None:
    settings.DONORS_PAGE = 1
    for _ in range(3):
        giver(tenant, 10)
    other = TenantFactory()
    giver(other, 10)
    key = program.search()["LastEvaluatedKey"]
    head, _, tail = key.partition(":")
    for wrong in (
        key[:-1],
        key + "A",
        head,
        f"WzEsIngiLDBd:{tail}",
        "é" * 10,
        ".eJw" + key,
        key * 20,
        " " + key,
        key.swapcase(),
    ):
        answer = program.call("POST", f"/search?exclusiveStartKey={wrong}", {})
        refused(answer, 400)
    refused(Program(other).call("POST", f"/search?exclusiveStartKey={key}", {}), 400)
    refused(program.call("POST", f"/search?exclusiveStartKey={key}", {"last_name": "Ng"}), 400)


def test_A6_what_many_have_is_found_as_what_few_have(
    tenant: Tenant, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ways to look, which give the same."""
    for first, place, job in (("Ana", "Bend", "Baker"), ("ANA", "Salem", "baker"), ("Éva", "Bend", ""), ("Bo", "", "")):
        contact = giver(tenant, 10, first_name=first, last_name="Ng", job_title=job).contact
        with in_tenant(tenant):
            for city in filter(None, (place, "Elsewhere")):
                PostalAddress.objects.create(contact=contact, city=city, state="OR", is_primary=city == place)
    asked = [
        {"first_name": "ana"}, {"first_name": "éva"}, {"city": "bend"}, {"city": "elsewhere"}, {"state": "or"},
        {"job_title": "BAKER"}, {"nickname": "ana"}, {"last_name": "ng", "city": "bend", "first_name": "ana"},
    ]  # fmt: skip
    few = [program.search(**criteria)["Items"] for criteria in asked]
    monkeypatch.setattr(searching, "FEW", 0)
    many = [program.search(**criteria)["Items"] for criteria in asked]
    assert few == many
    assert [len(found) for found in many] == [2, 1, 2, 1, 4, 2, 2, 1]


INDEXES = {
    "first_name": "contact_by_first_name", "last_name": "contact_by_last_name", "job_title": "contact_by_job_title",
    "city": "postal_by_city", "state": "postal_by_state",
}  # fmt: skip


@pytest.mark.parametrize("name", INDEXES)
def test_A6_each_text_is_looked_up_by_its_index(tenant: Tenant, name: str) -> None:
    if connection.vendor == "postgresql":  # in an empty table all indexes cost the same
        seed_many(tenant)
    with in_tenant(tenant):
        rows = searching.shown_places() if name in ("city", "state") else Contact.objects.all()
        found = plan(searching.alike(rows, name, "Ng"))
    if connection.vendor == "postgresql":
        assert INDEXES[name] in found, found
    else:  # which of several indexes it takes depends there on statistics
        assert "<expr>=?" in found and "SCAN" not in found, found


def test_A8_a_patch_in_a_batch_costs_six_statements_and_one_that_fails_takes_nothing_along(
    tenant: Tenant, program: Program
) -> None:
    donors = [str(giver(tenant, 10).uid) for _ in range(9)]

    def batch(uids: list[str], path: str, value: str) -> tuple[int, list[int]]:
        each = [{"operation": "patch", "id": uid, "patch": [replace(path, value)]} for uid in uids]
        with CaptureQueriesContext(connection) as queries:
            results = good(program.batch(*each))["results"]
        return len(queries), [one["status"] for one in results]

    few, _ = batch(donors[:1], "/notes", "once")
    many, _ = batch(donors, "/notes", "twice")
    assert many - few <= 6 * 8
    _, statuses = batch(donors[:3], "/sys_external_id", "the same")
    assert statuses == [200, 409, 409]
    assert [good(program.read(uid))["sys_external_id"] for uid in donors[:3]] == ["the same", "", ""]
    assert [good(program.read(uid))["sys_version"] for uid in donors[:3]] == [4, 2, 2]


def test_A7_A14_amounts_that_no_binary_number_holds_are_not_found_changed_by_every_recount(
    tenant: Tenant, program: Program
) -> None:
    donor = giver(tenant, "0.10")
    with in_tenant(tenant):
        DonorClub.objects.create(name="Friends", minimum=Decimal("4999.99"), basis="fiscal_year")
        pledge = record_pledge(donor.contact, "5000.10", date(2025, 1, 1))
        for amount in ("4999.96", "0.01", "0.01", "0.01"):
            record_gift(donor.contact, amount, timezone.localdate(), pledge=pledge)
        recount_all()
        assert Pledge.objects.with_balance().get().balance == Decimal("0.11")
    before = good(program.read(str(donor.uid)))
    assert before["pledge_balance"] == 0.11 and "donor_club_id" in before
    for _ in range(2):
        assert good(program.call("POST", "/recalculateDonorTotals")) == {"donors_processed": 1, "donors_changed": 0}
    assert good(program.read(str(donor.uid))) == before


def test_A6_a_page_of_donors_is_read_by_its_donors_and_not_by_its_organization(tenant: Tenant) -> None:
    """SQLite would otherwise read all contacts in the order of their names."""
    for _ in range(3):
        giver(tenant, 10)
    is_sqlite, plans = connection.vendor == "sqlite", []
    with in_tenant(tenant), connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        donors = list(Donor.objects.order_by("pk"))
        with CaptureQueriesContext(connection) as queries:
            whole(donors * 40)
        for query in queries.captured_queries:
            cursor.execute(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + query["sql"].replace("%", "%%"))
            plans.append(str(cursor.fetchall()))
    about = [plan for plan in plans if re.search("(contacts_contact|contacts_emailaddress) ", plan)]
    assert len(about) == 2 and len(plans) == 6
    if is_sqlite:  # PostgreSQL chooses by how many rows there are
        assert all(re.search(r"rowid=\?|contact_id=\?", plan) for plan in about), about
