"""Batches and recalculation in the donors API (A7, A8)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import recounting, totals
from gifts.models import Donor, DonorClub, Giving, TotalsRun
from gifts.services import record_gift
from tests.factories import ContactFactory
from tests.gifts.donors_api import Program, giver, good, person, refused, replace

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


def patch(uid: str, *operations: Any) -> dict[str, Any]:
    return {"operation": "patch", "id": uid, "patch": list(operations)}


def delete(uid: str) -> dict[str, Any]:
    return {"operation": "delete", "id": uid}


def test_A8_each_operation_stands_on_its_own_and_results_keep_the_order(
    tenant: Tenant, neighbour: Tenant, program: Program
) -> None:
    one, two, gone = (program.create(person(tenant))["id"] for _ in range(3))
    given, theirs = str(giver(tenant, 10).uid), str(giver(neighbour, 10).uid)
    said = good(program.batch(
        patch(one, replace("/notes", "a")), delete(given), patch(two, replace("/notes", "b"), replace("/nothing", 1)),
        delete(gone), delete(theirs), patch("x"),
    ))  # fmt: skip
    assert (said["success_count"], said["error_count"]) == (2, 4)
    rows = said["results"]
    assert [row["index"] for row in rows] == list(range(6))
    assert [row["status"] for row in rows] == [200, 409, 400, 200, 404, 404]
    assert [row["success"] for row in rows] == [True, False, False, True, False, False]
    assert [row["id"] for row in rows] == [one, given, two, gone, theirs, "x"]
    assert rows[0]["data"] == good(program.read(one)) and rows[0]["data"]["notes"] == "a"
    assert all(row["message"] for row in rows if not row["success"])
    assert good(program.read(two))["notes"] == ""
    refused(program.read(gone), 404)
    assert good(program.read(given))["sys_deleted_by_id"] == "API key “Website”"
    good(Program(neighbour).read(theirs))


@pytest.mark.parametrize("body", [
    None, [], {}, {"operations": None}, {"operations": {}}, {"operations": "x"}, {"operations": ["x"]},
    *({"operations": [each]} for each in (
        {}, {"operation": "patch", "id": "x"}, {"operation": "delete"}, {"operation": "put", "id": "x"},
        {"operation": "delete", "id": 7}, {"operation": "delete", "id": ""},
        {"operation": "patch", "id": "x", "patch": {}},
    )),
    {"operations": [{"operation": "delete", "id": "x"}, {"operation": "delete", "id": "X"}]},
])  # fmt: skip
def test_A8_a_batch_that_cannot_be_read_as_a_whole_is_400(program: Program, body: Any) -> None:
    refused(program.call("POST", "/batch", body), 400)


def test_A8_the_101st_operation_makes_it_400_and_nothing_is_done(tenant: Tenant, program: Program) -> None:
    uid = program.create(person(tenant))["id"]
    operations = [patch(uid, replace("/notes", "a")), *[delete(f"x{number}") for number in range(100)]]
    refused(program.batch(*operations), 400, "too-many")
    assert good(program.read(uid))["notes"] == ""
    assert good(program.batch(*operations[:100]))["error_count"] == 99
    assert good(program.batch()) == {"success_count": 0, "error_count": 0, "results": []}


def test_A8_a_batch_with_an_idempotency_key_is_done_once(tenant: Tenant, program: Program) -> None:
    one, gone = program.create(person(tenant))["id"], program.create(person(tenant))["id"]
    operations = patch(one, replace("/notes", "a")), delete(gone), delete("x")
    first = good(program.batch(*operations, Idempotency_Key="b"))
    assert good(program.batch(*operations, Idempotency_Key="b")) == first
    assert first["results"][0]["data"]["sys_version"] == 2
    good(program.call("DELETE", f"/{one}"))
    assert good(program.batch(*operations, Idempotency_Key="b"))["results"][0]["data"] is None


def test_A8_a_hundred_operations_read_their_donors_together(tenant: Tenant, program: Program) -> None:
    def queries(count: int) -> int:
        with in_tenant(tenant):
            people = [Contact(first_name=f"P{count}-{number}") for number in range(count)]
            Contact.objects.bulk_create(people)
            rows = [Donor(contact=each) for each in people]
            Donor.objects.bulk_create(rows)
            totals.recount([each.pk for each in people])
        with CaptureQueriesContext(connection) as caught:
            good(program.batch(*[patch(str(row.uid), replace("/notes", "a")) for row in rows]))
        return sum(one["sql"].startswith("SELECT") for one in caught.captured_queries)

    queries(1)
    assert queries(3) == queries(30)


# --- recalculation ---


def test_A7_recalculation_puts_right_what_is_wrong_and_only_that(tenant: Tenant, program: Program) -> None:
    rows = [giver(tenant, 10, 20) for _ in range(3)]
    program.create(person(tenant))
    assert good(program.call("POST", "/recalculateDonorTotals")) == {"donors_processed": 4, "donors_changed": 0}
    before = [good(program.read(str(row.uid))) for row in rows]
    with in_tenant(tenant):
        Giving.objects.filter(contact=rows[0].contact_id).update(total=99, number=1)
        DonorClub.objects.create(name="Gold", minimum=30)
    assert good(program.call("POST", "/recalculateDonorTotals")) == {"donors_processed": 4, "donors_changed": 3}
    after = [good(program.read(str(row.uid))) for row in rows]
    assert [row["total_amount_of_gifts"] for row in after] == [30, 30, 30]
    assert [row["sys_version"] for row in after] == [row["sys_version"] + 1 for row in before]
    assert all(row["donor_club_id"] for row in after)
    assert good(program.call("POST", "/recalculateDonorTotals")) == {"donors_processed": 4, "donors_changed": 0}


def test_A7_a_body_says_nothing_and_a_key_makes_it_once(tenant: Tenant, program: Program) -> None:
    giver(tenant, 10)
    path = "/recalculateDonorTotals"
    body: Any
    for body in (None, {}, [1], b"no json", b"\xff"):
        assert good(program.call("POST", path, body))["donors_processed"] == 1
    said = good(program.call("POST", path, Idempotency_Key="r"))
    giver(tenant, 10)
    assert good(program.call("POST", path, Idempotency_Key="r")) == said
    refused(program.call("POST", "/batch", {"operations": []}, Idempotency_Key="r"), 400, "key-used-before")


def test_A7_whoever_comes_while_a_run_is_on_takes_part_and_hears_its_numbers(
    tenant: Tenant, neighbour: Tenant, program: Program, monkeypatch: Any, settings: Any
) -> None:
    monkeypatch.setattr(totals, "AT_ONCE", 2)
    giver(neighbour, 10)
    for _ in range(5):
        giver(tenant, 10)
    settings.DONORS_RECALCULATE_SECONDS = 0
    answer = program.call("POST", "/recalculateDonorTotals")
    refused(answer, 429, "still-counting")
    assert answer["Retry-After"] == "1"
    with in_tenant(tenant):
        assert TotalsRun.objects.get().donors == 2
        assert recounting.run_now() == TotalsRun.objects.get().pk
    settings.DONORS_RECALCULATE_SECONDS = 25
    assert good(program.call("POST", "/recalculateDonorTotals")) == {"donors_processed": 5, "donors_changed": 0}
    with in_tenant(tenant):
        assert TotalsRun.objects.get().finished_at


def test_A7_a_run_that_was_given_up_begins_anew(tenant: Tenant, program: Program) -> None:
    giver(tenant, 10)
    with in_tenant(tenant):
        TotalsRun.objects.create(after=10**9, donors=7, touched_at=timezone.now() - 2 * recounting.SILENCE)
    assert good(program.call("POST", "/recalculateDonorTotals")) == {"donors_processed": 1, "donors_changed": 0}


def test_A7_as_many_queries_for_200_donors_as_for_2(tenant: Tenant, program: Program) -> None:
    with in_tenant(tenant):
        DonorClub.objects.create(name="Gold", minimum=30, basis="fiscal_year")

    def queries(count: int) -> int:
        with in_tenant(tenant):
            people = [ContactFactory(email="") for _ in range(2)]
            people += Contact.objects.bulk_create([Contact(first_name="P") for _ in range(count - 2)])
            for number in range(2):
                record_gift(people[number], 50, date(2020, 1, 1))
            Donor.objects.bulk_create([Donor(contact=each) for each in people[2:]])
            totals.recount([each.pk for each in people])
            Giving.objects.update(total=Decimal(1))
        with CaptureQueriesContext(connection) as caught:
            good(program.call("POST", "/recalculateDonorTotals"))
        return sum(not one["sql"].startswith("INSERT") for one in caught.captured_queries)

    queries(2)
    assert queries(2) == queries(200)
