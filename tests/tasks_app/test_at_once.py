"""Several people and workers at the same moment: one open thank-you, one claim, each event and note once."""

from datetime import date, timedelta
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from contacts.tenancy.models import Tenant
from contacts.tenancy.throttle import counted
from contacts.tenancy.walls import in_tenant
from gifts.services import record_gift
from tasks_app import notes, services
from tasks_app.models import Note, Reason, ThankYou, VideoEvent
from tasks_app.services import ThankYouRefused
from tests.factories import ContactFactory, TenantFactory
from tests.gifts.test_at_once import at_once
from tests.tasks_app.people import only, staff, wants

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 5, 1)


def test_T1_gifts_of_one_donor_that_come_in_at_once_make_one_thank_you() -> None:
    tenant: Tenant = TenantFactory(name="River Trust at once")
    donor = ContactFactory(tenant=tenant)
    at_once(tenant, [lambda: record_gift(donor, 5, DAY)] * 4)
    with in_tenant(tenant):
        assert ThankYou.objects.count() == 1
        assert Reason.objects.count() == 4


def test_T1_of_two_who_claim_at_once_one_wins_and_the_other_is_told_by_whom() -> None:
    tenant: Tenant = TenantFactory(name="River Trust claims")
    with in_tenant(tenant):
        services.ask_by_hand(ContactFactory(), "Helping")
        row, people = only(), [staff("Marcus Reid"), staff("Stella Novak")]
    told: list[str] = []

    def claim(member: Any) -> None:
        try:
            services.claim(row, member)
        except ThankYouRefused as why:
            told.append(str(why))

    at_once(tenant, [lambda: claim(people[0]), lambda: claim(people[1])])
    with in_tenant(tenant):
        (sentence,) = told
        assert sentence.startswith(f"{only().for_whom} has this one since")


def test_T7_an_event_that_comes_twice_at_once_is_counted_once() -> None:
    tenant: Tenant = TenantFactory(name="River Trust events")
    with in_tenant(tenant):
        row = services.ask_by_hand(ContactFactory(), "Helping")
    found: list[bool] = []
    at_once(tenant, [lambda: found.append(services.record_watched(row, event_id="e1")[1])] * 3)
    with in_tenant(tenant):
        assert VideoEvent.objects.count() == 1
    assert sorted(found) == [False, False, True]


@pytest.mark.parametrize("many", ["dismiss", "assign"])
def test_T7_many_at_once_leave_alone_what_is_reported_sent_in_that_moment(many: str) -> None:
    tenant: Tenant = TenantFactory(name="River Trust bulk")
    with in_tenant(tenant):
        row, marcus = services.ask_by_hand(ContactFactory(), "Helping"), staff("Marcus Reid")
    is_noted = Event()

    def report() -> None:
        with transaction.atomic():
            services.mark_sent(row, "v1")
            is_noted.set()
            sleep(0.3)  # the other one waits for this row meanwhile

    def sweep_up() -> None:
        is_noted.wait(5)
        counts.append(services.dismiss_many([row.pk]) if many == "dismiss" else services.assign_many([row.pk], marcus))

    counts: list[int] = []
    at_once(tenant, [report, sweep_up])
    with in_tenant(tenant):
        assert (only().state, only().assignee, counts) == ("sent", None, [0])


def test_T4_calls_at_once_are_all_counted() -> None:
    tenant: Tenant = TenantFactory(name="River Trust calls")
    at_once(tenant, [lambda: [counted("api key", "1", timedelta(days=1)) for _ in range(10)]] * 4)
    assert counted("api key", "1", timedelta(days=1)) == 41


def test_T2_two_workers_send_each_note_once() -> None:
    tenant: Tenant = TenantFactory(name="River Trust notes")
    with in_tenant(tenant):
        wants(gift_action="note")
        for _ in range(6):
            record_gift(ContactFactory(), 5, DAY)
    at_once(tenant, [lambda: notes.turn(tenant.pk)] * 2)
    with in_tenant(tenant):
        assert Note.objects.filter(state="sent").count() == 6
    assert len(mail.outbox) == len({letter.to[0] for letter in mail.outbox}) == 6
