"""A key with donors:write alone changes donors and is told nothing of them, by answers or by refusals (A9)."""

from typing import Any

import pytest

from contacts.models import CustomField, CustomValue
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Donor
from tests.gifts.donors_api import Program, giver, good, person, refused, replace
from tests.gifts.test_donors_document import validated

pytestmark = pytest.mark.django_db


@pytest.fixture
def blind(tenant: Tenant) -> Program:
    return Program(tenant, "donors:write")


def test_A9_a_write_without_the_right_to_read_answers_id_and_version_only(tenant: Tenant, blind: Program) -> None:
    contact = person(tenant, email="ana@river.test")
    body = {"type": "contact", "contact_id": str(contact.uid), "notes": "a"}
    made = good(blind.call("POST", "", body, Idempotency_Key="k"))
    assert made == {"id": made["id"], "sys_version": 1}
    uid = made["id"]
    assert good(blind.call("POST", "", body, Idempotency_Key="k")) == made
    assert good(blind.patch(uid)) == made
    assert good(blind.patch(uid, {"op": "test", "path": "/sys_version", "value": 1}, replace("/notes", "b"))) == {
        "id": uid, "sys_version": 2,
    }  # fmt: skip
    assert good(blind.put(uid, body | {"sys_version": 2})) == {"id": uid, "sys_version": 3}
    for _ in range(2):
        rows = good(blind.batch({"operation": "patch", "id": uid, "patch": []}, Idempotency_Key="b"))["results"]
        assert rows[0]["data"] == {"id": uid, "sys_version": 3}
    validated(made, "Written")
    reader = Program(tenant)
    read = good(reader.read(uid))
    assert good(reader.patch(uid)) == read, "who may read is shown it"
    validated(read, "Written")
    refused(blind.read(uid), 403, "wrong-scope")
    assert good(blind.call("DELETE", f"/{uid}")) == uid


READING: list[dict[str, Any]] = [
    {"op": "test", "path": "/notes", "value": "wants to be called"}, {"op": "test", "path": "", "value": {}},
    {"op": "test", "path": "/sys_version/", "value": 1}, {"op": "copy", "from": "/notes", "path": "/job_title"},
    {"op": "move", "from": "/email_address", "path": "/city"}, replace("/total_amount_of_gifts", 10),
    {"op": "remove", "path": "/date_of_last_gift"}, replace("/donor_club_history/0/start_date", "2025-01-01"),
    {"op": "add", "path": "/sys_locked", "value": False}, replace("/id", "x"),
]  # fmt: skip


@pytest.mark.parametrize("operation", READING, ids=lambda one: f"{one['op']} {one['path']}")
def test_A9_a_patch_that_would_tell_what_stands_there_is_refused_whether_it_is_right_or_not(
    tenant: Tenant, blind: Program, operation: dict[str, Any]
) -> None:
    row = giver(tenant, 10)
    uid, told = str(row.uid), []
    for notes in ("wants to be called", "other"):
        with in_tenant(tenant):
            Donor.objects.update(notes=notes)
        told.append(refused(blind.patch(uid, replace("/city", "Ulm"), operation), 403, "wrong-scope"))
        results = good(blind.batch({"operation": "patch", "id": uid, "patch": [operation]}))["results"]
        assert results[0]["status"] == 403
    assert told[0] == told[1] and told[0]["errors"][0]["path"] == "/1"
    assert good(Program(tenant).read(uid))["city"] == ""


def test_A9_no_refusal_tells_what_was_copied_or_how_many_gifts_there_are(tenant: Tenant, blind: Program) -> None:
    row = giver(tenant, 10, 20, email="ana@river.test")
    with in_tenant(tenant):
        field = CustomField.objects.create(name="Shoes", kind="number")
        CustomValue.objects.create(contact=row.contact, field=field, value="44", number=44)
        other = str(person(tenant).uid)
    into = "/custom_field_values/0/string_value"
    for said in (
        refused(blind.patch(str(row.uid), {"op": "copy", "from": "/email_address", "path": into}), 403),
        refused(blind.call("DELETE", f"/{row.uid}"), 409),
        refused(blind.patch(str(row.uid), replace("/contact_id", other)), 409),
        refused(blind.put(str(row.uid), {"type": "contact", "contact_id": other}), 409),
    ):
        assert "ana@" not in str(said) and "2 gifts" not in str(said)


def test_A9_what_is_no_patch_is_400_for_everybody(tenant: Tenant, blind: Program) -> None:
    uid = str(giver(tenant, 10).uid)
    wrong: list[Any] = [{}, "x", None, ["x"], [{}], [{"op": "spam", "path": "/notes"}], [{"op": "add", "path": 7}]]
    for operations in wrong:
        refused(blind.call("PATCH", f"/{uid}", operations if operations is not None else b"null"), 400)
