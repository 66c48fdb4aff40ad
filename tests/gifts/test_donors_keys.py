"""Who may: keys, scopes, tenants, limits; and bodies that nobody should send (A9)."""

import json
import logging
from datetime import date
from typing import Any

import pytest
from django.test import Client

from contacts.models import Contact
from contacts.tenancy import keys
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Donor
from gifts.services import record_gift
from tests.gifts.donors_api import Program, giver, good, person, refused, replace
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


def calls(uid: str, contact: str) -> list[tuple[str, str, Any, bool]]:
    """Every call: method, path, body, and whether it writes."""
    return [
        ("POST", "", {"type": "contact", "contact_id": contact}, True),
        ("GET", f"/{uid}", None, False),
        ("PUT", f"/{uid}", {"type": "contact", "contact_id": contact}, True),
        ("PATCH", f"/{uid}", [replace("/notes", "x")], True),
        ("DELETE", f"/{uid}", None, True),
        ("POST", "/search", {}, False),
        ("POST", "/recalculateDonorTotals", None, True),
        ("POST", "/batch", {"operations": []}, True),
    ]


def test_A9_the_key_is_taken_with_and_without_the_word_bearer(tenant: Tenant, program: Program) -> None:
    uid = str(giver(tenant, 10).uid)
    for said in (program.secret, f"Bearer {program.secret}", f"bearer  {program.secret}"):
        good(program.call("GET", f"/{uid}", Authorization=said))


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer x", "Basic eA==", "almoner_x", "é", "almoner_" + "x" * 43])
def test_A9_without_a_good_key_every_call_is_401(tenant: Tenant, program: Program, said: str) -> None:
    row = giver(tenant, 10)
    for method, path, body, _ in calls(str(row.uid), "x"):
        answer = program.call(method, path, body, Authorization=said)
        refused(answer, 401, "no-valid-key")
        assert "WWW-Authenticate" in answer
    refused(logged_in(tenant).get(f"/donors/{tenant.slug}/{row.uid}"), 401)


def test_A9_a_key_that_is_revoked_opens_nothing(tenant: Tenant, program: Program) -> None:
    uid = str(giver(tenant, 10).uid)
    with in_tenant(tenant):
        keys.revoke(program.token, None)  # type: ignore[arg-type]
    refused(program.read(uid), 401)


def test_A9_reading_and_writing_need_their_scopes(tenant: Tenant) -> None:
    row = giver(tenant, 10)
    for method, path, body, is_write in calls(str(row.uid), str(row.contact.uid)):
        wrong = "donors:read" if is_write else "donors:write"
        for scope in (wrong, "video", "osdi"):
            refused(Program(tenant, scope).call(method, path, body), 403, "wrong-scope")
        right = Program(tenant, "donors:write" if is_write else "donors:read").call(method, path, body)
        assert right.status_code in (200, 409), right.content
        assert int(right["RateLimit-Remaining"]) >= 0


def test_A9_another_tenant_in_the_address_is_403_whether_there_is_one_or_not(
    tenant: Tenant, neighbour: Tenant, program: Program
) -> None:
    theirs = giver(neighbour, 10)
    for slug in (neighbour.slug, "nobody", tenant.slug.upper(), "%20"):
        for method, path, body, _ in calls(str(theirs.uid), str(theirs.contact.uid)):
            said = refused(program.call(method, path, body, tenant=slug), 403, "wrong-tenant")
            assert "Harbor" not in json.dumps(said)


def test_A9_a_neighbours_ids_are_nobodys(tenant: Tenant, neighbour: Tenant, program: Program) -> None:
    theirs = giver(neighbour, 10)
    with in_tenant(neighbour):
        contact = str(theirs.contact.uid)
        before = list(Donor.objects.values())
    uid = str(theirs.uid)
    refused(program.read(uid), 404)
    refused(program.put(uid, {"type": "contact", "contact_id": contact}), 404)
    refused(program.patch(uid, replace("/notes", "x")), 404)
    refused(program.call("DELETE", f"/{uid}"), 404)
    refused(program.call("POST", "", {"type": "contact", "contact_id": contact}), 409)
    mine = program.create(person(tenant))
    refused(program.patch(mine["id"], replace("/contact_id", contact)), 409)
    criteria: dict[str, Any]
    for criteria in ({"ids": [uid]}, {"contact_id": [contact]}):
        assert program.search(**criteria) == {"Items": [], "Count": 0}
    assert [each["id"] for each in program.search()["Items"]] == [mine["id"]]
    assert [row["status"] for row in good(program.batch({"operation": "delete", "id": uid}))["results"]] == [404]
    assert good(program.call("POST", "/recalculateDonorTotals"))["donors_processed"] == 1
    with in_tenant(neighbour):
        assert list(Donor.objects.values()) == before


def test_A9_two_organizations_of_one_name_have_two_addresses(db: None) -> None:
    made = [Tenant.objects.create(name=name) for name in ("Öst & West", "Ost  West!", "日本", "東京")]
    assert [one.slug for one in made] == ["ost-west", "ost-west-2", "organization", "organization-2"]


