"""Programs at the same moment: no change is lost, no donor is doubled, nobody waits for ever (A4, A7, A8, A14)."""

from datetime import date
from functools import partial
from typing import Any

import pytest

from contacts.duplicates.merge import merge
from contacts.models import Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import recounting, totals
from gifts.models import Donor, DonorClub, DonorClubSpell, Gift, TotalsRun
from gifts.services import record_gift
from tests.factories import TenantFactory
from tests.gifts.donors_api import Program, giver, good, person, replace
from tests.gifts.test_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant(db: None) -> Tenant:
    found: Tenant = TenantFactory(name="River Trust at once")
    return found


def test_A4_two_patches_at_once_both_take_effect_and_each_raises_the_version(tenant: Tenant) -> None:
    uid = Program(tenant).create(person(tenant))["id"]
    programs = [Program(tenant) for _ in range(4)]
    paths = ["/notes", "/city", "/job_title", "/sys_external_id"]

    def patch(program: Program, path: str) -> Any:
        return good(program.patch(uid, replace(path, "x")))

    acts: list[Any] = [partial(patch, program, path) for program, path in zip(programs, paths, strict=True)]
    at_once(tenant, acts)
    said = good(programs[0].read(uid))
    assert [said[path[1:]] for path in paths] == ["x"] * 4 and said["sys_version"] == 5


def test_A11_of_two_puts_with_one_version_one_is_409(tenant: Tenant) -> None:
    program = Program(tenant)
    made = program.create(person(tenant))
    statuses: list[int] = []

    def put(number: int) -> None:
        statuses.append(program.put(made["id"], made | {"notes": f"{number}"}).status_code)

    at_once(tenant, [partial(put, number) for number in range(3)])
    assert sorted(statuses) == [200, 409, 409]


def test_A11_a_contact_that_staff_change_while_a_program_holds_what_it_read_is_not_changed_back(tenant: Tenant) -> None:
    program, contact = Program(tenant), person(tenant, first_name="Anna")
    made = program.create(contact)
    with in_tenant(tenant):
        Contact.objects.filter(pk=contact.pk).update(first_name="Ana")
    assert program.put(made["id"], made | {"notes": "x"}).status_code == 409
    said = good(program.read(made["id"]))
    assert (said["first_name"], said["notes"], said["sys_version"]) == ("Ana", "", made["sys_version"] + 1)


def test_A1_of_several_who_create_one_donor_one_succeeds(tenant: Tenant) -> None:
    program, contact = Program(tenant), person(tenant)
    statuses: list[int] = []

    def create() -> None:
        body = {"type": "contact", "contact_id": str(contact.uid)}
        statuses.append(program.call("POST", "", body).status_code)

    at_once(tenant, [create, create, lambda: record_gift(contact, 10, date(2025, 1, 1))])
    with in_tenant(tenant):
        assert Donor.objects.count() == 1
    assert set(statuses) <= {200, 409} and statuses.count(200) <= 1


def test_A12_a_donor_given_to_somebody_who_gives_in_this_moment_waits_or_is_refused(tenant: Tenant) -> None:
    programs, statuses = [Program(tenant), Program(tenant)], []

    def give_to(program: Program, uid: str, contact: Contact) -> None:
        statuses.append(program.patch(uid, replace("/contact_id", str(contact.uid))).status_code)

    for _ in range(3):
        made = [program.create(person(tenant))["id"] for program in programs]
        contact = person(tenant)
        at_once(tenant, [
            partial(give_to, programs[0], made[0], contact), partial(give_to, programs[1], made[1], contact),
            partial(record_gift, contact, 5, date(2025, 1, 1)),
        ])  # fmt: skip
        with in_tenant(tenant):
            assert Donor.objects.filter(contact=contact).count() == Gift.objects.filter(contact=contact).count() == 1
    assert set(statuses) <= {200, 409}


def test_A8_two_batches_over_the_same_donors_in_two_orders_block_nobody(tenant: Tenant) -> None:
    rows = [giver(tenant, 10) for _ in range(5)]
    programs = [Program(tenant), Program(tenant)]

    def batch(program: Program, order: list[Donor], path: str) -> Any:
        said = good(program.batch(*[
            {"operation": "patch", "id": str(row.uid), "patch": [replace(path, "x")]} for row in order
        ]))  # fmt: skip
        assert said["success_count"] == 5

    at_once(tenant, [
        lambda: batch(programs[0], rows, "/notes"), lambda: batch(programs[1], rows[::-1], "/city"),
        lambda: [record_gift(row.contact, 5, date(2025, 5, 1)) for row in rows],
    ])  # fmt: skip
    for row in rows:
        said = good(programs[0].read(str(row.uid)))
        assert (said["notes"], said["city"], said["total_amount_of_gifts"]) == ("x", "x", 15)
        assert said["sys_version"] == 4


def test_A7_several_recalculations_at_once_are_one_run(tenant: Tenant, monkeypatch: Any) -> None:
    monkeypatch.setattr(totals, "AT_ONCE", 2)
    for _ in range(6):
        giver(tenant, 10)
    found: list[tuple[int, int]] = []

    def recount() -> None:
        run = recounting.recount_together(30)
        found.append((run.donors, run.changed))

    at_once(tenant, [recount] * 3)
    assert found == [(6, 0)] * 3
    with in_tenant(tenant):
        assert TotalsRun.objects.filter(finished_at=None).count() == 0


def test_A14_gifts_at_once_leave_one_open_time_in_a_club(tenant: Tenant) -> None:
    with in_tenant(tenant):
        DonorClub.objects.create(name="Silver", minimum=15)
    contact, other = person(tenant), person(tenant)
    at_once(tenant, [lambda: record_gift(contact, 10, date(2025, 1, 1))] * 4)
    with in_tenant(tenant):
        assert Donor.objects.get(contact=contact).club_id
        assert DonorClubSpell.objects.filter(end_on=None).count() == 1
    program = Program(tenant)
    uid = good(program.call("POST", "/search", {"contact_id": [str(contact.uid)]}))["Items"][0]["id"]
    at_once(tenant, [lambda: merge(other, contact), lambda: program.patch(uid, replace("/notes", "x"))])
    with in_tenant(tenant):
        row = Donor.objects.get(uid=uid)
        assert row.contact_id == other.pk
        assert program.read(uid).json()["total_amount_of_gifts"] == 40
