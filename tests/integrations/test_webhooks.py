"""The door for vendors' messages: who is let in, what is stored, and how little it costs (reliability W2, L21)."""

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from contacts.tenancy.walls import in_tenant
from integrations.models import Connection, Credential, WebhookEvent
from integrations.sync.listening import hash_of
from tests.factories import ConnectionFactory

KEY, OTHER_KEY = "k" * 43, "o" * 43
SIGNING = "the-vendor-signs-with-this"
AUDIENCE = "a6b5da1054"


def message(kind: str = "unsubscribe", **data: str) -> str:
    """A message as Mailchimp sends it."""
    fields = {"email": "ana@rivermail.test", "list_id": AUDIENCE, "action": "unsub", "reason": "manual"} | data
    return urlencode(
        {"type": kind, "fired_at": "2026-11-22 09:15:02", **{f"data[{key}]": value for key, value in fields.items()}}
    )


def signed(body: str, secret: str = SIGNING, at: float | None = None) -> str:
    """The header that vouches for this body."""
    when = str(int(at if at is not None else time.time()))
    return f"t={when},v1={hmac.new(secret.encode(), f'{when}.{body}'.encode(), hashlib.sha256).hexdigest()}"


def door(tenant: Any, key: str = KEY, secret: str = SIGNING) -> Connection:
    """A connection that listens at this key."""
    connection = ConnectionFactory(tenant=tenant, hook_key_hash=hash_of(key))
    with in_tenant(tenant):
        webhooks = {AUDIENCE: {"id": "1", "secret": secret}}
        Credential.store(connection, {"token": "x", "dc": "us1", "hook_key": key, "webhooks": webhooks}, None)
    return connection


@pytest.fixture
def here(tenant: Any) -> Connection:
    return door(tenant)


@pytest.fixture
def there(neighbour: Any) -> Connection:
    return door(neighbour, OTHER_KEY, "the-neighbours-secret")


def post(body: str, key: str = KEY, signature: str | None = None, provider: str = "mailchimp", **more: Any) -> Any:
    """Send a message to the door, signed as it should be unless told otherwise."""
    headers = {"X-Mailchimp-Signature": signed(body) if signature is None else signature}
    kind = more.pop("content_type", "application/x-www-form-urlencoded")
    return Client(enforce_csrf_checks=True).generic(
        "POST", f"/hooks/{provider}/{key}/", body, kind, headers=headers, **more
    )


def stored(tenant: Any) -> int:
    with in_tenant(tenant):
        return WebhookEvent.objects.count()


def test_L21_a_genuine_message_is_stored_and_answered_with_an_empty_200(
    here: Connection, there: Connection, tenant: Any, neighbour: Any
) -> None:
    answer = post(message())
    assert (answer.status_code, answer.content) == (200, b"")
    assert (stored(tenant), stored(neighbour)) == (1, 0)
    with in_tenant(tenant):
        event = WebhookEvent.objects.get()
        assert (event.body, event.handled_at, event.connection) == (message(), None, here)