def test_A9_too_many_calls_are_429_with_when_to_come_back(tenant: Tenant, program: Program, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    uid = str(giver(tenant, 10).uid)
    assert [program.read(uid)["RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
    answer = program.read(uid)
    refused(answer, 429, "too-many-calls")
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_A9_the_page_of_keys_offers_both_scopes(tenant: Tenant) -> None:
    page = logged_in(tenant).get("/admin/keys/new/").content.decode()
    assert "donors:read" in page and "donors:write" in page
    assert f"/donors/{tenant.slug}" in logged_in(tenant).get("/admin/keys/").content.decode()


GARBAGE: list[bytes] = [
    b"", b"{", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"[" * 10_000, b'{"a":' * 10_000,
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":1,"a":2}', b'{"type":NaN}', b'{"type":Infinity}', b'{"n":1e999}', b'{"n":' + b"9" * 5000 + b"}",
    b'{"type":"\\u0000"}', b'{"\\u0000":1}', b'{"type":"\\ud800"}', b'{"notes":"\\udc00x"}', b"x" * (1024 * 1024 + 1),
    b'[{"op":"add","path":"/notes","value":"\\ud83d"}]', b'[{"op":"add","path":"/\\u0000","value":1}]',
    b'[{"op":"copy","from":"","path":"/notes"}]', b'{"operations":[{"operation":"patch","id":"\\ud800","patch":[]}]}',
    b'{"type":{"a":{}},"contact_id":[[]],"sys_version":{}}', b'{"type":"contact","contact_id":{"a":1}}',
    b'{"type":"contact","contact_id":"' + b"x" * 5000 + b'"}', b"\xef\xbb\xbf{}",
    b'{"sys_version":1e308,"type":"contact"}',
]  # fmt: skip


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_A9_no_body_makes_a_500_or_changes_anything(tenant: Tenant, program: Program, body: bytes) -> None:
    row = giver(tenant, 10)
    before = good(program.read(str(row.uid)))
    for method, path, _, _ in calls(str(row.uid), "x"):
        if method in ("GET", "DELETE") or path in ("/recalculateDonorTotals", "/search"):
            continue
        answer = program.call(method, path, body, Idempotency_Key=f"{method}{path[:6]}")
        if not (method == "PATCH" and body == b"[]"):
            assert refused(answer, answer.status_code)["status"] in (400, 409), answer.content
    refused(program.call("POST", "/search", body), 400)
    assert good(program.read(str(row.uid))) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "application/x-www-form-urlencoded", "é"])
def test_A9_another_content_type_is_400(tenant: Tenant, program: Program, kind: str) -> None:
    body = {"type": "contact", "contact_id": str(person(tenant).uid)}
    refused(program.call("POST", "", body, content_type=kind), 400, "not-json")
    refused(program.call("POST", "", body, content_type="application/json-patch+json"), 400)
    good(program.call("POST", "", body, content_type="Application/JSON; charset=utf-8"))


def test_A9_other_methods_and_addresses_are_told_so(tenant: Tenant, program: Program) -> None:
    uid = str(giver(tenant, 10).uid)
    for method, path in (("GET", ""), ("GET", "/search"), ("PUT", ""), ("POST", f"/{uid}"), ("OPTIONS", f"/{uid}")):
        refused(program.call(method, path), 405)
    refused(program.call("GET", f"/{uid}/more"), 404)
    refused(program.call("GET", f"/{uid}/"), 404)
    refused(program.call("GET", f"/{uid}?fields=%00"), 400)


def test_A9_no_log_and_no_problem_holds_a_key_or_a_donors_data(
    tenant: Tenant, program: Program, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    contact = person(tenant, first_name="Grace", last_name="Unmistakable", email="grace@unmistakable.test")
    with in_tenant(tenant):
        record_gift(contact, 10, date(2025, 1, 1))
        uid = str(Donor.objects.get().uid)
    with caplog.at_level(logging.DEBUG):
        said = [refused(program.call("DELETE", f"/{uid}"), 409), refused(program.patch(uid, replace("/x", 1)), 400)]
        from gifts.api.donors import shown

        def fail(*args: Any) -> None:
            raise ValueError("a mistake of ours")

        monkeypatch.setattr(shown, "moment", fail)
        said.append(refused(program.read(uid), 500, "our-mistake"))
    for text in (caplog.text, json.dumps(said)):
        assert "Unmistakable" not in text and "unmistakable" not in text and program.secret not in text
    assert "a mistake of ours" not in json.dumps(said)


def test_A9_nothing_is_changed_by_reading(tenant: Tenant, program: Program) -> None:
    row = giver(tenant, 10)
    with in_tenant(tenant):
        before = [list(Donor.objects.values()), list(Contact.objects.values())]
    program.read(str(row.uid))
    program.search()
    Client().get("/api/donors/openapi.json")
    with in_tenant(tenant):
        assert [list(Donor.objects.values()), list(Contact.objects.values())] == before
