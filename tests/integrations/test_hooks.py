"""Webhooks out: written in the transaction of the change, signed, sent to allowed addresses only, retried, listed,
sent again by hand (T8)."""

import hashlib
import hmac
import ipaddress
import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from gifts.services import record_gift
from integrations import hooking, jobs
from integrations.models import HookDelivery, OutgoingHook
from integrations.sync import hooks
from tasks_app import services
from tasks_app.models import ThankYou
from tests.factories import ContactFactory, StaffMemberFactory
from tests.fakes.video_app.almoner import is_genuine
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant"), pytest.mark.once]
DAY = date(2026, 5, 1)
BOTH = ["task.created", "task.changed"]


class Receiver(ThreadingHTTPServer):
    """Somebody's program: keeps what comes, and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.came: list[tuple[Any, bytes]] = []
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}/told?from=almoner"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.headers, body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTGOING_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    server = Receiver()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def donor(in_tenant: Tenant) -> Contact:
    found: Contact = ContactFactory(first_name="Ana", last_name="Ruiz")
    return found


@pytest.fixture
def hook(receiver: Receiver, in_tenant: Tenant) -> OutgoingHook:
    return hooking.register(hooking.checked_url(receiver.url), BOTH, None)[0]


def told(receiver: Receiver) -> list[tuple[str, str]]:
    return [(json.loads(body)["type"], json.loads(body)["task"]["id"]) for _, body in receiver.came]


def later(**span: float) -> None:
    """So much time goes by for what is due."""
    HookDelivery.objects.update(next_at=timezone.now())
    if span:
        HookDelivery.objects.update(at=timezone.now() - timedelta(**span))


def test_T8_what_is_new_and_what_has_changed_is_told_signed_and_without_the_donor(
    hook: OutgoingHook, receiver: Receiver, donor: Contact, settings: Any
) -> None:
    record_gift(donor, 100, DAY)
    thank_you = ThankYou.objects.get()
    services.dismiss(thank_you)
    assert hooks.turn(hook.pk) is False
    uid = str(thank_you.uid)
    assert told(receiver) == [("task.created", uid), ("task.changed", uid)]
    headers, body = receiver.came[0]
    at, _, signed = headers["Almoner-Signature"].partition(",v1=")
    expected = hmac.new(hook.secret.encode(), f"{at[2:]}.".encode() + body, hashlib.sha256).hexdigest()
    assert signed == expected and abs(int(at[2:]) - timezone.now().timestamp()) < 60
    assert headers["Almoner-Event"] == "task.created"
    assert json.loads(body)["task"]["url"] == f"{settings.PUBLIC_URL}/api/video/v1/tasks/{uid}"
    assert b"Ana" not in body and b"Ruiz" not in body
    assert {row.state for row in HookDelivery.objects.all()} == {"done"}


def test_T8_a_change_that_is_undone_is_never_told(hook: OutgoingHook, donor: Contact) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record_gift(donor, 100, DAY)
        assert HookDelivery.objects.exists()
        raise ZeroDivisionError
    assert not HookDelivery.objects.exists()


def test_T8_only_what_was_chosen_is_told_and_nobody_elses(
    hook: OutgoingHook, receiver: Receiver, donor: Contact, neighbour: Tenant
) -> None:
    OutgoingHook.objects.update(kinds="task.changed")
    with inside(neighbour):
        record_gift(ContactFactory(), 5, DAY)
    record_gift(donor, 100, DAY)
    assert not HookDelivery.objects.exists()
    services.dismiss(ThankYou.objects.get())
    hooks.turn(hook.pk)
    assert told(receiver) == [("task.changed", str(ThankYou.objects.get().uid))]


def test_T8_do_not_contact_is_told_at_once(hook: OutgoingHook, receiver: Receiver, donor: Contact) -> None:
    record_gift(donor, 100, DAY)
    hooks.turn(hook.pk)
    donor.do_not_contact = True
    donor.save()
    hooks.turn(hook.pk)
    assert [kind for kind, _ in told(receiver)] == BOTH


def test_T8_many_at_once_take_as_many_queries_as_one(hook: OutgoingHook) -> None:
    def queries(count: int) -> int:
        rows = [ContactFactory() for _ in range(count)]
        for row in rows:
            record_gift(row, 5, DAY)
        pks = list(ThankYou.objects.values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as seen:
            hooking.write_down("task.changed", pks)
        return len(seen)

    assert queries(2) == queries(20)


def test_T8_what_does_not_arrive_is_tried_again_with_longer_waits_and_the_same_id(
    hook: OutgoingHook, receiver: Receiver, donor: Contact
) -> None:
    record_gift(donor, 100, DAY)
    receiver.status = 503
    waits = []
    for _ in range(3):
        assert hooks.turn(hook.pk) is False
        row = HookDelivery.objects.get()
        waits.append((row.next_at - row.tried_at).total_seconds())
        assert (row.state, row.status, row.answer) == ("due", 503, "It answered 503.")
        later()
    assert waits == [30, 60, 120]
    assert OutgoingHook.objects.get().failing_since
    receiver.status = 204
    hooks.turn(hook.pk)
    assert len({json.loads(body)["id"] for _, body in receiver.came}) == 1 and len(receiver.came) == 4
    assert HookDelivery.objects.get().state == "done" and OutgoingHook.objects.get().failing_since is None


@pytest.mark.parametrize("status", [301, 307, 404, 410])
def test_T8_nothing_but_success_counts_and_no_redirect_is_followed(
    hook: OutgoingHook, receiver: Receiver, donor: Contact, status: int
) -> None:
    record_gift(donor, 100, DAY)
    receiver.status = status
    hooks.turn(hook.pk)
    assert HookDelivery.objects.get().state == "due" and len(receiver.came) == 1


def test_T8_an_address_that_fails_for_days_is_paused_and_staff_are_told_once(
    hook: OutgoingHook, receiver: Receiver, donor: Contact, mailoutbox: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    StaffMemberFactory(role="manager", user__email="marcus@rivertrust.test")
    record_gift(donor, 100, DAY)
    receiver.status = 500
    hooks.turn(hook.pk)
    OutgoingHook.objects.update(failing_since=timezone.now() - timedelta(days=3, minutes=1))
    later()
    with django_capture_on_commit_callbacks(execute=True):
        hooks.turn(hook.pk)
    assert OutgoingHook.objects.get().paused_at
    assert [mail.to for mail in mailoutbox] == [["marcus@rivertrust.test"]]
    assert "from=almoner" not in mailoutbox[0].body, "an address may hold a key"
    later()
    services.dismiss(ThankYou.objects.get())
    assert hooks.turn(hook.pk) is False and hook.pk not in hooks.waiting() and len(receiver.came) == 2
    receiver.status = 200
    hooking.resume(hook)
    hooks.turn(hook.pk)
    assert {row.state for row in HookDelivery.objects.all()} == {"done"}, "what waited has gone out"


def test_T8_what_is_given_up_is_sent_again_by_hand(
    hook: OutgoingHook, receiver: Receiver, donor: Contact, tenant: Tenant
) -> None:
    record_gift(donor, 100, DAY)
    receiver.status = 500
    hooks.turn(hook.pk)
    later(days=4)
    hooks.turn(hook.pk)
    row = HookDelivery.objects.get()
    assert row.state == "failed"
    owner, manager = logged_in(tenant), logged_in(tenant, "manager")
    page = f"/admin/integrations/webhooks/{hook.uid}/"
    assert "It answered 500." in manager.get(page).content.decode()
    assert manager.post(f"{page}{row.uid}/again/").status_code == 403
    assert owner.get(f"{page}{row.uid}/again/").status_code == 405
    assert owner.post(f"{page}{row.uid}/again/").status_code == 302
    receiver.status = 200
    hooks.turn(hook.pk)
    assert HookDelivery.objects.get().state == "done"
    assert len({json.loads(body)["id"] for _, body in receiver.came}) == 1


def test_T8_two_workers_do_not_send_to_one_address_at_once_and_a_killed_ones_is_sent_again(
    hook: OutgoingHook, receiver: Receiver, donor: Contact
) -> None:
    record_gift(donor, 100, DAY)
    assert hooks.waiting() == [hook.pk]
    OutgoingHook.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert hooks.turn(hook.pk) is False and hooks.waiting() == [] and not receiver.came
    hooks.next_due(hook)  # taken by a worker that is killed
    OutgoingHook.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    later()
    hooks.turn(hook.pk)
    assert len(receiver.came) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/told", "https://127.0.0.1/told", "https://10.0.0.5/told", "http://169.254.169.254/latest",
        "https://[::1]/told", "https://93.184.215.14:8443/told", "ftp://93.184.215.14/", "https://a:b@93.184.215.14/",
        "https:///told", "told", "https://93.184.215.14/#x", "https://[", "https://host:port/",
    ],
)  # fmt: skip
def test_T8_addresses_inside_and_unencrypted_ones_are_refused(url: str, settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = []
    with pytest.raises(ValidationError):
        hooking.checked_url(url)


def test_T8_a_public_address_is_taken(settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = []
    assert hooking.checked_url(" https://93.184.215.14/told ") == "https://93.184.215.14/told"


def test_T8_an_address_that_moves_inside_later_is_not_called(
    hook: OutgoingHook, receiver: Receiver, donor: Contact, settings: Any
) -> None:
    record_gift(donor, 100, DAY)
    settings.OUTGOING_PRIVATE_NETWORKS = []
    hooks.turn(hook.pk)
    assert not receiver.came and "could not be reached" in HookDelivery.objects.get().answer


def test_T8_the_secret_is_shown_once_and_kept_encrypted(receiver: Receiver, tenant: Tenant) -> None:
    owner = logged_in(tenant)
    made = owner.post("/admin/integrations/webhooks/new/", {"url": receiver.url, "kinds": BOTH}).content.decode()
    hook = OutgoingHook.objects.get()
    assert hook.secret in made and hook.secret.startswith("whsec_")
    for page in ("/admin/integrations/webhooks/", f"/admin/integrations/webhooks/{hook.uid}/"):
        assert hook.secret not in owner.get(page).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM integrations_outgoinghook")
        assert hook.secret.encode() not in bytes(cursor.fetchone()[0])
    assert HistoryEntry.objects.get(what="webhook").label == "127.0.0.1"
    owner.post(f"/admin/integrations/webhooks/{hook.uid}/remove/")
    assert not OutgoingHook.objects.exists()


def test_T8_a_neighbours_webhook_is_not_there(hook: OutgoingHook, neighbour: Tenant) -> None:
    theirs = logged_in(neighbour)
    page = f"/admin/integrations/webhooks/{hook.uid}/"
    assert theirs.get(page).status_code == 404
    for verb in ("remove", "resume"):
        assert theirs.post(f"{page}{verb}/").status_code == 404
    assert OutgoingHook.objects.count() == 1


def test_T8_a_lost_bell_is_rung_again_and_old_messages_go(hook: OutgoingHook, donor: Contact, monkeypatch: Any) -> None:
    record_gift(donor, 100, DAY)
    rung: list[Any] = []
    monkeypatch.setattr(jobs, "async_task", lambda *args: rung.append(args))
    jobs.sweep()
    assert ("integrations.jobs.send_to_hook", hook.pk) in rung
    later(days=40)
    jobs.prune()
    assert HookDelivery.objects.count() == 1, "what is still due is kept"
    HookDelivery.objects.update(state="done")
    jobs.prune()
    assert not HookDelivery.objects.exists()


def test_T8_what_says_the_same_is_told_once(hook: OutgoingHook, receiver: Receiver, donor: Contact) -> None:
    record_gift(donor, 5, DAY)
    thank_you = ThankYou.objects.get()
    services.mark_sent(thank_you, "v1")
    services.record_watched(thank_you, event_id="e", percent=50)
    hooks.turn(hook.pk)
    assert [kind for kind, _ in told(receiver)] == BOTH
    services.judged(thank_you)
    services.record_watched(thank_you, event_id="f", percent=60)
    hooks.turn(hook.pk)
    assert len(receiver.came) == 3, "what comes after a message is told anew"


def test_T8_many_messages_go_out_in_their_order(hook: OutgoingHook, receiver: Receiver) -> None:
    rows = [ContactFactory() for _ in range(5)]
    for row in rows:
        record_gift(row, 5, DAY)
    hooks.turn(hook.pk)
    uids = ThankYou.objects.order_by("pk").values_list("uid", flat=True)
    assert [uid for _, uid in told(receiver)] == [str(uid) for uid in uids]


def test_T8_an_address_that_takes_nothing_does_not_keep_a_worker_from_everybody_else(
    hook: OutgoingHook, receiver: Receiver
) -> None:
    for _ in range(8):
        record_gift(ContactFactory(), 5, DAY)
    receiver.status = 503
    assert hooks.turn(hook.pk) is False and len(receiver.came) == 3
    assert hooks.turn(hook.pk) is False and len(receiver.came) == 3, "nobody else begins at once"
    assert hooks.waiting() == []
    rests = OutgoingHook.objects.get().rests_until - timezone.now()
    assert timedelta(seconds=20) < rests <= timedelta(seconds=30)
    OutgoingHook.objects.update(failing_since=timezone.now() - timedelta(days=1), rests_until=timezone.now())
    assert hooks.waiting() == [hook.pk]
    hooks.turn(hook.pk)
    assert len(receiver.came) == 6
    assert OutgoingHook.objects.get().rests_until - timezone.now() <= hooks.LONGEST_REST
    receiver.status = 200
    hooking.resume(hook)
    hooks.turn(hook.pk)
    assert {row.state for row in HookDelivery.objects.all()} == {"done"}, "by hand it goes on at once"


def test_T8_a_test_comes_before_what_waits_and_is_listed_with_the_answer(
    hook: OutgoingHook, receiver: Receiver, donor: Contact, tenant: Tenant, neighbour: Tenant
) -> None:
    record_gift(donor, 100, DAY)
    owner, manager, theirs = logged_in(tenant), logged_in(tenant, "manager"), logged_in(neighbour)
    page = f"/admin/integrations/webhooks/{hook.uid}/"
    assert manager.post(f"{page}test/").status_code == 403 and theirs.post(f"{page}test/").status_code == 404
    assert owner.get(f"{page}test/").status_code == 405
    assert owner.post(f"{page}test/").status_code == 302
    hooks.turn(hook.pk)
    first, second = (json.loads(body) for _, body in receiver.came)
    assert (first["type"], second["type"]) == ("test", "task.created") and set(first) == {"id", "type", "at"}
    assert "A test, sent by hand" in owner.get(page).content.decode()


def test_T8_while_a_secret_is_replaced_both_sign_and_then_only_the_new_one(
    hook: OutgoingHook, receiver: Receiver, donor: Contact, tenant: Tenant, neighbour: Tenant
) -> None:
    old = hook.secret
    owner, manager, theirs = logged_in(tenant), logged_in(tenant, "manager"), logged_in(neighbour)
    page = f"/admin/integrations/webhooks/{hook.uid}/"
    assert manager.post(f"{page}secret/").status_code == 403 and theirs.post(f"{page}secret/").status_code == 404
    shown = owner.post(f"{page}secret/")
    new = OutgoingHook.objects.get().secret
    assert new != old and new in shown.content.decode() and old not in shown.content.decode()
    assert "no-store" in shown["Cache-Control"] and new not in owner.get(page).content.decode()
    assert HistoryEntry.objects.filter(what="webhook", verb="changed").count() == 1

    def fits(secret: str) -> bool:
        hooking.send_test(hook)
        hooks.turn(hook.pk)
        headers, body = receiver.came[-1]
        return is_genuine(secret, headers["Almoner-Signature"], body)

    assert (fits(old), fits(new), fits("whsec_other")) == (True, True, False)
    known: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "time": time}
    exec(re.findall(r"```python\n(.+?)```", Path("docs/video-api.md").read_text(), re.DOTALL)[0], known)  # noqa: S102
    headers, body = receiver.came[-1]
    assert [known["is_genuine"](each, headers["Almoner-Signature"], body) for each in (old, new, "x")] == [
        True,
        True,
        False,
    ]
    OutgoingHook.objects.update(old_secret_until=timezone.now())
    assert (fits(old), fits(new)) == (False, True)
    jobs.prune()
    assert OutgoingHook.objects.get().old_secret is None


@pytest.mark.once
def test_T8_what_says_the_same_is_found_by_an_index_however_much_is_due(hook: OutgoingHook, donor: Contact) -> None:
    record_gift(donor, 5, DAY)
    with CaptureQueriesContext(connection) as seen:
        hooks.next_due(hook)
    (sql,) = [
        each["sql"] for each in seen.captured_queries if "task_uid" in each["sql"] and each["sql"][:6] == "DELETE"
    ]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        assert "hook_same" in str(cursor.fetchall())
