"""Tasks by the API: listed, filtered, read in pages, claimed, reported on, dismissed (T5); each event once (T7)."""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact, HistoryEntry, StaffMember
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import TenantQuerySet, in_tenant
from gifts.services import record_gift
from tasks_app import services
from tasks_app.models import ThankYou, VideoEvent
from tests.factories import ContactFactory, TenantFactory
from tests.tasks_app.api import Program, problem
from tests.tasks_app.people import only, staff
from tests.tasks_app.test_notes import bounced, no_address, opted_out, spouse_said_no

pytestmark = pytest.mark.django_db
DAY = date(2026, 5, 1)
AT = "2026-05-02T12:00:00+02:00"


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


@pytest.fixture
def task(in_tenant: Tenant, donor: Contact) -> ThankYou:
    record_gift(donor, 100, DAY, comment="For the river")
    return only()


def crowd(count: int) -> list[ThankYou]:
    """So many donors to thank."""
    for _ in range(count):
        record_gift(ContactFactory(phone="+15035550123"), 10, DAY)
    return list(ThankYou.objects.order_by("pk"))


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def stella() -> StaffMember:
    member = staff("Stella Novak")
    member.user.email = "stella@rivertrust.test"
    member.user.save()
    return member


# --- list and read ---


def test_T5_a_task_says_who_is_to_be_thanked_and_why(program: Program, task: ThankYou) -> None:
    (row,) = program.get("/tasks").json()["results"]
    assert row["sentence"] == "Send Ana Ruiz a thank you video. Ana made a $100.00 donation."
    assert (row["state"], row["may_be_sent"], row["assignee"]) == ("open", True, None)
    assert row["contact"]["first_name"] == "Ana" and "@" in row["contact"]["email"]
    assert row["reasons"] == [{
        "sentence": "Ana made a $100.00 donation.", "instruction": "", "on": "2026-05-01", "amount": "100.00",
        "currency": "USD", "comment": "For the river",
    }]  # fmt: skip
    assert program.get(f"/tasks/{task.uid}").json() == row


def test_T5_tasks_are_filtered_by_state_assignee_and_change(program: Program, in_tenant: Tenant) -> None:
    first, second, third = crowd(3)
    member = stella()
    services.claim(first, member)
    services.dismiss(second)
    assert ids(program.get("/tasks", state="open")) == [str(third.uid), str(first.uid)]
    assert ids(program.get("/tasks", state="dismissed")) == [str(second.uid)]
    assert ids(program.get("/tasks", assignee="Stella@RiverTrust.test")) == [str(first.uid)]
    assert ids(program.get("/tasks", assignee="none", state="open")) == [str(third.uid)]
    TenantQuerySet.update(ThankYou.objects.exclude(pk=third.pk), updated_at=timezone.now() - timedelta(hours=2))
    an_hour_ago = (timezone.now() - timedelta(hours=1)).isoformat()
    assert ids(program.get("/tasks", changed_since=an_hour_ago)) == [str(third.uid)]
    assert program.get("/staff").json()["results"] == [{"email": "stella@rivertrust.test", "name": "Stella Novak"}]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "asleep"}, {"changed_since": "2026-05-01T12:00:00"}, {"changed_since": "yesterday"}, {"limit": "0"},
        {"limit": "201"}, {"limit": "many"}, {"cursor": "no-cursor"}, {"cursor": "W10"}, {"sort": "name"},
        {"changed_since": "0001-01-01T00:00:00+14:00"}, {"assignee": ""},
    ],
)  # fmt: skip
def test_T5_a_filter_that_there_is_not_is_refused_with_what_is_wrong(program: Program, query: Any) -> None:
    (error,) = problem(program.get("/tasks", **query), 422, "invalid")["errors"]
    assert error["field"] == next(iter(query)) and error["message"]


def test_T5_pages_pass_nothing_over_while_others_write(program: Program, in_tenant: Tenant) -> None:
    rows = crowd(7)
    met: list[str] = []
    cursor: dict[str, str] = {}
    changed = iter(rows)
    for turn in itertools.count():
        said = program.get("/tasks", limit=2, **cursor)
        met += ids(said)
        if turn < 3:  # a row that was met, or is still to come, moves to the end; a new one comes; one is dismissed
            services.dismiss(next(changed))
            services.claim(rows[-1], StaffMember.objects.first() or stella())
            crowd(1)
        if not (follows := said.json()["next_cursor"]):
            break
        cursor = {"cursor": follows}
        assert turn < 20
    assert set(met) == {str(uid) for uid in ThankYou.objects.values_list("uid", flat=True)}
    until = said.json()["changed_until"]
    assert until < min(row.updated_at for row in ThankYou.objects.all()).isoformat(), "what commits late is met again"


def test_T5_rows_of_one_moment_are_all_met(program: Program, in_tenant: Tenant) -> None:
    crowd(5)
    TenantQuerySet.update(ThankYou.objects.all(), updated_at=timezone.now())
    first = program.get("/tasks", limit=3).json()
    rest = program.get("/tasks", limit=3, cursor=first["next_cursor"])
    assert len({*[row["id"] for row in first["results"]], *ids(rest)}) == 5


