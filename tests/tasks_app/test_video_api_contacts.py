"""Contacts by the API: looked up by custom user id, email or phone, and added without duplicating (T6)."""

from typing import Any

import pytest

from contacts.duplicates.merge import merge
from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Tenant
from tests.factories import ContactFactory, TenantFactory
from tests.tasks_app.api import Program, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


@pytest.fixture
def grace(tenant: Tenant) -> Contact:
    found: Contact = ContactFactory(
        first_name="Grace", last_name="Foster", email="grace@oakpost.test", phone="+15035550142", custom_user_id="u-1"
    )
    return found


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    "query", [{"custom_user_id": "u-1"}, {"email": "GRACE@oakpost.test"}, {"phone": "(503) 555-0142"},
              {"phone": "+1 503 555 0142"}],
)  # fmt: skip
def test_T6_somebody_is_found_by_id_email_or_phone(program: Program, grace: Contact, query: Any) -> None:
    assert names(program.get("/contacts", **query)) == ["Grace Foster"]
    assert names(Program(TenantFactory()).get("/contacts", **query)) == [], "by nobody else"


def test_T6_nobody_is_an_empty_list_and_a_vague_question_is_refused(program: Program, grace: Contact) -> None:
    assert names(program.get("/contacts", phone="none")) == [] == names(program.get("/contacts", email="a@b.test"))
    problem(program.get("/contacts"), 422)
    problem(program.get("/contacts", email="a@b.test", phone="1"), 422)
    problem(program.get("/contacts", name="Grace"), 422)


def test_T6_whoever_took_somebody_in_is_found_by_both_ids(program: Program, grace: Contact) -> None:
    other = ContactFactory(first_name="Gracie", last_name="Foster", custom_user_id="u-2")
    merge(grace, other)
    assert names(program.get("/contacts", custom_user_id="u-2")) == ["Grace Foster"]


def test_T6_somebody_new_is_added_in_the_name_of_the_key(program: Program) -> None:
    said = program.post("/contacts", {"first_name": "Ada", "email": "ada@oakpost.test", "phone": "503 555 0111"})
    assert said.status_code == 201 and said.json()["is_new"] is True
    contact = Contact.objects.get()
    assert (str(contact.primary_email), str(contact.phone_numbers.get())) == ("ada@oakpost.test", "+15035550111")
    assert HistoryEntry.objects.filter(contact_uid=contact.uid).first().actor_label == "API key “Video app”"


def test_T6_a_name_is_one_line(program: Program) -> None:
    body = {"first_name": " Ada\r\nBcc: x@evil.test", "last_name": "Byron  \t King", "email": "ada@oakpost.test"}
    assert program.post("/contacts", body).status_code == 201
    assert str(Contact.objects.get()) == "Ada Bcc: x@evil.test Byron King"


@pytest.mark.parametrize(
    ("body", "is_new"),
    [
        ({"custom_user_id": "u-1", "first_name": "Somebody", "email": "else@oakpost.test"}, False),
        ({"email": "Grace@Oakpost.test"}, False),
        ({"email": "grace@oakpost.test", "first_name": "grace"}, False),
        ({"email": "grace@oakpost.test", "first_name": "Walter"}, True),
        ({"email": "grace@oakpost.test", "custom_user_id": "u-9"}, False),
        ({"email": "grace@oakpost.test", "custom_user_id": "u-9", "first_name": "Walter"}, True),
        ({"email": "grace@oakpost.test", "custom_user_id": "u-9", "first_name": "Grace", "last_name": "Abbott"}, True),
        ({"phone": "503-555-0142", "custom_user_id": "u-9", "first_name": "Grace"}, False),
        ({"phone": "503-555-0142"}, False),
        ({"phone": "503-555-0142", "first_name": "Grace", "email": "new@oakpost.test"}, False),
        ({"phone": "503-555-0142", "first_name": "Walter"}, True),
        ({"phone": "503-555-0142", "email": "new@oakpost.test"}, True),
    ],
)
def test_T6_whoever_is_here_is_not_added_again_and_not_changed(
    program: Program, grace: Contact, body: Any, is_new: bool
) -> None:
    said = program.post("/contacts", body)
    assert said.status_code == (201 if is_new else 200), said.content
    assert (said.json()["id"] == str(grace.uid)) is not is_new
    assert Contact.objects.count() == 1 + is_new
    grace.refresh_from_db()
    assert (grace.first_name, str(grace.primary_email)) == ("Grace", "grace@oakpost.test")


