"""What holds for every address of OSDI: keys, errors, odd clients, repetition, background work (O1, O9, O14)."""

import itertools
import json
import logging
from typing import Any

import pytest
from django.test import Client

from contacts.models import ApiAnswer, Contact, ContactTag, Tag
from contacts.tenancy import keys
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.osdi.urls import ADDRESSES
from gifts.donating import background
from gifts.models import BackgroundCall, Donation, FundraisingPage
from tests.gifts.osdi import BASE, DONATION, NOBODY, SMITH, Program, error, said, somebody, uid_in

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "DELETE")


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


def filled(address: str, **ids: str) -> str:
    for name in ("person", "page", "donation", "tag", "tagging"):
        address = address.replace(f"{{{name}}}", ids.get(name, NOBODY))
    return address


def everything_of(tenant: Tenant) -> dict[str, str]:
    """The ids of one of each."""
    program = Program(tenant)
    with in_tenant(tenant):
        Tag.objects.get_or_create(name="donor")
    donation = said(program.give(program.page()))
    with in_tenant(tenant):
        tagging = ContactTag.objects.select_related("tag").get()
    return {
        "person": donation["action_network:person_id"], "page": donation["action_network:fundraising_page_id"],
        "donation": uid_in(donation), "tag": str(tagging.tag.uid), "tagging": str(tagging.uid),
    }  # fmt: skip


# --- keys ---


def test_O1_the_key_comes_in_any_of_three_headers(program: Program) -> None:
    for name in ("OSDI-API-Token", "OSDI-API-TOKEN", "osdi-api-token"):
        said(Client().get(f"{BASE}/people", headers={name: program.secret}))
    for value in (program.secret, f"Bearer {program.secret}"):
        said(Client().get(f"{BASE}/people", headers={"Authorization": value}))


@pytest.mark.parametrize("secret", ["", "nonsense", f"{keys.PREFIX}{'x' * 43}", "é", " "])
def test_O1_without_a_key_that_works_every_address_answers_403_in_the_same_words(secret: str, tenant: Tenant) -> None:
    ids, client = everything_of(tenant), Program(None)
    for address, method in itertools.product(ADDRESSES, METHODS):
        if not address or (method == "POST" and address.endswith("{page}/donations") and not secret.strip()):
            continue
        headers = {"OSDI-API-Token": secret} if secret else {}
        answer = client.call(method, filled(address, **ids), {}, **headers)
        assert error(answer, 403) == "API Key invalid or not present", (method, address)


def test_O1_a_key_for_another_api_opens_nothing(tenant: Tenant) -> None:
    assert "osdi" in error(Program(tenant, "video").get("/people"), 403)


def test_O14_the_entry_point_answers_everybody_and_only_a_key_that_works_sees_tags(
    tenant: Tenant, program: Program
) -> None:
    for path in ("", "/"):
        body = said(program.get(path))
        assert (body["max_page_size"], body["osdi_version"], body["vendor_name"]) == (25, "1.1.1", "Almoner")
        for rel, link in body["_links"].items():
            if rel.startswith("osdi:"):
                said(program.get(link["href"]))
    assert "osdi:tags" in said(program.get(""))["_links"]
    of_another_api = Program(tenant, "video").secret
    for headers in ({}, *({"OSDI-API-Token": key} for key in ("wrong", keys.PREFIX + "x" * 43, of_another_api))):
        body = said(Program(None).call("GET", "/", **headers))
        assert "osdi:tags" not in body["_links"] and "osdi:people" in body["_links"]


def test_O14_every_prefix_in_an_answer_is_explained_in_it(tenant: Tenant, program: Program) -> None:
    ids = everything_of(tenant)
    for address in ADDRESSES:
        body = said(program.get(filled(address, **ids)))
        for part in (body, *(row for rows in body.get("_embedded", {}).values() for row in rows)):
            known = {one["name"] for one in part["_links"]["curies"]}
            assert {rel.partition(":")[0] for rel in part["_links"] if ":" in rel} <= known, address