def test_T5_a_page_takes_as_many_queries_for_many_as_for_few(program: Program, in_tenant: Tenant) -> None:
    def queries(count: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert len(ids(program.get("/tasks", limit=50))) == count
        asked = [query["sql"] for query in seen.captured_queries]  # counting calls begins anew with each minute
        return len([sql for sql in asked if "contacts_tally" not in sql and "SAVEPOINT" not in sql])

    crowd(2)
    queries(2)
    few = queries(2)
    crowd(10)
    assert queries(12) == few


# --- who may not be written to ---


def test_T5_nobody_under_do_not_contact_is_shown_or_claimed_and_readers_hear_of_it(
    program: Program, task: ThankYou, donor: Contact
) -> None:
    stella()
    before = timezone.now().isoformat()
    donor.do_not_contact = True
    donor.save()
    assert ids(program.get("/tasks")) == []
    problem(program.get(f"/tasks/{task.uid}"), 404)
    problem(program.post(f"/tasks/{task.uid}/claim", {"assignee": "stella@rivertrust.test"}), 404)
    for query in ({}, {"state": "open"}):
        (row,) = program.get("/tasks", changed_since=before, **query).json()["results"]
        assert set(row) == {"id", "state", "may_be_sent", "changed_at"} and row["may_be_sent"] is False
    # It was sent all the same: that is noted, and flagged for a person.
    said = program.post(f"/tasks/{task.uid}/sent", {"video_id": "v1", "at": AT})
    assert said.status_code == 201 and "Do Not Contact" in only().to_judge


@pytest.mark.parametrize("happens", [opted_out, bounced, spouse_said_no, no_address])
def test_T5_no_address_is_shown_that_must_not_be_written_to(
    program: Program, task: ThankYou, donor: Contact, happens: Any
) -> None:
    other = crowd(1)
    happens(donor)
    rows = {row["id"]: row["contact"] for row in program.get("/tasks").json()["results"]}
    said = rows[str(task.uid)]
    assert (said["email"], said["may_be_emailed"]) == ("", False)
    assert program.get(f"/tasks/{task.uid}").json()["contact"] == said
    assert "@" in rows[str(other[-1].uid)]["email"] and rows[str(other[-1].uid)]["may_be_emailed"] is True


def test_T5_a_neighbours_tasks_are_not_there(program: Program, task: ThankYou) -> None:
    theirs = Program(TenantFactory())
    assert ids(theirs.get("/tasks")) == []
    problem(theirs.get(f"/tasks/{task.uid}"), 404, "not-found")
    for verb, body in (
        ("sent", {"video_id": "v", "at": AT}), ("dismiss", {"reason": "x"}),
        ("watched", {"event_id": "e", "at": AT, "percent": 1}),
    ):  # fmt: skip
        problem(theirs.post(f"/tasks/{task.uid}/{verb}", body), 404, "not-found")
    with in_tenant_of(program):
        assert only().state == "open" and not VideoEvent.objects.exists()


def in_tenant_of(program: Program) -> Any:
    return in_tenant(program.token.tenant)


# --- claim, dismiss ---


def test_T5_a_task_is_claimed_once_in_the_name_of_the_key(program: Program, task: ThankYou) -> None:
    stella()
    marcus = staff("Marcus Reed")
    said = program.post(f"/tasks/{task.uid}/claim", {"assignee": "stella@rivertrust.test"})
    assert said.status_code == 200 and said.json()["assignee"]["name"] == "Stella Novak"
    refused = problem(program.post(f"/tasks/{task.uid}/claim", {"assignee": marcus.user.email}), 409, "refused")
    assert "Stella Novak has this one" in refused["detail"]
    viewer = staff("Victor Lane", role="viewer")
    problem(program.post(f"/tasks/{task.uid}/claim", {"assignee": viewer.user.email}), 422)
    assert viewer.user.email not in str(program.get("/staff").json()), "who may only look thanks nobody"
    unknown = problem(program.post(f"/tasks/{task.uid}/claim", {"assignee": "nobody@rivertrust.test"}), 422)
    assert unknown["errors"][0]["field"] == "assignee"
    entry = HistoryEntry.objects.filter(what="thank-you", verb="changed").latest("pk")
    assert (entry.actor_label, entry.source) == ("API key “Video app”", "API key “Video app”")


def test_T5_a_task_is_dismissed_with_a_reason(program: Program, task: ThankYou) -> None:
    assert program.post(f"/tasks/{task.uid}/dismiss", {"reason": "Thanked by telephone"}).json()["state"] == "dismissed"
    assert only().closing_note == "Thanked by telephone"
    problem(program.post(f"/tasks/{task.uid}/dismiss", {"reason": "Again"}), 409)
    problem(program.post(f"/tasks/{task.uid}/dismiss", {"reason": "  "}), 422)


# --- events ---

EVENTS: dict[str, dict[str, Any]] = {
    "sent": {"event_id": "e1", "video_id": "v1", "link": "https://videos.example.org/1", "at": AT},
    "watched": {"event_id": "e2", "at": "2026-05-02T13:00:00Z", "seconds": 30},
    "replied": {"event_id": "e3", "at": "2026-05-02T14:00:00Z", "text": "What a lovely surprise!"},
}


@pytest.mark.parametrize("order", list(itertools.permutations(EVENTS)))
def test_T7_events_in_whatever_order_make_the_same_and_each_counts_once(
    program: Program, task: ThankYou, order: tuple[str, ...]
) -> None:
    for kind in (*order, *order):
        said = program.post(f"/tasks/{task.uid}/{kind}", EVENTS[kind])
        assert said.status_code in (200, 201), said.content
        assert said.json()["is_new"] is (said.status_code == 201)
    row = only()
    assert row.sent_at
    assert (row.state, row.video_id, row.sent_at.isoformat()) == ("done", "v1", "2026-05-02T10:00:00+00:00")
    assert list(VideoEvent.objects.values_list("kind", "event_id")) == [
        ("sent", "e1"), ("watched", "e2"), ("replied", "e3"),
    ]  # fmt: skip


def test_T7_an_event_id_of_another_event_is_refused(program: Program, task: ThankYou) -> None:
    program.post(f"/tasks/{task.uid}/watched", EVENTS["watched"])
    problem(program.post(f"/tasks/{task.uid}/replied", EVENTS["replied"] | {"event_id": "e2"}), 409, "refused")
    assert VideoEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("sent", {"at": "2026-05-02T12:00:00"}, "at"), ("sent", {"at": 5}, "at"),
        ("sent", {"video_id": ""}, "video_id"),
        ("sent", {"link": "javascript:alert(1)"}, "link"), ("sent", {"video_id": 7}, "video_id"),
        ("sent", {"video_id": "v" * 151}, "video_id"), ("sent", {"at": "2999-01-01T00:00:00Z"}, "at"),
        ("sent", {"title": "x"}, "title"), ("watched", {"seconds": -1}, "seconds"),
        ("watched", {"seconds": "30"}, "seconds"), ("watched", {"seconds": True}, "seconds"),
        ("watched", {"seconds": 10**30}, "seconds"), ("watched", {"percent": 101}, "percent"),
        ("watched", {"seconds": None}, "seconds"), ("watched", {"event_id": None}, "event_id"),
        ("replied", {"text": "a\u0000b"}, "text"), ("replied", {"text": "\ud800"}, "text"),
        ("replied", {"text": "x" * 10_001}, "text"), ("replied", {"a\u0000\ud800": 1}, "a??"),
    ],
)  # fmt: skip
def test_T7_what_is_wrong_is_named_and_nothing_is_done(
    program: Program, task: ThankYou, kind: str, change: Any, field: str
) -> None:
    said = problem(program.post(f"/tasks/{task.uid}/{kind}", EVENTS[kind] | change), 422, "invalid")
    assert field in [error["field"] for error in said["errors"]]
    assert not VideoEvent.objects.exists() and only().state == "open"


