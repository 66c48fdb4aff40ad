"""Each write is done once for its Idempotency-Key, also when the same comes twice at the same moment (T7)."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from contacts.models import ApiAnswer, Contact
from contacts.tenancy import keys
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.services import record_gift
from tasks_app.models import VideoEvent
from tests.factories import ContactFactory
from tests.tasks_app.api import Program, problem
from tests.tasks_app.people import only

GRACE = {"first_name": "Grace", "last_name": "Foster", "email": "grace@oakpost.test"}


@pytest.mark.django_db
def test_T7_the_same_key_and_body_give_the_same_answer_and_nothing_is_done_again(tenant: Tenant) -> None:
    program = Program(tenant)
    first = program.post("/contacts", GRACE, key="one")
    again = program.post("/contacts", dict(reversed(GRACE.items())), key='"one"')
    assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    with in_tenant(tenant):
        assert Contact.objects.count() == 1


@pytest.mark.django_db
def test_T7_another_body_or_address_under_a_key_is_refused(tenant: Tenant) -> None:
    program = Program(tenant)
    program.post("/contacts", GRACE, key="one")
    problem(program.post("/contacts", GRACE | {"first_name": "Ada"}, key="one"), 422, "key-used-before")
    with in_tenant(tenant):
        record_gift(Contact.objects.get(), 5, date(2026, 5, 1))
        problem(program.post(f"/tasks/{only().uid}/dismiss", GRACE, key="one"), 422, "key-used-before")
        assert Contact.objects.count() == 1


@pytest.mark.django_db
def test_T7_a_refusal_is_the_answer_as_well(tenant: Tenant) -> None:
    program = Program(tenant)
    with in_tenant(tenant):
        record_gift(ContactFactory(), 5, date(2026, 5, 1))
        path = f"/tasks/{only().uid}/dismiss"
    assert program.post(path, {"reason": "Thanked"}, key="a").status_code == 200
    first = problem(program.post(path, {"reason": "Thanked"}, key="b"), 409)
    with in_tenant(tenant):
        from tasks_app import services

        services.reopen(only())
    assert problem(program.post(path, {"reason": "Thanked"}, key="b"), 409) == first
    with in_tenant(tenant):
        assert only().state == "open"


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "é"])
def test_T7_a_write_needs_a_key(tenant: Tenant, key: str) -> None:
    problem(Program(tenant).post("/contacts", GRACE, key=key), 400, "no-idempotency-key")


@pytest.mark.django_db
def test_T7_keys_are_kept_for_thirty_days_for_each_program(tenant: Tenant) -> None:
    program, other = Program(tenant), Program(tenant)
    program.post("/contacts", GRACE, key="one")
    assert other.post("/contacts", GRACE, key="one").json()["is_new"] is False
    with in_tenant(tenant):
        ApiAnswer.objects.filter(token=program.token).update(created_at=timezone.now() - timedelta(days=31))
        assert keys.forget_old_answers() == 1
        assert ApiAnswer.objects.get().token == other.token
        assert "grace" not in str(list(ApiAnswer.objects.values())).lower(), "what is kept names no donor"


def at_once(*calls: Any) -> list[Any]:
    """What each answers, all begun together."""
    together, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def one(number: int) -> None:
        try:
            together.wait(10)
            answers[number] = calls[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.mark.django_db(transaction=True)
def test_T7_two_with_one_key_at_once_are_done_once_and_hear_the_same(tenant: Tenant) -> None:
    program = Program(tenant)
    with in_tenant(tenant):
        record_gift(ContactFactory(), 5, date(2026, 5, 1))
        path = f"/tasks/{only().uid}/watched"
    body = {"event_id": "e", "at": "2026-05-02T12:00:00Z", "percent": 50}
    answers = at_once(*[lambda: program.post(path, body, key="same")] * 4)
    assert [answer.status_code for answer in answers] == [201] * 4, [answer.content for answer in answers]
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer for answer in answers) == 3
    with in_tenant(tenant):
        assert VideoEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_T7_one_event_under_two_keys_at_once_counts_once(tenant: Tenant) -> None:
    program = Program(tenant)
    with in_tenant(tenant):
        record_gift(ContactFactory(), 5, date(2026, 5, 1))
        path = f"/tasks/{only().uid}/watched"
    body = {"event_id": "e", "at": "2026-05-02T12:00:00Z", "percent": 50}
    answers = at_once(lambda: program.post(path, body, key="a"), lambda: program.post(path, body, key="b"))
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    with in_tenant(tenant):
        assert VideoEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_T6_one_person_added_by_two_programs_at_once_is_one_contact(tenant: Tenant) -> None:
    one, other = Program(tenant), Program(tenant)
    answers = at_once(lambda: one.post("/contacts", GRACE), lambda: other.post("/contacts", GRACE))
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
