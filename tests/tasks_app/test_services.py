"""Thank-yous as they are claimed, handed over, put off and ended, and what a video app says of them."""

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone

from contacts.models import Contact, HistoryEntry
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.services import record_gift, today
from tasks_app import services, signals
from tasks_app.models import ThankYou, VideoEvent
from tasks_app.services import ThankYouRefused
from tests.factories import ContactFactory
from tests.tasks_app.people import only, staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
DAY = date(2026, 5, 1)


@pytest.fixture
def thank_you(donor: Contact) -> ThankYou:
    """One to do."""
    record_gift(donor, 100, DAY)
    return only()


@pytest.fixture
def heard() -> Any:
    """What is announced: (signal, rows)."""
    found: list[tuple[str, list[int]]] = []

    def created(sender: Any, thank_you_pks: Any, **more: Any) -> None:
        found.append(("created", list(thank_you_pks)))

    def changed(sender: Any, thank_you_pks: Any, **more: Any) -> None:
        found.append(("changed", list(thank_you_pks)))

    def progressed(sender: Any, event_pks: Any, **more: Any) -> None:
        found.append(("progressed", list(event_pks)))

    pairs: list[tuple[Any, Any]] = [
        (signals.task_created, created),
        (signals.task_changed, changed),
        (signals.task_progressed, progressed),
    ]
    for signal, receiver in pairs:
        signal.connect(receiver)
    yield found
    for signal, receiver in pairs:
        signal.disconnect(receiver)


def test_T1_a_claim_is_somebodys_and_the_next_is_told_whose(thank_you: ThankYou) -> None:
    marcus, stella = staff("Marcus Reid"), staff("Stella Novak")
    services.claim(thank_you, marcus)
    services.claim(thank_you, marcus)
    with pytest.raises(ThankYouRefused, match="Marcus Reid has this one since"):
        services.claim(thank_you, stella)
    services.hand_over(thank_you, stella)
    assert (only().assignee, only().claimed_at, only().for_whom) == (stella, None, "Stella Novak")
    services.hand_over(thank_you, None)
    services.claim(thank_you, marcus)
    assert only().assignee == marcus


def test_T1_whoever_leaves_leaves_theirs_to_the_team(thank_you: ThankYou, heard: Any) -> None:
    marcus = staff("Marcus Reid")
    services.claim(thank_you, marcus)
    heard.clear()
    marcus.delete()
    assert (only().assignee, only().for_whom) == (None, "")
    assert heard == [("changed", [thank_you.pk])]


def test_T1_put_off_until_a_day_that_is_to_come(thank_you: ThankYou, donor: Contact) -> None:
    with pytest.raises(ThankYouRefused, match="still to come"):
        services.snooze(thank_you, today())
    services.snooze(thank_you, today() + timedelta(days=90))
    assert not ThankYou.objects.awake(today()).exists()
    assert ThankYou.objects.snoozed(today()).exists()
    record_gift(donor, 10, DAY)
    assert only().snoozed_until == today() + timedelta(days=7), "a further gift wakes it by its own due day"


def test_T1_ends_with_a_reason_once_and_may_be_opened_again(thank_you: ThankYou, donor: Contact) -> None:
    with pytest.raises(ThankYouRefused, match="Say why"):
        services.dismiss(thank_you, " ")
    services.dismiss(thank_you)
    assert (only().state, only().closing_note) == ("dismissed", "Already thanked")
    with pytest.raises(ThankYouRefused, match="dismissed already, so nothing was changed. Already thanked"):
        services.claim(thank_you, staff("Marcus Reid"))
    services.reopen(thank_you)
    assert only().is_open
    services.dismiss(thank_you)
    record_gift(donor, 10, DAY)
    with pytest.raises(ThankYouRefused, match="another open thank-you for Ana Ruiz"):
        services.reopen(thank_you)


def test_T1_the_history_says_who_did_what(thank_you: ThankYou) -> None:
    marcus = staff("Marcus Reid")
    with acting(By.STAFF, "Almoner", marcus.user):
        services.claim(thank_you, marcus)
    entry = HistoryEntry.objects.filter(list_uid=thank_you.uid).first()
    assert entry is not None
    assert (entry.actor_label, entry.changes["for_whom"]) == ("Marcus Reid", ["", "Marcus Reid"])
    assert entry.contact_uid == thank_you.contact.uid


