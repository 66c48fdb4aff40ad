"""Search in the donors API: criteria, projection, paging that neither repeats nor misses (A6)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Donor
from tests.gifts.donors_api import Program, giver, organization, person, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


def ids(found: dict[str, Any]) -> list[str]:
    return [each["id"] for each in found["Items"]]


def walk(program: Program, between: Any = lambda: None, **criteria: Any) -> list[str]:
    """Every page, to the end."""
    seen: list[str] = []
    query = ""
    for _ in range(50):
        found = program.search(query, **criteria)
        assert found["Count"] == len(found["Items"])
        seen += ids(found)
        if "LastEvaluatedKey" not in found:
            return seen
        query = f"?exclusiveStartKey={found['LastEvaluatedKey']}"
        between()
    raise AssertionError("there is no end")


def test_A6_each_criterion_finds_its_donors_and_all_together_narrow(tenant: Tenant, program: Program) -> None:
    ana = program.create(
        person(tenant, first_name="Ana", last_name="Ng", email="ana@river.test", job_title="Head Baker"),
        city="Ulm", state="BW",
    )  # fmt: skip
    bob = program.create(person(tenant, first_name="Robert", last_name="Ng", email="bob@river.test"), city="Ulm")
    oak = program.create(organization(tenant))
    for criteria, wanted in (
        ({}, [ana, bob, oak]), ({"ids": [ana["id"], oak["id"], "x"]}, [ana, oak]), ({"first_name": "ANA"}, [ana]),
        ({"last_name": "ng"}, [ana, bob]), ({"last_name": "n"}, []), ({"email_address": "Bob@River.test"}, [bob]),
        ({"nickname": "Bob"}, [bob]), ({"nickname": "ana"}, [ana]), ({"type": "organization"}, [oak]),
        ({"type": "contact"}, [ana, bob]), ({"organization_id": [oak["organization_id"], ana["contact_id"]]}, [oak]),
        ({"contact_id": [ana["contact_id"], oak["organization_id"]]}, [ana]), ({"job_title": "head baker"}, [ana]),
        ({"city": "ulm"}, [ana, bob]), ({"state": "bw"}, [ana]), ({"city": "Ulm", "type": "organization"}, []),
        ({"city": "Ulm", "last_name": "Ng", "state": "BW"}, [ana]), ({"ids": ["x"]}, []),
        ({"ids": None, "city": "", "contact_id": []}, [ana, bob, oak]),
        ({"first_name": "%"}, []), ({"first_name": "_na"}, []), ({"last_name": "  ng "}, [ana, bob]),
    ):  # fmt: skip
        assert ids(program.search(**criteria)) == [each["id"] for each in wanted], criteria
    assert program.search(first_name="Ana")["Items"] == [ana]
    assert program.search("?fieldsToReturn=name,nothing", first_name="Ana")["Items"] == [
        {"id": ana["id"], "name": "Ana Ng"}
    ]


def test_A6_letters_beyond_a_to_z_have_two_cases_too(tenant: Tenant, program: Program) -> None:
    made = program.create(person(tenant, first_name="Éva", last_name="ÖZ"))
    assert ids(program.search(first_name="éva")) == ids(program.search(last_name="Öz")) == [made["id"]]


@pytest.mark.parametrize("body", [
    [], "x", b"null", 7, {"nothing": 1}, {"ids": "x"}, {"ids": [1]}, {"first_name": 7}, {"type": "member"},
    {"city": ["x"]}, {"first_name": "x" * 301}, {"ids": ["x"] * 1001}, {"contact_id": {"a": 1}},
])  # fmt: skip
def test_A6_criteria_that_cannot_be_read_are_400(program: Program, body: Any) -> None:
    refused(program.call("POST", "/search", body), 400)


@pytest.mark.parametrize("body", [b"", b"null", b"  "])
def test_A6_a_body_that_says_nothing_is_no_search_for_everybody(tenant: Tenant, program: Program, body: bytes) -> None:
    giver(tenant, 10)
    said = refused(program.call("POST", "/search", body), 400)
    assert body.isspace() or "{} finds every donor" in said["message"]
    assert program.search()["Count"] == 1


def test_A6_pages_have_a_key_until_the_end(tenant: Tenant, program: Program, settings: Any) -> None:
    settings.DONORS_PAGE = 2
    made = [program.create(person(tenant))["id"] for _ in range(5)]
    assert walk(program) == made
    assert walk(program, type="contact") == made
    settings.DONORS_PAGE = 5
    assert "LastEvaluatedKey" not in program.search()


def test_A6_a_key_is_for_one_search_of_one_organization_and_outlives_its_donor(
    tenant: Tenant, neighbour: Tenant, program: Program, settings: Any
) -> None:
    settings.DONORS_PAGE = 1
    made = [program.create(person(tenant, last_name="Ng"))["id"] for _ in range(3)]
    theirs = Program(neighbour)
    theirs.create(person(neighbour))
    theirs.create(person(neighbour))
    key = program.search(last_name="Ng")["LastEvaluatedKey"]
    query = f"/search?exclusiveStartKey={key}"
    refused(program.call("POST", query, {}), 400)
    refused(program.call("POST", query, {"last_name": "Ng", "city": "Ulm"}), 400)
    refused(theirs.call("POST", query, {"last_name": "Ng"}), 400)
    for garbage in ("x", key[:-1], key + "x", "null", "é", "1" * 5000, key.swapcase()):
        refused(program.call("POST", f"/search?exclusiveStartKey={garbage}", {"last_name": "Ng"}), 400)
    program.call("DELETE", f"/{made[0]}")
    assert ids(program.search(f"?exclusiveStartKey={key}&fieldsToReturn=id", last_name="Ng")) == [made[1]]
    refused(program.call("POST", f"{query}&exclusiveStartKey=x", {}), 400)


def new(tenant: Tenant) -> str:
    with in_tenant(tenant):
        return str(Donor.objects.create(contact=Contact.objects.create(last_name="Ng")).uid)


CHANGE = st.lists(st.tuples(st.sampled_from(["add", "delete", "rename", "touch"]), st.integers(0, 7)), max_size=3)


@pytest.mark.once
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(CHANGE, min_size=6, max_size=6))
def test_A6_paging_neither_repeats_nor_misses_a_donor_that_did_not_change(
    tenant: Tenant, changes: list[list[tuple[str, int]]]
) -> None:
    from django.test import override_settings

    program = Program(tenant)
    with in_tenant(tenant):
        Donor.objects.all().delete()
    made = [new(tenant) for _ in range(8)]
    changed: set[str] = set()
    steps = iter(changes)

    def between() -> None:
        for verb, which in next(steps, []):
            uid = made[which]
            if verb == "add":
                new(tenant)
                continue
            changed.add(uid)
            with in_tenant(tenant):
                row = Donor.objects.filter(uid=uid)
                if verb == "delete":
                    row.delete()
                elif verb == "rename":
                    Contact.objects.filter(donor__uid=uid).update(last_name="Other")
                else:
                    row.update(notes="Other")

    with override_settings(DONORS_PAGE=3, API_CALLS_PER_MINUTE=10**6, API_CALLS_PER_MINUTE_ORGANIZATION=10**6):
        seen = walk(program, between, last_name="Ng")
    assert len(seen) == len(set(seen))
    assert set(made) - changed <= set(seen)


def test_A6_as_many_queries_for_60_donors_as_for_3(tenant: Tenant, program: Program) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            program.search(type="contact")
        return len(caught)

    for _ in range(3):
        giver(tenant, 10, 20)
    program.search()
    few = queries()
    with in_tenant(tenant):
        people = [Contact(first_name=f"P{number}") for number in range(57)]
        Contact.objects.bulk_create(people)
        Donor.objects.bulk_create([Donor(contact=each) for each in people])
    assert len(program.search(type="contact")["Items"]) == 60
    assert queries() == few <= 20