def test_T6_the_apps_own_id_finds_whom_it_found_once_though_they_have_a_donor_number(
    program: Program, tenant: Tenant, grace: Contact
) -> None:
    body = {"first_name": "Grace", "last_name": "Foster", "email": "grace@oakpost.test", "custom_user_id": "app-7"}
    assert program.post("/contacts", body).json()["is_new"] is False
    assert [str(row) for row in grace.outside_identifiers.all()] == ["Video app: app-7"]
    assert HistoryEntry.objects.filter(contact_uid=grace.uid).first().actor_label == "API key “Video app”"
    assert names(program.get("/contacts", custom_user_id="app-7")) == ["Grace Foster"]
    assert names(program.get("/contacts", custom_user_id="u-1")) == ["Grace Foster"], "by the donor number as before"
    moved = body | {"email": "moved@oakpost.test"}
    assert program.post("/contacts", moved).json()["id"] == str(grace.uid), "the id decides"
    assert grace.outside_identifiers.count() == 1 == Contact.objects.count()
    # A donor number of somebody else that happens to be the same does not take the app's id away.
    ContactFactory(first_name="Zed", last_name="Ruiz", custom_user_id="app-7")
    assert program.post("/contacts", body).json()["id"] == str(grace.uid)
    assert names(program.get("/contacts", custom_user_id="app-7")) == ["Grace Foster", "Zed Ruiz"]


def test_T6_an_id_is_kept_with_nobody_if_two_may_be_meant(program: Program, grace: Contact) -> None:
    walter = ContactFactory(first_name="Walter", last_name="Foster", email="grace@oakpost.test")
    shared = {"email": "grace@oakpost.test", "custom_user_id": "app-7"}
    assert program.post("/contacts", shared).status_code == 200
    assert not grace.outside_identifiers.exists() and not walter.outside_identifiers.exists()
    assert program.post("/contacts", shared | {"first_name": "Walter"}).json()["id"] == str(walter.uid)
    assert [str(row) for row in walter.outside_identifiers.all()] == ["Video app: app-7"]


def test_T6_two_organizations_with_one_address_are_two(program: Program) -> None:
    body = {"kind": "organization", "email": "office@oakpost.test"}
    first = program.post("/contacts", body | {"organization_name": "Oak Fund"}).json()
    assert program.post("/contacts", body | {"organization_name": "Elm Fund"}).status_code == 201
    assert program.post("/contacts", body | {"organization_name": "oak  fund"}).json()["id"] == first["id"]


def test_T6_do_not_contact_is_told_and_kept(program: Program, grace: Contact) -> None:
    grace.do_not_contact = True
    grace.save()
    assert program.post("/contacts", {"email": "grace@oakpost.test"}).json()["do_not_contact"] is True
    (shown,) = program.get("/contacts", custom_user_id="u-1").json()["results"]
    assert (shown["do_not_contact"], shown["may_be_emailed"], shown["email"], shown["phone"]) == (True, False, "", "")
    grace.delete()
    again = program.post("/contacts", {"email": "grace@oakpost.test", "first_name": "Grace"})
    assert again.status_code == 201 and again.json()["do_not_contact"] is True, "the mark outlives the contact"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"first_name": "Ada"},
        {"email": "no address"},
        {"phone": "none"},
        {"email": "a@b.test", "kind": "cat"},
        {"email": ["a@b.test"]},
        {"email": "a@b.test", "do_not_contact": False},
        {"custom_user_id": "a\u0000b"},
    ],
)
def test_T6_nobody_is_added_of_a_body_that_is_wrong(program: Program, body: Any) -> None:
    problem(program.post("/contacts", body), 422)
    assert not Contact.objects.exists()


def test_T6_an_address_that_is_too_long_in_small_letters_is_422(tenant: Tenant) -> None:
    said = problem(Program(tenant).post("/contacts", {"first_name": "Ada", "email": "İ" * 200 + "@oakpost.test"}), 422)
    assert said["errors"][0]["field"] == "email"
