"""Keys of the video app: shown once, kept as a hash, named, revocable, of one organization and one API (T4)."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import ApiToken, HistoryEntry
from contacts.tenancy import keys
from contacts.tenancy.models import Tally, Tenant
from contacts.tenancy.walls import in_tenant
from tests.tasks_app.api import BASE, Program, problem
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db


def make(client: Client, **values: Any) -> Any:
    return client.post("/admin/keys/new/", {"name": "Video app", "scopes": ["video"], "days": "365"} | values)


def secret_on(page: Any) -> str:
    text = page.content.decode()
    return text[text.index(keys.PREFIX) :].partition('"')[0]


def test_T4_a_key_is_shown_once_kept_as_a_hash_and_works(tenant: Tenant) -> None:
    owner = logged_in(tenant)
    secret = secret_on(make(owner))
    with in_tenant(tenant):
        token = ApiToken.objects.get()
        assert HistoryEntry.objects.get(what="API key").label == "Video app"
    assert secret not in str(token.__dict__) and token.secret_hash == keys.hash_of(secret)
    assert (token.name, token.hint, token.works) == ("Video app", secret[-4:], True)
    page = owner.get("/admin/keys/").content.decode()
    assert secret not in page and secret[-4:] in page and "Video app" in page
    assert Client().get(f"{BASE}/tasks", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_T4_it_shows_when_it_was_last_used_to_the_minute(tenant: Tenant, django_assert_num_queries: Any) -> None:
    program = Program(tenant)
    assert program.token.last_used_at is None
    program.get("/tasks")
    with in_tenant(tenant):
        first = ApiToken.objects.get().last_used_at
        program.get("/tasks")
        assert ApiToken.objects.get().last_used_at == first, "not a write for each call"
        ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
        program.get("/tasks")
        assert ApiToken.objects.get().last_used_at > first


@pytest.mark.parametrize("what", ["revoked", "expired", "another", "shapeless", "none"])
def test_T4_what_does_not_open_is_told_the_same_whatever_it_is(tenant: Tenant, what: str) -> None:
    program = Program(tenant)
    assert program.get("/tasks").status_code == 200
    with in_tenant(tenant):
        if what == "revoked":
            keys.revoke(program.token, None)  # type: ignore[arg-type]
        elif what == "expired":
            ApiToken.objects.update(expires_at=timezone.now())
    other = {"another": keys.PREFIX + "x" * 43, "shapeless": "é-no key", "none": ""}.get(what, program.secret)
    headers = {"Authorization": f"Bearer {other}"} if what != "none" else {}
    answer = Client().get(f"{BASE}/tasks", headers=headers)
    said = problem(answer, 401, "no-valid-key")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    if what != "none":
        assert said["detail"] == "This API key does not work. It may be mistyped, revoked or too old."


def test_T4_a_key_with_another_scope_is_refused(tenant: Tenant) -> None:
    problem(Program(tenant, "donors:read").get("/tasks"), 403, "wrong-scope")


def test_T4_somebody_who_is_logged_in_is_nobody_to_the_api(tenant: Tenant) -> None:
    owner = logged_in(tenant)
    problem(owner.get(f"{BASE}/tasks"), 401)
    problem(owner.post(f"{BASE}/contacts", "{}", content_type="application/json"), 401)


def test_T4_owners_make_and_revoke_managers_look_others_do_neither(tenant: Tenant) -> None:
    program = Program(tenant)
    revoke = f"/admin/keys/{program.token.pk}/revoke/"
    manager, staff = logged_in(tenant, "manager"), logged_in(tenant, "staff")
    assert manager.get("/admin/keys/").status_code == 200
    assert make(manager).status_code == 403 and manager.post(revoke).status_code == 403
    assert staff.get("/admin/keys/").status_code == 403
    assert program.get("/tasks").status_code == 200
    owner = logged_in(tenant)
    assert owner.get(revoke).status_code == 200
    assert program.get("/tasks").status_code == 200, "a look takes nothing away"
    owner.post(revoke)
    problem(program.get("/tasks"), 401)
    assert "Revoked" in owner.get("/admin/keys/").content.decode()


def test_T4_a_neighbours_key_is_not_there(tenant: Tenant, neighbour: Tenant) -> None:
    theirs = Program(neighbour)
    owner = logged_in(tenant)
    assert "Video app" not in owner.get("/admin/keys/").content.decode()
    assert owner.post(f"/admin/keys/{theirs.token.pk}/revoke/").status_code == 404
    assert theirs.get("/tasks").status_code == 200


def test_T4_too_many_calls_of_a_key_wait_and_do_not_use_up_what_is_the_others(tenant: Tenant, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE, settings.API_CALLS_PER_MINUTE_ORGANIZATION = 2, 3
    program, other = Program(tenant), Program(tenant)
    assert [program.get("/staff")["RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
    for _ in range(3):
        answer = program.get("/staff")
        problem(answer, 429, "too-many-calls")
        assert 1 <= int(answer["Retry-After"]) <= 60 and answer["RateLimit-Remaining"] == "0"
    assert other.get("/staff").status_code == 200, "calls that were refused do not count for the organization"
    problem(other.get("/staff"), 429)
    Tally.objects.update(since=timezone.now() - timedelta(minutes=2))
    assert program.get("/staff").status_code == 200


def test_T4_a_call_is_counted_in_one_short_write(tenant: Tenant) -> None:
    program = Program(tenant)
    program.get("/staff")
    with CaptureQueriesContext(connection) as seen:
        program.get("/staff")
    asked = [each["sql"] for each in seen.captured_queries]
    where = [number for number, sql in enumerate(asked) if "contacts_tally" in sql]
    assert len(where) == 2 and where[1] == where[0] + 1
    assert asked[where[0] - 1].startswith("SAVEPOINT") and asked[where[1] + 1].startswith("RELEASE"), "one transaction"


def test_T4_no_log_holds_a_key(tenant: Tenant, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    from tasks_app.api import tasks

    program = Program(tenant)

    def fail(*args: Any) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(tasks.shown, "person", fail)
    with in_tenant(tenant):
        from tests.tasks_app.people import staff

        staff("Marcus Reed")
    with caplog.at_level(logging.DEBUG):
        said = problem(program.get("/staff"), 500, "our-mistake")
    assert "a mistake of ours" not in str(said)
    assert any("ValueError" in record.getMessage() for record in caplog.records)
    assert program.secret not in caplog.text
