"""The pages of thank-yous: the queue, one of them, what they add to other pages, and what others do not see."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, Export
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Gift
from gifts.services import record_gift, record_gifts, refund, today
from tasks_app import services
from tasks_app.models import NoteTemplate, Notifications, ThanksSettings, ThankYou
from tests.factories import ContactFactory
from tests.tasks_app.people import only, staff
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db
QUEUE = "/admin/tasks_app/thankyou/"
DAY = date(2026, 5, 1)


def text(client: Client, address: str, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, answer
    return " ".join(
        unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.S)).split()
    )


def press(client: Client, address: str, **values: Any) -> str:
    """A button, and what the page says then."""
    answer = client.post(address, values, follow=True)
    assert answer.status_code == 200
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.fixture
def thank_you(tenant: Tenant, donor: Contact) -> ThankYou:
    """One to do, for a gift."""
    with in_tenant(tenant):
        record_gift(donor, 100, DAY, comment="For the river")
        return only()


def test_T1_the_queue_shows_whom_why_by_when_and_for_whom(client: Client, thank_you: ThankYou) -> None:
    shown = text(client, QUEUE)
    assert "Ana Ruiz Ana made a $100.00 donation." in shown
    assert "The team" in shown
    assert "To do 1 Mine 0 The team’s 1 Due today 0 Overdue 0 Everything" in shown
    assert "Ana Ruiz" in text(client, QUEUE, q="ruiz")
    assert "Ana Ruiz" not in text(client, QUEUE, whose="mine")
    assert "Nothing matches" in text(client, QUEUE, whose="overdue")
    assert "Thank-yous 1" in shown  # the badge of the menu


def test_T1_parts_of_the_queue(tenant: Tenant, client: Client, thank_you: ThankYou) -> None:
    with in_tenant(tenant):
        ThankYou.objects.update(due_on=today() - timedelta(days=1))
    assert "Overdue" in text(client, QUEUE, whose="overdue")
    assert "1 thank-you is due today, 1 of them overdue" in text(client, "/admin/")
    with in_tenant(tenant):
        services.snooze(thank_you, today() + timedelta(days=3))
    assert "Ana Ruiz" not in text(client, QUEUE)
    assert "Ana Ruiz" in text(client, QUEUE, whose="snoozed")
    with in_tenant(tenant):
        services.dismiss(thank_you)
    assert "Ana Ruiz" in text(client, QUEUE, state="dismissed")
    for nonsense in ({"whose": "x"}, {"state": "x"}, {"due_from": "x"}, {"donor": "x"}, {"p": "x"}):
        text(client, QUEUE, **nonsense)


def test_T1_one_of_them_says_who_why_and_what_happened(tenant: Tenant, client: Client, thank_you: ThankYou) -> None:
    address = f"{QUEUE}{thank_you.pk}/"
    with in_tenant(tenant):
        services.mark_sent(thank_you, "v1", "https://videos.test/v1", event_id="e1")
        services.record_watched(thank_you, event_id="e2", percent=80)
        services.record_replied(thank_you, event_id="e3", text="How lovely")
    shown = text(client, f"{address}change/")
    for words in (
        "Send Ana Ruiz a thank you video.", "Ana made a $100.00 donation.", "“For the river”", "See the video",
        "$100.00 in 1 gift", "Video watched, 80%", "Replied: “How lovely”", "Asked for",
    ):  # fmt: skip
        assert words in shown
    donors_page = text(client, f"/admin/contacts/contact/{thank_you.contact_id}/change/")
    assert "Somebody is asked to thank them" in donors_page
    assert "Video watched" in donors_page


def test_T1_buttons_claim_hand_over_put_off_thank_and_dismiss(
    tenant: Tenant, client: Client, thank_you: ThankYou
) -> None:
    address = f"{QUEUE}{thank_you.pk}/"
    assert "It is yours: thank Ana Ruiz by" in press(client, f"{address}claim/")
    with in_tenant(tenant):
        marcus = staff("Marcus Reid")
    assert press(client, f"{address}hand-over/", member=marcus.pk) == "It is with Marcus Reid now."
    assert "Marcus Reid has this one." in press(client, f"{address}claim/")
    assert "It comes back on" in press(client, f"{address}snooze/", until=str(date(2999, 1, 1)))
    assert "still to come" in press(client, f"{address}snooze/", until="2020-01-01")
    assert press(client, f"{address}snooze/", verb="wake") == "It is back among what is to do."
    assert "Dismissed: A mistake: twice" in press(client, f"{address}dismiss/", reason="A mistake", more="twice")
    assert "dismissed already" in press(client, f"{address}claim/")
    assert press(client, f"{address}reopen/") == "It is to do again."
    assert "was thanked: by phone" in press(client, f"{address}thanked/", how="By phone")
    assert client.get(f"{address}claim/").status_code == 405
    shown = text(client, f"{address}change/")
    assert "→ Marcus Reid" in shown
    assert "State: To do → Done" in shown


def test_T1_many_at_once_are_asked_about_first(tenant: Tenant, client: Client) -> None:
    with in_tenant(tenant):
        marcus = staff("Marcus Reid")
        for _ in range(3):
            record_gift(ContactFactory(), 5, DAY)
        pks = list(ThankYou.objects.values_list("pk", flat=True))
        services.dismiss(ThankYou.objects.get(pk=pks[0]))
    form = {"_selected_action": pks, "index": 0, "select_across": 0}
    asked = client.post(f"{QUEUE}?whose=everything", form | {"action": "hand_these_over"})
    assert "You have chosen 3 thank-yous." in asked.content.decode()
    said = press(
        client, f"{QUEUE}?whose=everything",
        **form, action="hand_these_over", confirmed="yes", member=marcus.pk,
    )  # fmt: skip
    assert said == "2 thank-yous are with Marcus Reid now. 1 was not open any more, and left as it was."
    said = press(client, QUEUE, **form, action="dismiss_these", confirmed="yes", reason="A mistake", more="")
    assert said == "2 thank-yous are dismissed."


def test_M8_what_was_sent_and_then_refunded_waits_for_a_person(tenant: Tenant, client: Client, donor: Contact) -> None:
    with in_tenant(tenant):
        gift = record_gift(donor, 100, DAY)
        services.mark_sent(only(), "v1")
        refund(gift)
    assert "1 thank-you was sent before something changed" in text(client, "/admin/")
    address = f"{QUEUE}{only_pk(tenant)}/"
    assert "The gift of $100.00 was refunded." in text(client, f"{address}change/")
    assert "you have looked at it" in press(client, f"{address}judged/")
    assert "sent before something changed" not in text(client, "/admin/")


def only_pk(tenant: Tenant) -> int:
    with in_tenant(tenant):
        return only().pk


def test_T2_a_thank_you_under_do_not_contact_says_so(tenant: Tenant, client: Client) -> None:
    with in_tenant(tenant):
        record_gift(ContactFactory(first_name="Quinn", last_name="Ash", do_not_contact=True), 5, DAY)
    shown = text(client, f"{QUEUE}{only_pk(tenant)}/change/")
    assert "Do not contact Quinn Ash: thank them by other means, or dismiss this." in shown
    assert "It is not shown to the video app." in shown


def test_T1_settings_are_a_part_of_the_page_of_settings(tenant: Tenant, client: Client) -> None:
    assert "Every new gift asks somebody to thank the donor within 7 days." in text(client, "/admin/organization/")
    values = {
        "thanks-new_gifts": "minimum", "thanks-minimum": "50", "thanks-gift_action": "task", "thanks-one_per": "rule",
        "thanks-due_days": "0", "thanks-cool_down_days": "30",
    }  # fmt: skip
    said = press(client, f"{QUEUE}settings/", **values)
    assert "A new gift of at least $50 asks somebody to thank the donor the same day." in said
    with in_tenant(tenant):
        assert (ThanksSettings.now().one_per, ThanksSettings.now().cool_down_days) == ("rule", 30)
    wrong = client.post(f"{QUEUE}settings/", values | {"thanks-due_days": "x"})
    assert wrong.status_code == 422
    staff_browser = logged_in(tenant, Role.STAFF)
    assert staff_browser.post(f"{QUEUE}settings/", values).status_code == 403
    assert "Save settings of thank-yous" not in text(staff_browser, "/admin/organization/")


def test_T3_each_person_chooses_what_they_hear(tenant: Tenant, client: Client) -> None:
    assert "Nothing is sent unless you switch it on." in text(client, f"{QUEUE}my-mail/")
    assert "Saved." in press(client, f"{QUEUE}my-mail/", weekly="on")
    with in_tenant(tenant):
        mine = Notifications.objects.get()
        assert (mine.weekly, mine.on_assignment) == (True, False)
    assert "Saved." in press(logged_in(tenant, Role.VIEWER), f"{QUEUE}my-mail/")


def test_T1_somebody_may_ask_for_a_thank_you_by_hand(tenant: Tenant, client: Client, donor: Contact) -> None:
    said = press(client, f"{QUEUE}ask/{donor.pk}/", why="Helping at the fair")
    assert said == "Ana Ruiz is among those to thank now."
    assert "Helping at the fair" in text(client, f"/admin/contacts/contact/{donor.pk}/change/")
    assert "Say what they are to be thanked for." in press(client, f"{QUEUE}ask/{donor.pk}/", why=" ")


def test_T2_words_of_notes_refuse_unknown_fields_and_show_an_example(
    tenant: Tenant, client: Client, donor: Contact
) -> None:
    templates = "/admin/tasks_app/notetemplate/"
    with in_tenant(tenant):
        record_gift(donor, 40, DAY)
    example = text(client, f"{templates}example/", subject="Dear {{ first_name }}", body="{{ amount }} of {{total}}")
    assert "For Ana Ruiz, who gave last: Dear Ana $40.00 of $40.00" in example
    assert "There is no field “nickname”. There is: {{ first_name }}" in text(
        client, f"{templates}example/", subject="{{ nickname }}", body=""
    )
    form = {"name": "Warm", "subject": "Hi", "body": "{{ amonut }}", "delay_hours": "0"}
    assert "There is no field “amonut”" in unescape(client.post(f"{templates}add/", form).content.decode())
    assert client.post(f"{templates}add/", form | {"body": "{{ amount }}"}).status_code == 302
    with in_tenant(tenant):
        assert NoteTemplate.objects.get(name="Warm").body == "{{ amount }}"


def test_T1_thank_yous_are_exported_as_the_queue_shows_them(
    tenant: Tenant, client: Client, thank_you: ThankYou
) -> None:
    form = {"what": "thank_yous", "query": "whose=team", "form": "csv", "column": ["Why", "State", "Donor"]}
    answer = client.post("/admin/contacts/export/new/", form)
    rows = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert rows == [
        '"Why","State","Donor","Do Not Contact","Opted out themselves"',
        '"Ana made a $100.00 donation.","To do","Ana Ruiz","",""',
    ]
    with in_tenant(tenant):
        assert Export.objects.count() == 1


@pytest.mark.parametrize("address", [QUEUE, "/admin/", "{one}", "{donor}"])
def test_T1_pages_take_as_many_queries_for_many_rows_as_for_few(tenant: Tenant, client: Client, address: str) -> None:
    counts = []
    with in_tenant(tenant):
        first = ContactFactory()
    for size in (2, 30):
        with in_tenant(tenant):
            donors = [first, *(ContactFactory() for _ in range(size))]
            record_gifts(Gift(contact=one, amount=5, received_on=DAY) for one in donors for _ in range(2))
            pk = ThankYou.objects.get(contact=first).pk
        where = address.format(one=f"{QUEUE}{pk}/change/", donor=f"/admin/contacts/contact/{first.pk}/change/")
        client.get(where)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(where).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_T1_a_neighbour_finds_nothing_and_a_viewer_changes_nothing(
    tenant: Tenant, neighbour: Tenant, thank_you: ThankYou
) -> None:
    other, viewer = logged_in(neighbour), logged_in(tenant, Role.VIEWER)
    assert "Ana" not in text(other, QUEUE, whose="everything")
    for word in ("claim", "dismiss", "thanked", "hand-over", "snooze", "reopen", "judged"):
        assert other.post(f"{QUEUE}{thank_you.pk}/{word}/").status_code == 404
        assert viewer.post(f"{QUEUE}{thank_you.pk}/{word}/").status_code == 403
    assert other.get(f"{QUEUE}{thank_you.pk}/change/").status_code == 404
    assert other.post(f"{QUEUE}ask/{thank_you.contact_id}/", {"why": "x"}).status_code == 404
    assert "I do this one" not in text(viewer, f"{QUEUE}{thank_you.pk}/change/")
    with in_tenant(tenant):
        assert only().is_open


@pytest.mark.once
def test_T1_the_whole_queue_is_read_in_its_order_by_an_index(client: Client, in_tenant: Tenant, donor: Contact) -> None:
    record_gift(donor, 5, DAY)
    with CaptureQueriesContext(connection) as seen:
        assert client.get("/admin/tasks_app/thankyou/?whose=everything").status_code == 200
    (sql,) = [each["sql"] for each in seen.captured_queries if 'ORDER BY "tasks_app_thankyou"."due_on"' in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        plan = str(cursor.fetchall())
    assert "thank_you_all_by_due" in plan and "TEMP B-TREE" not in plan