def test_T7_a_watch_says_how_much_and_a_reply_says_something(program: Program, task: ThankYou) -> None:
    problem(program.post(f"/tasks/{task.uid}/watched", {"event_id": "e", "at": AT}), 422)
    problem(program.post(f"/tasks/{task.uid}/replied", {"event_id": "e", "at": AT, "text": ""}), 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400), ("", 422), ("[]", 422), ('"text"', 422), ("null", 422), ('{"at": NaN}', 400),
        ("[" * 20_000, 400), (b"\xff\xfe", 400), ("9" * 5_000, 400), ('{"at": 1e999}', 422),
        ('{"text": "' + "x" * 70_000 + '"}', 413),
    ],
)  # fmt: skip
def test_T9_no_body_whatever_breaks_anything(program: Program, task: ThankYou, body: Any, status: int) -> None:
    problem(program.post(f"/tasks/{task.uid}/sent", body), status)


def test_T9_other_mistakes_are_problems_too(program: Program, task: ThankYou) -> None:
    path = f"/tasks/{task.uid}/sent"
    headers = {"Authorization": f"Bearer {program.secret}", "Idempotency-Key": "k"}
    problem(program.client.post(f"/api/video/v1{path}", {"a": 1}, headers=headers), 415)
    problem(program.client.put(f"/api/video/v1{path}", "{}", headers=headers), 405)
    problem(program.client.delete("/api/video/v1/tasks", headers=headers), 405)
    problem(program.get("/nothing"), 404)
    problem(program.get("/tasks/not-an-id"), 404)
    problem(program.get("/tasks?state=%00"), 400)
    problem(program.get("/tasks?limit=1&limit=2"), 422)
    problem(program.get("/tasks?" + "a&" * 2_001), 400)