def test_T1_what_happens_is_announced(donor: Contact, heard: Any) -> None:
    record_gift(donor, 100, DAY)
    row = only()
    assert heard == [("created", [row.pk])]
    record_gift(donor, 10, DAY)
    services.claim(row, staff("Marcus Reid"))
    event, _ = services.mark_sent(row, "v1")
    assert [what for what, _ in heard[1:]].count("created") == 0
    assert ("progressed", [event.pk]) in heard
    assert heard[1] == ("changed", [row.pk])


def test_T5_changed_since_finds_what_changed_be_it_only_in_its_reasons(thank_you: ThankYou, donor: Contact) -> None:
    before = only().updated_at
    record_gift(donor, 10, DAY)
    assert only().updated_at > before


SENT_FIRST = timezone.now() - timedelta(hours=3)


def say(row: ThankYou, what: str) -> tuple[VideoEvent, bool]:
    """One event, with its own id."""
    if what == "sent":
        return services.mark_sent(row, "v1", "https://videos.test/v1", SENT_FIRST, "e-sent")
    if what == "watched":
        return services.record_watched(row, SENT_FIRST + timedelta(hours=1), "e-watched", percent=90)
    return services.record_replied(row, SENT_FIRST + timedelta(hours=2), "e-replied", "Thank you!")


@pytest.mark.parametrize("order", [*permutations(["sent", "watched", "replied"])])
def test_T7_events_count_once_in_whatever_order_they_come(thank_you: ThankYou, heard: Any, order: Any) -> None:
    for what in (*order, *order):
        say(thank_you, what)
    row = only()
    assert (row.state, row.sent_at, row.video_id, row.video_link) == (
        "done", SENT_FIRST, "v1", "https://videos.test/v1"
    )  # fmt: skip
    assert [event.kind for event in row.events.all()] == ["sent", "watched", "replied"]
    assert len([what for what, _ in heard if what == "progressed"]) == 3


def test_T7_the_same_id_for_something_else_is_refused(thank_you: ThankYou) -> None:
    say(thank_you, "sent")
    other = services.ask_by_hand(ContactFactory(), "Helping")
    with pytest.raises(ThankYouRefused, match="reported before, and it was another one"):
        services.record_watched(thank_you, event_id="e-sent")
    with pytest.raises(ThankYouRefused, match="reported before"):
        say(other, "sent")
    with pytest.raises(ThankYouRefused, match="an id of its own"):
        services.record_watched(thank_you)


def test_T5_sent_alone_is_sent_and_a_next_gift_asks_anew(thank_you: ThankYou, donor: Contact) -> None:
    say(thank_you, "sent")
    assert only().state == "sent"
    record_gift(donor, 10, DAY)
    assert ThankYou.objects.open().count() == 1


def test_T5_what_was_dismissed_and_sent_all_the_same_is_flagged(thank_you: ThankYou) -> None:
    services.dismiss(thank_you)
    say(thank_you, "sent")
    assert only().state == "sent"
    assert "dismissed before" in only().to_judge
    services.judged(thank_you)
    assert only().to_judge == ""


def test_T1_many_are_assigned_and_dismissed_at_once(tenant: Tenant, neighbour: Tenant) -> None:
    rows = [services.ask_by_hand(ContactFactory(), "Helping") for _ in range(4)]
    pks = [row.pk for row in rows]
    services.dismiss(rows[0])
    marcus = staff("Marcus Reid")
    assert services.assign_many(pks, marcus) == 3
    assert ThankYou.objects.filter(assignee=marcus, for_whom="Marcus Reid").count() == 3
    assert services.dismiss_many(pks) == 3
    with in_tenant(neighbour):
        assert services.assign_many(pks, None) == 0


def test_T8_a_change_is_announced_once(thank_you: ThankYou, donor: Contact, heard: Any) -> None:
    changed = [("changed", [thank_you.pk])]
    for act, told in (
        (lambda: services.record_watched(thank_you, event_id="w1", percent=50), changed),
        (lambda: services.mark_sent(thank_you, "v1"), changed),
        (lambda: services.record_watched(thank_you, event_id="w2", percent=60), changed),  # of the row, nothing changes
    ):
        heard.clear()
        act()
        assert [each for each in heard if each[0] == "changed"] == told
    second = services.ask_by_hand(donor, "Helping")
    ThankYou.objects.filter(pk=second.pk).update(due_on=today() + timedelta(days=60))
    heard.clear()
    record_gift(donor, 5, DAY)  # joins it, and makes it due earlier
    assert heard == [("changed", [second.pk])] and only_open().due_on < today() + timedelta(days=60)


def only_open() -> ThankYou:
    """The one that is to do."""
    found: ThankYou = ThankYou.objects.open().get()
    return found