def test_the_job_is_rung_once_the_message_is_committed(
    here: Connection, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        post(message())
        assert not OrmQ.objects.exists()
    job = OrmQ.objects.get().task
    assert (job["func"], job["args"]) == ("integrations.jobs.serve", (here.pk,))


def test_the_vendor_looks_whether_the_address_answers_before_using_it(here: Connection) -> None:
    path = f"/hooks/mailchimp/{KEY}/"
    assert (Client().get(path).status_code, Client().get(path).content) == (200, b"")
    assert Client().head(path).status_code == 200
    assert Client().get(f"/hooks/mailchimp/{OTHER_KEY}/").status_code == 403


FORGED: dict[str, dict[str, Any]] = {
    "an unknown key": {"key": "x" * 43},
    "another provider's door": {"provider": "constant_contact"},
    "no signature": {"signature": ""},
    "a signature of something else": {"signature": signed(message("profile"))},
    "a signature by somebody else": {"signature": signed(message(), "made up")},
    "the neighbour's secret": {"signature": signed(message(), "the-neighbours-secret")},
    "the neighbour's key with our secret": {"key": OTHER_KEY},
    "an old signature": {"signature": signed(message(), at=time.time() - 3600)},
    "a signature from the future": {"signature": signed(message(), at=time.time() + 3600)},
    "nonsense for a signature": {"signature": "t=now,v1=yes"},
}


@pytest.mark.parametrize("forgery", FORGED)
def test_W2_a_forged_message_changes_nothing_and_hears_403(
    here: Connection, there: Connection, tenant: Any, neighbour: Any, forgery: str
) -> None:
    answer = post(message(), **FORGED[forgery])
    assert answer.status_code == 403
    assert (stored(tenant), stored(neighbour)) == (0, 0)


def test_W2_other_methods_and_a_key_that_is_no_key_are_refused_without_a_redirect(here: Connection) -> None:
    assert Client().put(f"/hooks/mailchimp/{KEY}/").status_code == 403
    assert Client().delete(f"/hooks/mailchimp/{KEY}/").status_code == 403
    for path in ("/hooks/mailchimp/short/", "/hooks/mailchimp/", "/hooks/"):
        assert Client().post(path).status_code in (403, 404)


def test_an_address_without_its_last_slash_is_no_redirect_which_would_lose_the_message(
    here: Connection, tenant: Any
) -> None:
    body = message()
    answer = Client().generic(
        "POST", f"/hooks/mailchimp/{KEY}", body, "application/x-www-form-urlencoded",
        headers={"X-Mailchimp-Signature": signed(body)},
    )  # fmt: skip
    assert (answer.status_code, stored(tenant)) == (200, 1)


def test_the_same_message_is_stored_once_however_often_it_comes_and_in_whatever_order_its_fields_are(
    here: Connection, tenant: Any
) -> None:
    body = message()
    turned = "&".join(reversed(body.split("&")))
    for each in (body, body, turned):
        assert post(each).status_code == 200
    assert stored(tenant) == 1
    post(message(email="ben@rivermail.test"))
    assert stored(tenant) == 2, "another message is another message"


def test_the_same_message_to_two_organizations_is_stored_for_each(
    here: Connection, there: Connection, tenant: Any, neighbour: Any
) -> None:
    post(message())
    post(message(), key=OTHER_KEY, signature=signed(message(), "the-neighbours-secret"))
    assert (stored(tenant), stored(neighbour)) == (1, 1)


def test_a_webhook_that_is_not_signed_is_known_by_its_unguessable_address(tenant: Any) -> None:
    door(tenant, secret="")
    assert post(message(), signature="").status_code == 200
    assert stored(tenant) == 1


@pytest.mark.parametrize("kind", ["unheard_of", "", "campaign"])
def test_W2_a_message_of_an_unknown_kind_or_list_is_answered_with_200_so_that_the_vendor_goes_on_sending(
    here: Connection, kind: str
) -> None:
    assert post(message(kind)).status_code == 200


def test_messages_for_a_disconnected_organization_are_answered_and_thrown_away(here: Connection, tenant: Any) -> None:
    with in_tenant(tenant):
        Credential.objects.all().delete()
        Connection.objects.update(state="not_connected")
    assert post(message()).status_code == 200
    assert stored(tenant) == 0


@pytest.mark.parametrize("state", ["setup", "ready", "active", "reconnect"])
def test_messages_are_kept_in_every_state_of_a_connection(here: Connection, tenant: Any, state: str) -> None:
    with in_tenant(tenant):
        Connection.objects.update(state=state)
    assert post(message()).status_code == 200
    assert stored(tenant) == 1


def test_a_body_beyond_64_kilobytes_is_not_taken_in(here: Connection, tenant: Any) -> None:
    big = message(note="x" * 65_536)
    assert post(big).status_code == 413
    assert stored(tenant) == 0
    fitting = message(note="x" * 60_000)
    assert post(fitting).status_code == 200


def test_bytes_that_are_no_text_are_stored_as_text(here: Connection, tenant: Any) -> None:
    door_key = f"/hooks/mailchimp/{KEY}/"
    with in_tenant(tenant):
        Credential.store(here, {"hook_key": KEY}, None)
    answer = Client().generic("POST", door_key, b"type=profile&x=\xff\x00y", "application/x-www-form-urlencoded")
    assert answer.status_code == 200
    with in_tenant(tenant):
        assert "\x00" not in WebhookEvent.objects.get().body


def test_a_message_costs_few_queries_and_asks_nothing_about_people(here: Connection) -> None:
    with CaptureQueriesContext(
        database,
    ) as queries:
        assert post(message()).status_code == 200
    said = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
    assert len(said) <= 3, said
    assert not [sql for sql in said if "session" in sql or "contacts_user" in sql]


def test_a_key_is_not_kept_anywhere_it_could_be_read(here: Connection, tenant: Any) -> None:
    with database.cursor() as cursor:
        for table in ("integrations_connection", "integrations_credential", "integrations_webhookevent"):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - names of our own
            assert KEY not in str([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor])