def test_O1_limits_count_and_say_when_to_come_back(tenant: Tenant, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    program = Program(tenant)
    assert [program.get("/tags")["RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
    answer = program.get("/tags")
    assert "Too many calls" in error(answer, 429) and 1 <= int(answer["Retry-After"]) <= 60


# --- neighbours ---


def test_O14_a_neighbours_key_and_ids_open_nothing_anywhere(tenant: Tenant, neighbour: Tenant) -> None:
    theirs, ours, stranger = everything_of(neighbour), everything_of(tenant), Program(tenant)
    with in_tenant(neighbour):
        before = list(Contact.objects.values()), list(Donation.objects.values()), list(ContactTag.objects.values())
    bodies = {"POST": DONATION, "PUT": {"given_name": "X", "title": "X"}}
    for address, method in itertools.product(ADDRESSES, METHODS):
        names = [name for name in theirs if f"{{{name}}}" in address]
        # One id of theirs among ours is as good as none.
        for foreign in names:
            path = filled(address, **(ours | {foreign: theirs[foreign]}))
            answer = stranger.call(method, path, bodies.get(method))
            assert answer.status_code in (404, 405), (method, address, foreign, answer.content)
            same = stranger.call(method, filled(address, **(ours | {foreign: NOBODY})), bodies.get(method))
            assert same.status_code == answer.status_code
            assert same.json()["error"].replace(NOBODY, theirs[foreign]) == answer.json()["error"]
        if not names:
            text = stranger.call(method, address, bodies.get(method)).content.decode()
            assert not any(uid in text for uid in theirs.values())
    with in_tenant(neighbour):
        assert before == (
            list(Contact.objects.values()), list(Donation.objects.values()), list(ContactTag.objects.values()),
        )  # fmt: skip


def test_O3_the_same_address_and_identifier_in_two_organizations_are_two_people(
    tenant: Tenant, neighbour: Tenant
) -> None:
    for owner in (tenant, neighbour):
        program = Program(owner)
        said(program.give(program.page(identifiers=["crm:1"]), identifiers=["crm:2"]))
    for owner in (tenant, neighbour):
        with in_tenant(owner):
            assert (Contact.objects.count(), Donation.objects.count(), FundraisingPage.objects.count()) == (1, 1, 1)


# --- odd clients ---


def test_O1_no_address_is_redirected_with_or_without_a_slash(tenant: Tenant, program: Program) -> None:
    ids = everything_of(tenant)
    for address, slash in itertools.product(ADDRESSES, ("", "/")):
        said(program.get(filled(address, **ids) + slash))
    page = f"/fundraising_pages/{ids['page']}/donations/"
    said(program.post(page, DONATION))
    error(program.get("/nothing/here"), 404)
    error(program.get("/people/x/y/z/"), 404)


@pytest.mark.parametrize("kind", ["application/hal+json", "text/plain", "application/x-www-form-urlencoded", "x", ""])
def test_O1_whatever_the_type_is_called_json_is_read(program: Program, kind: str) -> None:
    said(program.give(program.page()))
    said(program.post("/people", {"person": SMITH}, **{"Content-Type": kind, "Accept": "text/html"}))


def test_O1_null_on_get_and_delete_is_no_body(tenant: Tenant, program: Program) -> None:
    ids = everything_of(tenant)
    for address in ADDRESSES:
        said(program.call("GET", filled(address, **ids), b"null"))
        said(program.call("GET", filled(address, **ids), b"\xff{", **{"Content-Type": "multipart/form-data"}))


BROKEN = [
    b"", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe", b'{"person": NaN}', b"[" * 10_000, b'{"a":' * 10_000,
    b'{"a": 1' + b"0" * 5000 + b"}", b'{"person": {"given_name": "a\\u0000b"}}',
    b'{"person": {"given_name": "\\ud800"}}',
    b'{"\\ud800": 1}', b'{"person": {}, "person": {}}', b"title=Save&origin_system=x", b'{"person": 1e999}',
    b'{"name": "a\\u0000"}', b'{"title": "\\u0007"}', b'{"_links": {"osdi:person": {"href": "\\u0000"}}}',
    b'{"a": "' + b"x" * 70_000 + b'"}', b" " * 2_000_000, b'{"recipients": [[[[[]]]]]}', b'{"person": [null]}',
]  # fmt: skip


def test_O1_no_body_breaks_any_address(tenant: Tenant, program: Program, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = settings.API_CALLS_PER_MINUTE_ORGANIZATION = 10_000
    ids = everything_of(tenant)
    writes = [(m, a) for m, a in itertools.product(("POST", "PUT"), ADDRESSES)
              if program.call(m, filled(a, **ids), {}).status_code not in (405,)]  # fmt: skip
    assert len(writes) >= 9
    for (method, address), body in itertools.product(writes, BROKEN):
        answer = program.call(method, filled(address, **ids), body)
        assert answer.status_code in (200, 400, 413), (method, address, body[:40], answer.content)
        if answer.status_code != 200:
            assert list(answer.json()) == ["error"]
    with in_tenant(tenant):
        assert Contact.objects.count() == 1 and Donation.objects.count() == 1


def test_O14_where_the_body_is_empty_pages_and_tags_are_read_from_the_address(tenant: Tenant, program: Program) -> None:
    page = said(program.post("/fundraising_pages", query={"title": "Save", "origin_system": "AN"}))
    assert (page["title"], page["origin_system"]) == ("Save", "AN")
    assert said(program.post("/tags", query={"name": "donor"}))["name"] == "donor"
    path = f"{page['_links']['self']['href']}/donations"
    query = {"recipients": ["display_name", "amount"], "person": ["given_name"], "created_date": "2013-01-01"}
    assert "no body" in error(program.post(path, query=query))
    with in_tenant(tenant):
        assert not Contact.objects.exists()


def test_O1_what_stands_in_the_address_breaks_nothing(program: Program) -> None:
    for text in ("a\x00b", "\ud7ff", "'", "x" * 3000, "é\u202e", "%"):
        for path in ("/people", "/donations", "/fundraising_pages"):
            answer = program.get(path, filter=f"identifier eq '{text}'")
            assert answer.status_code in (200, 400) and (answer.status_code == 200 or list(answer.json()) == ["error"])
    answer = program.client.get(f"{BASE}/people?filter=%FF%FE&page=%80", headers={"OSDI-API-Token": program.secret})
    error(answer)
    error(program.client.get(f"{BASE}/people?{'a&' * 2_001}", headers={"OSDI-API-Token": program.secret}))
    for uid in ("x", "'", "%00", "0" * 36, NOBODY.replace("-", "")):
        error(program.get(f"/people/{uid}"), 404)


# --- once ---


def test_O1_a_repeated_key_is_answered_again_and_nothing_is_done_again(tenant: Tenant, program: Program) -> None:
    page = program.page()
    head = {"Idempotency-Key": "one"}
    first = program.post(f"{page}/donations", DONATION, **head)
    again = program.post(f"{page}/donations", DONATION, **head)
    assert said(first) == said(again) and again["Idempotent-Replayed"] == "true"
    assert "Idempotency-Key" in error(program.post(f"{page}/donations", DONATION | {"identifiers": ["a:1"]}, **head))
    wrong = {"Idempotency-Key": "two"}
    sentence = error(program.post(f"{page}/donations", {}, **wrong))
    assert error(program.post(f"{page}/donations", {}, **wrong)) == sentence
    error(program.post(f"{page}/donations", DONATION, **{"Idempotency-Key": "é" * 3}))
    with in_tenant(tenant):
        assert Donation.objects.count() == 1
        assert "jsmith" not in str(list(ApiAnswer.objects.values())), "what is kept names no donor"


def test_O1_every_write_is_done_once_for_its_key(tenant: Tenant, program: Program) -> None:
    ana = somebody(tenant)
    tag = said(program.post("/tags", {"name": "donor"}, **{"Idempotency-Key": "a"}))["_links"]["self"]["href"]
    link = {"_links": {"osdi:person": {"href": f"/people/{ana.uid}"}}}
    tagging = said(program.post(f"{tag}/taggings", link, **{"Idempotency-Key": "b"}))["_links"]["self"]["href"]
    for _ in range(2):
        said(program.call("DELETE", tagging, **{"Idempotency-Key": "c"}))
        said(program.put(f"/people/{ana.uid}", {"given_name": "Ann"}, **{"Idempotency-Key": "d"}))
        said(program.post("/fundraising_pages", {"title": "T"}, **{"Idempotency-Key": "e"}))
        said(program.post("/people", {"person": SMITH}, **{"Idempotency-Key": "f"}))
    with in_tenant(tenant):
        assert FundraisingPage.objects.count() == 1 and Contact.objects.count() == 2


# --- afterwards ---


def test_O9_a_call_for_afterwards_is_answered_at_once_and_done_by_a_job(tenant: Tenant, program: Program) -> None:
    page, query = program.page(), {"background_request": "true"}
    ana = somebody(tenant)
    tag = said(program.post("/tags", {"name": "donor"}))["_links"]["self"]["href"]
    link = {"_links": {"osdi:person": {"href": f"/people/{ana.uid}"}}}
    assert said(program.give(page, query, add_tags=[])) == {}
    assert said(program.post("/people", {"person": {"phone_numbers": [{"number": "5035550142"}]}}, query)) == {}
    assert said(program.put(f"/people/{ana.uid}", {"given_name": "Ann"}, query)) == {}
    assert said(program.post(f"{tag}/taggings", link, query)) == {}
    with in_tenant(tenant):
        assert BackgroundCall.objects.count() == 4 and Contact.objects.count() == 1
        assert not Donation.objects.exists()
    assert background.turn(tenant.pk) is False
    with in_tenant(tenant):
        assert not BackgroundCall.objects.exists() and Contact.objects.count() == 3
        assert Contact.objects.get(pk=ana.pk).first_name == "Ann" and ContactTag.objects.get().contact_id == ana.pk
        donation = Donation.objects.get()
        tagging = f"{tag}/taggings/{ContactTag.objects.get().uid}"
    assert said(program.put(f"/donations/{donation.uid}", {"identifiers": ["crm:1"]}, query)) == {}
    assert said(program.call("DELETE", tagging, query=query)) == {}
    background.turn(tenant.pk)
    assert said(program.get(f"/donations/{donation.uid}"))["identifiers"][1:] == ["crm:1"]
    error(program.get(tagging), 404)


def test_O9_what_is_wrong_is_said_at_once_and_other_words_mean_nothing(tenant: Tenant, program: Program) -> None:
    page, query = program.page(), {"background_request": "true"}
    error(program.give(page, query, recipients=[]))
    error(program.give(f"/fundraising_pages/{NOBODY}", query), 404)
    error(program.post("/people", {"person": {}}, query))
    with in_tenant(tenant):
        assert not BackgroundCall.objects.exists()
    for other in ({"background_processing": "true"}, {"background_request": "1"}, {"background_request": "false"}):
        assert said(program.give(page, other))["amount"] == "3.00"


def test_O9_pages_and_tags_are_never_made_afterwards(program: Program) -> None:
    query = {"background_request": "true"}
    assert said(program.post("/fundraising_pages", {"title": "T"}, query))["title"] == "T"
    assert said(program.post("/tags", {"name": "T"}, query))["name"] == "T"


# --- secrets ---


def test_O1_neither_logs_nor_errors_hold_keys_or_people(
    tenant: Tenant, program: Program, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    page = program.page()
    monkeypatch.setattr("gifts.api.osdi.shown.donation", lambda row: 1 / 0)
    with caplog.at_level(logging.DEBUG):
        sentence = error(program.give(page), 500)
        told = error(Program(None).call("GET", "/people", **{"OSDI-API-Token": program.secret[:-1]}), 403)
        wrong = error(program.post("/people", {"person": SMITH | {"family_name": "Smith" * 50}}))
    text = caplog.text + sentence + told + wrong
    assert "ZeroDivisionError" in caplog.text
    for secret in (program.secret[:-1], "jsmith", "Smith", "2021234444", "20009"):
        assert secret not in text
    with in_tenant(tenant):
        assert not Contact.objects.exists(), "what could not be answered was not done"


def test_O14_the_answers_are_json_of_plain_values(tenant: Tenant, program: Program) -> None:
    ids = everything_of(tenant)
    for address in ADDRESSES:
        answer = program.get(filled(address, **ids))
        assert json.loads(answer.content) == answer.json() and b"." not in answer.content[:1]
