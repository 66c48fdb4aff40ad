"""People, tags and pages over HTTP: the signup helper, changes that merge, filters, paging (O3-O6, O8, O14)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.duplicates.merge import merge
from contacts.models import Contact, ContactTag, CustomField, CustomValue, EmailAddress, HistoryEntry, Tag
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from tests.factories import ContactFactory
from tests.gifts.osdi import NOBODY, SMITH, Program, embedded, error, said, somebody, uid_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


def sign_up(program: Program, **values: Any) -> dict[str, Any]:
    return said(program.post("/people", {"person": SMITH | values}))


def test_O14_the_signup_helper_adds_once_and_the_answer_is_the_whole_person(tenant: Tenant, program: Program) -> None:
    first = sign_up(program, languages_spoken=["en"], identifiers=["crm:7"])
    assert first["created_date"] == first["modified_date"], "clients tell by this who was added"
    assert first["identifiers"][1:] == ["crm:7"] and first["languages_spoken"] == ["en"]
    assert first["email_addresses"] == [{"primary": True, "address": "jsmith@mail.com", "status": "subscribed"}]
    assert first["phone_numbers"] == [
        {"primary": True, "number": "12021234444", "number_type": "Mobile", "status": "unsubscribed"}
    ]
    (address,) = first["postal_addresses"]
    assert address["postal_code"] == "20009" and first["custom_fields"] == {}
    path = first["_links"]["self"]["href"]
    assert first["_links"]["osdi:donations"]["href"] == f"{path}/donations"
    assert first["_links"]["osdi:taggings"]["href"] == f"{path}/taggings"
    assert said(program.get(path)) == first
    again = sign_up(program, given_name="Jack")
    assert uid_in(again) == uid_in(first) and (again["given_name"], again["family_name"]) == ("Jack", "Smith")
    with in_tenant(tenant):
        assert Contact.objects.count() == 1


def test_O4_a_put_merges_and_empty_values_take_nothing_away(tenant: Tenant, program: Program) -> None:
    with in_tenant(tenant):
        CustomField.objects.create(name="Employer")
    path = sign_up(program, custom_fields={"Employer": "Acme"})["_links"]["self"]["href"]
    before = said(program.get(path))
    assert before["custom_fields"] == {"Employer": "Acme"}
    empty: list[Any] = [{}, {"given_name": None, "family_name": "", "email_addresses": [], "phone_numbers": None}]
    for body in empty:
        assert said(program.put(path, body)) | {"modified_date": ""} == before | {"modified_date": ""}
    after = said(program.put(path, {"given_name": "Jo", "postal_addresses": [{"locality": "Salem", "region": "OR"}]}))
    assert (after["given_name"], after["family_name"]) == ("Jo", "Smith")
    assert after["custom_fields"] == {"Employer": "Acme"}
    wrapped = said(program.put(path, {"person": {"given_name": "Joan"}}))
    assert wrapped["given_name"] == "Joan", "as some libraries wrap it"
    assert said(program.put(path, {"custom_fields": {"Employer": None}}))["custom_fields"] == {}
    wrongs: list[Any] = [{"given_name": 7}, {"email_addresses": "a@b.org"}, {"custom_fields": []}, [1], "x"]
    for wrong in wrongs:
        error(program.put(path, wrong))


def test_O4_an_address_that_somebody_else_has_is_passed_over(tenant: Tenant, program: Program) -> None:
    somebody(tenant, "ana@rivermail.test")
    path = sign_up(program)["_links"]["self"]["href"]
    body = said(program.put(path, {"email_addresses": [{"address": "ana@rivermail.test"}], "given_name": "Jo"}))
    assert body["given_name"] == "Jo" and body["email_addresses"][0]["address"] == "jsmith@mail.com"
    with in_tenant(tenant):
        assert EmailAddress.objects.filter(address_key="ana@rivermail.test").count() == 1


def test_O5_unsubscribing_by_put_needs_no_address_and_subscribing_brings_back(tenant: Tenant, program: Program) -> None:
    path = sign_up(program)["_links"]["self"]["href"]

    def status(word: str) -> str:
        return str(said(program.put(path, {"email_addresses": [{"status": word}]}))["email_addresses"][0]["status"])

    assert status("unsubscribed") == "unsubscribed"
    assert sign_up(program)["email_addresses"][0]["status"] == "unsubscribed", "unchanged unless it is sent"
    assert status("spam complaint") == "unsubscribed", "what is only read changes nothing"
    assert status("subscribed") == "subscribed"
    error(program.put(path, {"email_addresses": [{"status": "perhaps"}]}))


def test_O5_the_status_tells_of_bounces_complaints_and_do_not_contact(tenant: Tenant, program: Program) -> None:
    states = {"bounced": "bouncing", "complained": "spam complaint", "invalid": "bouncing", "ok": "subscribed"}
    for state, status in states.items():
        ana = somebody(tenant, f"{state}@rivermail.test", email_state=state)
        assert said(program.get(f"/people/{ana.uid}"))["email_addresses"][0]["status"] == status
    out = somebody(tenant, "out@rivermail.test", do_not_contact=True)
    assert said(program.get(f"/people/{out.uid}"))["email_addresses"][0]["status"] == "unsubscribed"


def test_O14_whoever_was_merged_answers_as_the_one_that_they_are_part_of(tenant: Tenant, program: Program) -> None:
    ana, anna = somebody(tenant), somebody(tenant, "anna@rivermail.test")
    with in_tenant(tenant):
        merge(ana, anna)
    body = said(program.get(f"/people/{anna.uid}"))
    assert uid_in(body) == str(ana.uid)
    error(program.get(f"/people/{NOBODY}"), 404)


def test_O14_people_are_listed_without_totals_to_the_last_and_an_empty_page_has_embedded(
    tenant: Tenant, program: Program
) -> None:
    with in_tenant(tenant):
        for _ in range(6):
            ContactFactory()
    first = said(program.get("/people", per_page=4))
    assert "total_pages" not in first and "total_records" not in first
    assert (first["page"], first["per_page"], len(embedded(first))) == (1, 4, 4)
    second = said(program.get(first["_links"]["next"]["href"].partition("?")[0], page=2, per_page=4))
    assert len(embedded(second)) == 2 and "next" not in second["_links"]
    beyond = said(program.get("/people", page=3, per_page=4))
    assert beyond["_embedded"] == {"osdi:people": []} and "next" not in beyond["_links"]
    assert said(program.get("/people", per_page=1000))["per_page"] == 25
    for wrong in ({"page": "0"}, {"page": "-1"}, {"page": "x"}, {"page": "9" * 30}, {"per_page": "0"}, {"page": "٣"},
                  {"per_page": "1.5"}, {"after": "x"}):  # fmt: skip
        error(program.get("/people", **wrong))


def test_O14_next_passes_over_nobody_when_somebody_goes_and_keeps_filter_and_size(
    tenant: Tenant, program: Program
) -> None:
    with in_tenant(tenant):
        rows = [ContactFactory(last_name="Ruiz") for _ in range(6)]
    body = said(program.get("/people", per_page=2, filter="family_name eq 'ruiz'"))
    seen = [uid_in(row) for row in embedded(body)]
    with in_tenant(tenant):
        rows[0].delete()
        ContactFactory(last_name="Ruiz")
    while following := body["_links"].get("next"):
        address, _, query = following["href"].partition("?")
        assert "per_page=2" in query and "filter=" in query
        body = said(program.call("GET", f"{address}?{query}"))
        seen += [uid_in(row) for row in embedded(body)]
    assert seen[:6] == [str(row.uid) for row in rows] and len(seen) == len(set(seen)) == 7


def test_O14_as_many_queries_for_25_people_as_for_two(tenant: Tenant, program: Program) -> None:
    numbers = []
    said(program.get("/people"))  # the first call of a key notes that it was used
    with in_tenant(tenant):
        field = CustomField.objects.create(name="Shirt")
    for more in (2, 23):
        with in_tenant(tenant):
            for _ in range(more):
                contact = ContactFactory(phone="+15035550123")
                CustomValue.objects.create(contact=contact, field=field, value="M")
        with CaptureQueriesContext(connection) as queries:
            said(program.get("/people"))
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]


def test_O14_people_are_found_by_everything_that_the_filter_knows(tenant: Tenant, program: Program) -> None:
    first = sign_up(program, identifiers=["crm:7"], postal_addresses=[{"region": "OR", "postal_code": "97301"}])
    somebody(tenant, "ana@rivermail.test", first_name="Ana", last_name="O'Brien")

    def found(text: str) -> list[str]:
        return [row["given_name"] for row in embedded(said(program.get("/people", filter=text)))]

    for text in (
        "email_address eq 'JSmith@Mail.com'", "email eq 'jsmith@mail.com'", "phone_number eq '12021234444'",
        "phone_number eq '+1 202 123 4444'", "phone_number eq '2021234444'", "given_name eq 'john'",
        "family_name eq 'SMITH'", "region eq 'or'", "postal_code eq '97301'", "identifier eq 'crm:7'",
        f"identifier eq '{first['identifiers'][0]}'", f"created_date eq '{first['created_date']}' and region eq 'OR'",
        "family_name gt 'Q'", "given_name eq 'John'andfamily_name eq 'Smith'",
    ):  # fmt: skip
        assert found(text) == ["John"], text
    assert found("family_name eq 'O''Brien'") == ["Ana"] and found("family_name lt 'P'") == ["Ana"]
    for text in ("phone_number eq 'none'", "identifier eq 'crm:8'", "identifier eq 'nothing'", "region eq 'WA'",
                 "created_date lt '2001-01-01'"):  # fmt: skip
        assert found(text) == []
    for text in ("custom eq 'x'", "identifier gt 'a'", "email_address lt 'a'", "given_name ne 'x'", "given_name"):
        error(program.get("/people", filter=text))


def test_O14_modified_date_moves_with_everything_of_a_person(tenant: Tenant, program: Program) -> None:
    ana, ben = somebody(tenant), somebody(tenant, "ben@rivermail.test")
    then = timezone.now() - timedelta(days=3)
    with in_tenant(tenant):
        HistoryEntry.objects.filter(contact_uid__in=[ana.uid, ben.uid]).update(at=then)
    since = f"{timezone.now() - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"

    def changed() -> list[str]:
        return [uid_in(row) for row in embedded(said(program.get("/people", filter=f"modified_date gt '{since}'")))]

    assert changed() == []
    with in_tenant(tenant):
        EmailAddress.objects.create(contact=ana, address="second@rivermail.test")
    assert changed() == [str(ana.uid)], "a new address counts, though the contact’s own row is as it was"
    unchanged = said(program.get("/people", filter=f"modified_date lt '{since}'"))
    assert [uid_in(row) for row in embedded(unchanged)] == [str(ben.uid)]


# --- tags ---


def test_O14_tags_are_listed_made_once_and_neither_changed_nor_deleted(tenant: Tenant, program: Program) -> None:
    assert said(program.get("/tags"))["total_pages"] == 0
    first = said(program.post("/tags", {"name": " Volunteer  2026 "}))
    assert first["name"] == "Volunteer 2026" and first["_links"]["osdi:taggings"]["href"].endswith("/taggings")
    assert uid_in(said(program.post("/tags", {"name": "volunteer 2026"}))) == uid_in(first)
    assert said(program.get(f"/tags/{uid_in(first)}")) == first
    assert embedded(said(program.get("/tags"))) == [first]
    for method in ("PUT", "DELETE"):
        error(program.call(method, f"/tags/{uid_in(first)}", {}), 405)
    wrongs: list[Any] = [{}, {"name": ""}, {"name": 7}, {"name": "x" * 81}, [], "x"]
    for wrong in wrongs:
        error(program.post("/tags", wrong))
    error(program.get("/tags", filter="name eq 'x'"))


def test_O8_somebody_is_tagged_once_and_the_tag_is_taken_off_with_a_notice(tenant: Tenant, program: Program) -> None:
    ana = somebody(tenant)
    tag = said(program.post("/tags", {"name": "Volunteer"}))["_links"]["self"]["href"]
    link = {"_links": {"osdi:person": {"href": f"https://actionnetwork.org/api/v2/people/{ana.uid}"}}}
    first = said(program.post(f"{tag}/taggings", link))
    assert first["item_type"] == "osdi:person" and first["_links"]["osdi:person"]["href"].endswith(str(ana.uid))
    assert uid_in(said(program.post(f"{tag}/taggings/", link))) == uid_in(first)
    path = first["_links"]["self"]["href"]
    assert said(program.get(path)) == first
    assert embedded(said(program.get(f"{tag}/taggings"))) == [first]
    assert embedded(said(program.get(f"/people/{ana.uid}/taggings"))) == [first]
    for wrong in (NOBODY, "x"):
        answer = program.post(f"{tag}/taggings", {"_links": {"osdi:person": {"href": f"/people/{wrong}"}}})
        assert error(answer) == "You must specify a valid person id"
    error(program.post(f"{tag}/taggings", {}))
    assert said(program.call("DELETE", path, "null")) == {"notice": "This tagging was successfully deleted."}
    error(program.call("DELETE", path), 404)
    with in_tenant(tenant):
        assert not ContactTag.objects.exists() and Tag.objects.exists()


# --- pages and metadata ---


def test_O14_pages_are_made_read_listed_and_changed(tenant: Tenant, program: Program) -> None:
    given = {
        "title": "Save the river", "name": "river", "summary": "S", "description": "D", "origin_system": "Tests",
        "browser_url": "https://example.org/give", "action_network:hidden": True, "identifiers": ["crm:1"],
    }  # fmt: skip
    first = said(program.post("/fundraising_pages", given))
    assert {name: first[name] for name in given if name != "identifiers"} == {
        name: value for name, value in given.items() if name != "identifiers"
    }
    assert (first["total_donations"], first["total_amount"], first["currency"]) == (0, "0.00", "USD")
    assert first["created_date"] == first["modified_date"]
    path = first["_links"]["self"]["href"]
    assert first["_links"]["osdi:record_donation_helper"] == first["_links"]["osdi:donations"]
    changed = said(program.put(path, {"summary": "T", "identifiers": ["crm:2"], "total_amount": "9.99"}))
    assert (changed["summary"], changed["title"], changed["total_amount"]) == ("T", "Save the river", "0.00")
    assert changed["identifiers"][1:] == ["crm:1", "crm:2"]
    again = said(program.post("/fundraising_pages", {"title": "Renamed", "identifiers": ["crm:2"]}))
    assert uid_in(again) == uid_in(first) and again["title"] == "Renamed"
    said(program.post("/fundraising_pages", {"title": "Another"}))
    assert said(program.get("/fundraising_pages"))["total_records"] == 2
    for text in ("title eq 'renamed'", "origin_system eq 'Tests'", "identifier eq 'crm:1'"):
        assert [uid_in(row) for row in embedded(said(program.get("/fundraising_pages", filter=text)))] == [
            uid_in(first)
        ]
    for wrong in ({}, {"title": ""}, {"title": None}, {"title": 7}, {"title": "x", "browser_url": "javascript:x"},
                  {"title": "x" * 256}, {"title": "x", "action_network:hidden": "no"}, [1]):  # fmt: skip
        error(program.post("/fundraising_pages", wrong))
    error(program.put(path, {"title": ""}))
    error(program.call("DELETE", path), 405)


def test_O14_metadata_and_custom_fields_are_listed(tenant: Tenant, program: Program) -> None:
    with in_tenant(tenant):
        CustomField.objects.create(name="Shirt", help_text="S to XL")
    there = said(program.get("/metadata"))["_links"]["action_network:custom_fields"]["href"]
    (field,) = said(program.get(there))["action_network:custom_fields"]
    assert (field["name"], field["notes"]) == ("Shirt", "S to XL")


@pytest.mark.parametrize("body", ["", "null", " \n "])
def test_O4_a_write_without_a_body_is_refused_and_says_what_to_send(
    tenant: Tenant, program: Program, body: str
) -> None:
    ana = somebody(tenant, first_name="Ana")
    page = program.page()
    tag = uid_in(said(program.post("/tags", {"name": "donor"})))
    for method, path in (
        ("PUT", f"/people/{ana.uid}"), ("POST", "/people"), ("POST", "/tags"), ("POST", f"/tags/{tag}/taggings"),
        ("PUT", page), ("POST", "/fundraising_pages"), ("POST", f"{page}/donations"),
    ):  # fmt: skip
        for headers in ({}, {"Idempotency-Key": f"once {method} {path}".replace(" ", "-")}):
            assert "Send a JSON object" in error(program.call(method, path, body, **headers)), (method, path)
    assert "Send a JSON object" in error(Program(None).call("POST", f"{page}/donations", body))
    said(program.put(f"/people/{ana.uid}", {}))  # an object in which nothing is said changes nothing


def test_O4_a_body_without_a_length_is_not_taken_for_none(tenant: Tenant, program: Program) -> None:
    ana = somebody(tenant, first_name="Ana")
    headers = {"Transfer-Encoding": "chunked"}
    assert "Content-Length" in error(program.call("PUT", f"/people/{ana.uid}", {"given_name": "Bea"}, **headers))
