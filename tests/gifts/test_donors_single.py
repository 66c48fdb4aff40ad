"""The donors API, one donor: create, read, replace, delete, references, versions, locks (A1–A3, A5, A9–A12)."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contacts.models import Contact, CustomField, CustomValue, EmailAddress, HistoryEntry, PostalAddress
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.donors.members import READ_ONLY
from gifts.models import DeletedDonor, Donor, Giving
from gifts.services import record_gift, record_pledge
from tests.factories import ContactFactory
from tests.gifts.donors_api import Program, giver, good, organization, person, refused, replace

pytestmark = pytest.mark.django_db
EVERY_TEXT = ["first_name", "last_name", "email_address", "city", "state", "country", "job_title", "notes"]
VALUES = {
    "first_name": "Ana", "last_name": "Ng", "email_address": "ana@river.test", "city": "Ulm", "state": "BW",
    "country": "DE", "job_title": "Baker", "anonymous": True, "notes": "Two\nlines", "sys_external_id": "web-1",
}  # fmt: skip


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


def test_A10_somebody_without_a_name_has_an_empty_one(tenant: Tenant, program: Program) -> None:
    with in_tenant(tenant):
        nameless = ContactFactory(first_name="", last_name="", email="nameless@river.test")
    assert program.create(nameless)["name"] == ""


def test_A1_create_makes_the_id_and_answers_200_with_the_donor(tenant: Tenant, program: Program) -> None:
    contact = person(tenant)
    made = program.create(contact, **VALUES)
    assert re.fullmatch(r"[\w|:-]+", made["id"], re.ASCII)
    assert made | VALUES == made and made["contact_id"] == str(contact.uid) and made["name"] == "Ana Ng"
    assert made["sys_version"] == 1 and made["sys_created_by_id"] == "API key “Website”"
    assert (made["total_number_of_gifts"], made["total_amount_of_gifts"], made["pledge_balance"]) == (0, 0, 0)
    assert "date_of_last_gift" not in made and "amount_of_largest_gift" not in made
    assert good(program.read(made["id"])) == made
    with in_tenant(tenant):
        contact = Contact.objects.get(pk=contact.pk)
        assert (contact.first_name, contact.job_title) == ("Ana", "Baker")
        assert contact.primary_email.address == "ana@river.test"  # type: ignore[union-attr]
        assert PostalAddress.objects.get(contact=contact).country == "DE"
        assert HistoryEntry.objects.filter(contact_uid=contact.uid, what="contact", verb="changed").exists()


def test_A1_an_id_in_the_body_is_an_error_and_nothing_is_made(tenant: Tenant, program: Program) -> None:
    contact = person(tenant)
    body = {"type": "contact", "contact_id": str(contact.uid)}
    refused(program.call("POST", "", body | {"id": "mine"}), 400)
    with in_tenant(tenant):
        assert not Donor.objects.exists()
    for nothing in (None, ""):
        uid = good(program.call("POST", "", body | {"id": nothing}))["id"]
        good(program.call("DELETE", f"/{uid}"))


def test_A1_a_contact_has_one_donor(tenant: Tenant, program: Program) -> None:
    contact = person(tenant)
    program.create(contact)
    refused(program.call("POST", "", {"type": "contact", "contact_id": str(contact.uid)}), 409)
    given = giver(tenant, 10)
    with in_tenant(tenant):
        uid = str(given.contact.uid)
    refused(program.call("POST", "", {"type": "contact", "contact_id": uid}), 409)


def test_A2_fields_are_a_projection_and_consistent_read_is_taken(tenant: Tenant, program: Program) -> None:
    uid = program.create(person(tenant), notes="x")["id"]
    assert good(program.read(uid, "?fields=notes, sys_version,nothing&consistentRead=true")) == {
        "id": uid, "notes": "x", "sys_version": 1,
    }  # fmt: skip
    whole = good(program.read(uid))
    for query in ("?fields=", "?consistentRead=", "?consistentRead=maybe", "?fields=,,"):
        assert good(program.read(uid, query)) == whole
    assert good(program.read(uid, "?fields=nothing")) == {"id": uid}
    refused(program.read(uid, "?fields=id&fields=notes"), 400)


@pytest.mark.parametrize("uid", ["x", "dnr:01J9Z", "00000000-0000-0000-0000-000000000000", "%F0%9F%90%9F", "a" * 2000])
def test_A9_a_donor_who_is_not_there_is_404(program: Program, uid: str) -> None:
    refused(program.read(uid), 404, "not-found")
    refused(program.put(uid, {"type": "contact"}), 404)
    refused(program.patch(uid), 404)
    refused(program.call("DELETE", f"/{uid}"), 404)


def test_A3_put_replaces_what_is_the_donors_and_leaves_what_the_contact_says(tenant: Tenant, program: Program) -> None:
    made = program.create(person(tenant), **VALUES)
    said = good(program.put(made["id"], {"type": "contact", "contact_id": made["contact_id"], "first_name": "Anna"}))
    assert (said["anonymous"], said["notes"], said["sys_external_id"]) == (False, "", "")
    assert said["first_name"] == "Anna" and said["last_name"] == "Ng" and said["city"] == "Ulm"
    assert said["sys_version"] == 2
    said = good(program.put(made["id"], {"type": "contact", "contact_id": made["contact_id"], "city": None}))
    assert said["city"] == "" and said["state"] == "BW"


def test_A3_what_was_read_can_be_sent_back_and_changes_nothing(tenant: Tenant, program: Program) -> None:
    row = giver(tenant, 10, 20)
    read = good(program.read(str(row.uid)))
    assert good(program.put(read["id"], read)) == read
    assert good(program.put(read["id"], read | {"unknown": {"a": 1}, "sys_directive": "go"})) == read


def test_A10_what_is_ours_is_ignored_in_post_and_put(tenant: Tenant, program: Program) -> None:
    wrong = {name: 7 for name in READ_ONLY if name != "sys_version"} | {"sys_locked": True}
    made = program.create(person(tenant), **wrong, sys_version=9)
    assert made["total_amount_of_gifts"] == 0 and made["sys_version"] == 1 and made["sys_locked"] is False
    assert "donor_club_id" not in made and made["donor_club_history"] == []
    assert good(program.put(made["id"], made | wrong | {"sys_version": 1})) == made


def test_A10_what_is_ours_cannot_be_patched_and_can_be_tested(tenant: Tenant, program: Program) -> None:
    uid = str(giver(tenant, 10).uid)
    read = good(program.read(uid))
    for name in {*READ_ONLY, "id"}:
        said = refused(program.patch(uid, {"op": "add", "path": f"/{name}", "value": "other"}), 400)
        assert said["errors"] == [{"path": f"/{name}", "message": "This cannot be changed."}]
        if name in read:
            refused(program.patch(uid, {"op": "remove", "path": f"/{name}"}), 400)
            good(program.patch(uid, {"op": "test", "path": f"/{name}", "value": read[name]}))
            good(program.patch(uid, replace(f"/{name}", read[name])))
    assert good(program.read(uid)) == read


def test_A10_totals_are_json_numbers_with_the_very_digits(tenant: Tenant, program: Program) -> None:
    row = giver(tenant, "0.10", "0.20", "9999999999.99")
    with in_tenant(tenant):
        record_pledge(row.contact, "250.50", date(2025, 1, 1))
    text = program.read(str(row.uid)).content.decode()
    for member in (
        '"total_number_of_gifts":3', '"total_amount_of_gifts":10000000000.29', '"amount_of_largest_gift":9999999999.99',
        '"pledge_balance":250.5', '"date_of_last_gift":"2025-03-01"',
    ):  # fmt: skip
        assert member in text


@pytest.mark.parametrize(("name", "value"), [
    *[(name, 7) for name in EVERY_TEXT], *[(name, ["a"]) for name in EVERY_TEXT], *[(n, True) for n in EVERY_TEXT],
    ("email_address", "no address"), ("country", "Germany"), ("country", "1A"), ("first_name", "x" * 101),
    ("notes", "x" * 20_001), ("anonymous", "yes"), ("anonymous", 1), ("sys_external_id", {}), ("type", "member"),
    ("type", None), ("type", 1), ("type", []), ("custom_field_values", {}), ("custom_field_values", ["x"]),
    ("custom_field_values", [{}]), ("custom_field_values", [{"custom_field_id": 1}]),
])  # fmt: skip
def test_A9_a_member_of_the_wrong_kind_is_400_and_names_it(
    tenant: Tenant, program: Program, name: str, value: Any
) -> None:
    contact = person(tenant)
    body = {"type": "contact", "contact_id": str(contact.uid)}
    said = refused(program.call("POST", "", body | {name: value}), 400)
    assert said["errors"][0]["path"].startswith(f"/{name}")
    with in_tenant(tenant):
        assert not Donor.objects.exists()
        assert Contact.objects.get(pk=contact.pk).first_name == contact.first_name


def test_A5_delete_answers_the_id_and_leaves_the_contact_and_a_note(tenant: Tenant, program: Program) -> None:
    contact = person(tenant)
    uid = program.create(contact)["id"]
    assert good(program.call("DELETE", f"/{uid}")) == uid
    refused(program.call("DELETE", f"/{uid}"), 404)
    refused(program.read(uid), 404)
    with in_tenant(tenant):
        assert Contact.objects.filter(pk=contact.pk).exists()
        assert DeletedDonor.objects.get().deleted_by == "API key “Website”"
        assert HistoryEntry.objects.filter(what="donor", verb="deleted", contact_uid=contact.uid).exists()
    assert program.create(contact)["id"] != uid


@pytest.mark.parametrize("what", ["gift", "refunded gift", "pledge"])
def test_A5_a_donor_with_gifts_or_pledges_stays_and_who_tried_is_noted(
    tenant: Tenant, program: Program, what: str
) -> None:
    contact = person(tenant)
    uid = program.create(contact)["id"]
    with in_tenant(tenant):
        if what == "pledge":
            record_pledge(contact, 10, date(2025, 1, 1))
        else:
            record_gift(contact, 10, date(2025, 1, 1), refunded=10 if what != "gift" else 0)
    before = good(program.read(uid))
    refused(program.call("DELETE", f"/{uid}"), 409)
    refused(program.call("DELETE", f"/{uid}", Idempotency_Key="once"), 409)
    after = good(program.read(uid))
    assert after == before | {"sys_deleted_by_id": "API key “Website”"}, "the version stays"


def test_A11_the_version_rises_by_one_with_every_change_and_only_then(tenant: Tenant, program: Program) -> None:
    contact = person(tenant)
    made = program.create(contact)
    body = {"type": "contact", "contact_id": made["contact_id"]}
    steps: list[Any] = [
        lambda: good(program.put(made["id"], body | {"notes": "a"})),
        lambda: good(program.patch(made["id"], replace("/city", "Ulm"), replace("/email_address", "n@x.test"))),
        lambda: record_gift(contact, 10, date(2025, 1, 1)),
        lambda: record_pledge(contact, 10, date(2025, 1, 1)),
        lambda: Giving.objects.get(),
        lambda: good(program.put(made["id"], body | {"notes": "a"})),
        lambda: good(program.patch(made["id"], replace("/notes", "a"))),
        lambda: good(program.patch(made["id"])),
        lambda: good(program.call("POST", "/recalculateDonorTotals")),
    ]
    versions = []
    for step in steps:
        with in_tenant(tenant):
            step()
        versions.append(good(program.read(made["id"]))["sys_version"])
    assert versions == [2, 3, 4, 5, 5, 5, 5, 5, 5]


def test_A11_a_put_with_another_version_is_409(tenant: Tenant, program: Program) -> None:
    made = program.create(person(tenant))
    good(program.put(made["id"], made | {"notes": "first"}))
    refused(program.put(made["id"], made | {"notes": "second"}), 409, "other-version")
    refused(program.put(made["id"], made | {"notes": "second", "sys_version": 3}), 409)
    refused(program.put(made["id"], made | {"notes": "second", "sys_version": "2"}), 400)
    assert good(program.read(made["id"]))["notes"] == "first"
    assert good(program.put(made["id"], made | {"notes": "third", "sys_version": 2.0}))["sys_version"] == 3
    assert good(program.put(made["id"], made | {"notes": "last", "sys_version": None}))["sys_version"] == 4


def test_A11_a_locked_donor_refuses_every_change_and_can_be_read(tenant: Tenant, program: Program) -> None:
    made = program.create(person(tenant))
    with in_tenant(tenant):
        Donor.objects.update(is_locked=True)
    before = good(program.read(made["id"]))
    assert before["sys_locked"] is True
    refused(program.put(made["id"], made | {"notes": "x"}), 403, "locked")
    refused(program.patch(made["id"], replace("/notes", "x")), 403, "locked")
    refused(program.patch(made["id"], replace("/sys_locked", False)), 403, "locked")
    said = good(program.batch({"operation": "patch", "id": made["id"], "patch": []}))
    assert [row["status"] for row in said["results"]] == [403]
    assert good(program.read(made["id"])) == before
    refused(program.call("DELETE", f"/{made['id']}"), 403, "locked")
    assert good(program.read(made["id"])) == before | {"sys_deleted_by_id": "API key “Website”"}
    with in_tenant(tenant):
        record_gift(Contact.objects.get(), 10, date(2025, 1, 1))
    assert good(program.read(made["id"]))["total_amount_of_gifts"] == 10, "totals are counted, not written by programs"


@pytest.mark.parametrize("how", ["alone", "with a key", "in a batch"])
def test_A5_A11_who_tried_to_delete_a_locked_donor_is_noted(tenant: Tenant, program: Program, how: str) -> None:
    uid = program.create(person(tenant))["id"]
    with in_tenant(tenant):
        Donor.objects.update(is_locked=True)
    if how == "in a batch":
        assert good(program.batch({"operation": "delete", "id": uid}))["results"][0]["status"] == 403
    else:
        refused(program.call("DELETE", f"/{uid}", Idempotency_Key="k" if how == "with a key" else ""), 403, "locked")
    said = good(program.read(uid))
    assert (said["sys_deleted_by_id"], said["sys_version"]) == ("API key “Website”", 1)


def test_A12_a_donor_refers_to_somebody_of_its_kind_of_this_organization(
    tenant: Tenant, neighbour: Tenant, program: Program
) -> None:
    ana, oak, theirs = person(tenant), organization(tenant), person(neighbour)
    nobody = "00000000-0000-0000-0000-000000000000"
    for kind, uid in (
        ("contact", nobody), ("contact", str(oak.uid)), ("contact", str(theirs.uid)), ("contact", "x"),
        ("organization", str(ana.uid)), ("organization", nobody),
    ):  # fmt: skip
        refused(program.call("POST", "", {"type": kind, f"{kind}_id": uid}), 409, "no-such-reference")
    for body in (
        {"type": "contact"}, {"type": "contact", "contact_id": None}, {"type": "contact", "contact_id": 5},
        {"type": "contact", "organization_id": str(oak.uid)}, {},
    ):  # fmt: skip
        refused(program.call("POST", "", body), 400)
    both = {"type": "contact", "contact_id": str(ana.uid), "organization_id": nobody}
    refused(program.call("POST", "", both), 409)
    assert good(program.call("POST", "", both | {"organization_id": ""}))["contact_id"] == str(ana.uid)
    made = program.create(oak, name="Oak & Sons")
    assert made["type"] == "organization" and made["name"] == "Oak & Sons" and made["organization_id"] == str(oak.uid)
    assert "contact_id" not in made
    refused(program.put(made["id"], made | {"name": ""}), 400)


def test_A12_a_donor_without_gifts_can_be_given_to_another_contact(tenant: Tenant, program: Program) -> None:
    ana, bo, cy = person(tenant), person(tenant), person(tenant)
    made = program.create(ana)
    assert good(program.patch(made["id"], replace("/contact_id", str(bo.uid))))["contact_id"] == str(bo.uid)
    refused(program.patch(made["id"], replace("/contact_id", "nobody")), 409)
    refused(program.put(made["id"], {"type": "contact", "contact_id": "nobody"}), 409)
    program.create(ana)
    refused(program.put(made["id"], {"type": "contact", "contact_id": str(ana.uid)}), 409)
    with in_tenant(tenant):
        record_gift(bo, 10, date(2025, 1, 1))
    refused(program.put(made["id"], {"type": "contact", "contact_id": str(cy.uid)}), 409)
    assert good(program.read(made["id"]))["total_amount_of_gifts"] == 10


def test_A3_A12_a_put_that_names_another_contact_does_not_call_them_by_the_name_and_address_of_the_former(
    tenant: Tenant, program: Program
) -> None:
    ana = person(tenant, first_name="Ana", last_name="Ng", email="ana@river.test", job_title="Baker")
    bo = person(tenant, first_name="Bo", last_name="Ray", email="bo@river.test", job_title="")
    with in_tenant(tenant):
        field = CustomField.objects.create(name="VIP", kind="text")
        CustomValue.objects.create(contact=ana, field=field, value="Ana is")
        CustomValue.objects.create(contact=bo, field=field, value="Bo is")
    read = program.create(ana, notes="Of the donor", city="Ulm")
    said = good(program.put(read["id"], read | {"contact_id": str(bo.uid), "job_title": "Smith"}))
    assert (said["name"], said["email_address"], said["city"]) == ("Bo Ray", "bo@river.test", "")
    assert said["custom_field_values"][0]["string_value"] == "Bo is"
    assert (said["notes"], said["job_title"]) == ("Of the donor", "Smith"), "what is the donor's, or was changed"


def test_A11_a_donor_given_to_another_contact_has_one_version_more(tenant: Tenant, program: Program) -> None:
    made = program.create(person(tenant))
    for number in range(2):
        body = {"type": "contact", "contact_id": str(person(tenant).uid), "sys_version": number + 1}
        assert good(program.put(made["id"], body))["sys_version"] == number + 2


def test_A9_two_donors_never_have_one_external_id(tenant: Tenant, neighbour: Tenant, program: Program) -> None:
    one, other = program.create(person(tenant), sys_external_id="w-1"), program.create(person(tenant))
    Program(neighbour).create(person(neighbour), sys_external_id="w-1")
    refused(program.patch(other["id"], replace("/sys_external_id", "w-1")), 409)
    refused(program.put(other["id"], other | {"sys_external_id": "w-1"}), 409)
    assert good(program.read(other["id"])) == other
    good(program.patch(one["id"], replace("/sys_external_id", None)))
    good(program.patch(other["id"], replace("/sys_external_id", "w-1")))


def test_A3_a_new_address_takes_the_place_of_the_old_one_as_on_staffs_form(tenant: Tenant, program: Program) -> None:
    contact = person(tenant, email="old@river.test", email_state=EmailAddress.State.BOUNCED)
    made = program.create(contact)
    good(program.patch(made["id"], replace("/email_address", "new@river.test")))
    with in_tenant(tenant):
        row = EmailAddress.objects.get(contact=contact)
        assert (row.address, row.state) == ("new@river.test", EmailAddress.State.OK)
        second = EmailAddress.objects.create(contact=contact, address="two@river.test")
    assert (
        good(program.patch(made["id"], replace("/email_address", "Two@river.test")))["email_address"]
        == "Two@river.test"
    )
    with in_tenant(tenant):
        assert EmailAddress.objects.get(contact=contact, is_primary=True) == second
    assert good(program.patch(made["id"], {"op": "remove", "path": "/email_address"}))["email_address"] == ""
    with in_tenant(tenant):
        assert not EmailAddress.objects.filter(contact=contact, is_primary=True).exists()


def test_A9_a_complaint_goes_with_the_address_and_is_not_washed_off(tenant: Tenant, program: Program) -> None:
    contact = person(tenant, email="old@river.test", email_state=EmailAddress.State.COMPLAINED)
    made = program.create(contact)
    good(program.patch(made["id"], replace("/email_address", "OLD@river.test")))
    with in_tenant(tenant):
        assert EmailAddress.objects.get(contact=contact).state == EmailAddress.State.COMPLAINED


def test_A9_numbers_of_payment_cards_are_taken_out_of_notes(tenant: Tenant, program: Program) -> None:
    assert "4111" not in program.create(person(tenant), notes="Card 4111 1111 1111 1111")["notes"]


def test_A9_the_same_write_with_the_same_idempotency_key_is_done_once(tenant: Tenant, program: Program) -> None:
    body = {"type": "contact", "contact_id": str(person(tenant).uid), "notes": "secret words"}
    first = program.call("POST", "", body, Idempotency_Key="k1")
    again = program.call("POST", "", body, Idempotency_Key='"k1"')
    assert good(first) == good(again) and again["Idempotent-Replayed"] == "true"
    refused(program.call("POST", "", body | {"notes": "b"}, Idempotency_Key="k1"), 400, "key-used-before")
    refused(program.call("POST", "", body, Idempotency_Key="x" * 201), 400)
    uid = first.json()["id"]
    for _ in range(2):
        said = good(program.patch(uid, {"op": "add", "path": "/notes", "value": "c"}, Idempotency_Key="k2"))
        assert said["sys_version"] == 2
    for _ in range(2):
        refused(program.patch(uid, replace("/nothing", 1), Idempotency_Key="k3"), 400)
    for _ in range(2):
        assert good(program.call("DELETE", f"/{uid}", Idempotency_Key="k4")) == uid
    refused(program.call("POST", "", body, Idempotency_Key="k1"), 404)
    with in_tenant(tenant):
        from contacts.models import ApiAnswer

        assert "secret" not in str(list(ApiAnswer.objects.values_list("body", flat=True)))


def test_A14_the_contact_deleted_with_its_donor_leaves_a_note(tenant: Tenant, program: Program) -> None:
    from contacts.services import delete_contacts

    contact = person(tenant)
    made = program.create(contact)
    with in_tenant(tenant):
        delete_contacts(Contact.objects.filter(pk=contact.pk))
        assert str(DeletedDonor.objects.get().uid) == made["id"]
    refused(program.read(made["id"]), 404)


def test_A10_amounts_never_pass_through_floats_inside(tenant: Tenant) -> None:
    row = giver(tenant, *["0.10"] * 10)
    with in_tenant(tenant):
        assert Giving.objects.get(contact=row.contact).total == Decimal("1.00")
