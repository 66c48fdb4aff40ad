"""Daily counts and their charts: what a day's count is, in the organization's time zone, and that none is lost."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import charts, figures, jobs
from contacts.models import ConsentEvent, Contact, ContactList, DailyCount, HistoryEntry, ListMembership
from contacts.models.figure import EVERYBODY
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import TenantQuerySet, in_tenant
from tests.contacts.import_desk import imported, taken_back
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
DAY = timedelta(days=1)
NOON = datetime(2026, 6, 15, 16, tzinfo=UTC)  # noon in New York
TODAY, YESTERDAY = date(2026, 6, 15), date(2026, 6, 14)


def at(day: date, hour: int, tenant: Tenant, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=tenant.tz)


def came(moment: datetime, **values: Any) -> Contact:
    return ContactFactory(created_at=moment, **values)


def count_all(tenant: Tenant, now: datetime = NOON) -> int:
    """Count until nothing is missing; how many turns it took."""
    turns = 1
    while figures.count_next(tenant, now):
        turns += 1
    return turns


def counts(day: date, uid: Any = EVERYBODY) -> dict[str, int]:
    return dict(DailyCount.objects.filter(day=day, list_uid=uid).values_list("what", "count"))


# --- a day ---


def test_a_day_ends_at_midnight_in_the_organizations_time_zone(tenant: Tenant) -> None:
    came(at(YESTERDAY, 23, tenant, 59))  # of the 15th in UTC
    came(at(TODAY, 0, tenant, 1))
    came(at(YESTERDAY - DAY, 12, tenant))
    count_all(tenant)
    assert counts(YESTERDAY)["members"] == 2
    assert counts(YESTERDAY - DAY)["members"] == 1
    assert not DailyCount.objects.filter(day__gte=TODAY).exists(), "today is not over"


@pytest.mark.parametrize(
    ("zone", "last"), [("Pacific/Kiritimati", date(2026, 6, 15)), ("Pacific/Pago_Pago", date(2026, 6, 14))]
)
def test_the_day_just_ended_is_another_in_another_zone(tenant: Tenant, zone: str, last: date) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(time_zone=zone)
    tenant.refresh_from_db()
    count_all(tenant)
    assert DailyCount.objects.latest("day").day == last


def test_days_of_23_and_25_hours_are_days(tenant: Tenant) -> None:
    short = date(2026, 3, 8)
    came(at(short, 0, tenant))
    came(at(short, 23, tenant, 59))
    came(at(short + DAY, 0, tenant))
    count_all(tenant, at(short + 2 * DAY, 12, tenant))
    assert (counts(short)["members"], counts(short + DAY)["members"]) == (2, 3)


def test_L6_reachable_is_who_has_a_good_address_and_is_not_marked(tenant: Tenant) -> None:
    before = at(YESTERDAY, 9, tenant)
    news = ContactListFactory(created_at=before)
    for values in ({}, {"email": ""}, {"email_state": "bounced"}, {"email_state": "invalid"}):
        contact = came(before, **values)
        ListMembership.objects.create(contact_list=news, contact=contact, joined_at=before)
    count_all(tenant)
    assert counts(YESTERDAY) == counts(YESTERDAY, news.uid) == {"members": 4, "reachable": 1, "dnc": 0}


def test_L7_do_not_contact_on_one_list_counts_there_from_the_day_it_was_set(tenant: Tenant) -> None:
    before = at(YESTERDAY - 3 * DAY, 9, tenant)
    news, other = ContactListFactory(created_at=before), ContactListFactory(created_at=before)
    contact = came(before)
    for one in (news, other):
        ListMembership.objects.create(contact_list=one, contact=contact, joined_at=before)
    silenced(contact, at(YESTERDAY, 8, tenant), news)
    count_all(tenant)
    assert counts(YESTERDAY, news.uid) == {"members": 1, "reachable": 0, "dnc": 1, "opt_outs": 1}
    assert counts(YESTERDAY - DAY, news.uid) == {"members": 1, "reachable": 1, "dnc": 0}
    assert counts(YESTERDAY, other.uid) == {"members": 1, "reachable": 1, "dnc": 0}


def test_do_not_contact_set_today_did_not_hold_yesterday(tenant: Tenant) -> None:
    contact = came(at(YESTERDAY - 3 * DAY, 9, tenant))
    silenced(contact, at(YESTERDAY, 8, tenant))
    other = came(at(YESTERDAY - 3 * DAY, 9, tenant))
    silenced(other, at(TODAY, 8, tenant))
    count_all(tenant)
    assert counts(YESTERDAY) == {"members": 2, "reachable": 1, "dnc": 1, "opt_outs": 1}
    assert counts(YESTERDAY - DAY) == {"members": 2, "reachable": 2, "dnc": 0}


def silenced(contact: Contact, moment: datetime, on: ContactList | None = None) -> None:
    """Do Not Contact, everywhere or on one list, as it was set then."""
    rows: Any = ListMembership.objects.filter(contact_list=on) if on else Contact.objects.filter(pk=contact.pk)
    TenantQuerySet.update(rows, do_not_contact=True)
    more = {"list_uid": on.uid, "list_name": on.name} if on else {}
    event(moment, "dnc_set", contact, **more)


def test_who_has_gone_since_is_counted_for_the_days_when_they_were_here(tenant: Tenant) -> None:
    now = timezone.now()
    gone = came(now - 3 * DAY)
    stays = came(now - 3 * DAY)
    backdated(gone, now - 3 * DAY)
    backdated(stays, now - 3 * DAY)
    gone.delete()
    count_all(tenant, now)
    assert counts(figures.today_of(tenant, now) - DAY)["members"] == 2
    came_and_went = came(now)
    came_and_went.delete()
    DailyCount.objects.all().delete()
    count_all(tenant, now)
    assert counts(figures.today_of(tenant, now) - DAY)["members"] == 2


def backdated(contact: Contact, moment: datetime) -> None:
    """Its history says when it was added."""
    HistoryEntry.objects.filter(contact_uid=contact.uid).update(at=moment)


def test_who_left_a_list_was_on_it_before(tenant: Tenant) -> None:
    now = timezone.now()
    news = ContactListFactory(created_at=now - 9 * DAY)
    rows = [ListMembershipFactory(contact_list=news, joined_at=now - 9 * DAY) for _ in range(3)]
    for row in rows:
        TenantQuerySet.update(Contact.objects.filter(pk=row.contact_id), created_at=now - 9 * DAY)
        backdated(row.contact, now - 9 * DAY)
    rows[0].delete()
    count_all(tenant, now)
    yesterday = figures.today_of(tenant, now) - DAY
    assert counts(yesterday, news.uid)["members"] == 3
    assert figures.contacts_now().members == 3


# --- opting in and out ---


def event(moment: datetime, kind: str, contact: Contact, **more: Any) -> None:
    ConsentEvent.objects.create(
        at=moment, kind=kind, by="person", actor_label="The person", source="Mailchimp", contact_uid=contact.uid,
        contact_name=str(contact), **more,
    )  # fmt: skip


def test_L35_one_person_who_opted_out_is_counted_once_a_day(tenant: Tenant) -> None:
    news, ana, ben = ContactListFactory(), ContactFactory(), ContactFactory()
    event(at(YESTERDAY, 23, tenant), "opt_out", ana, place="mailchimp audience:a")
    event(at(YESTERDAY, 23, tenant), "dnc_set", ana, list_uid=news.uid, list_name="News")
    event(at(YESTERDAY, 1, tenant), "opt_in", ben)
    event(at(TODAY, 1, tenant), "opt_out", ben)
    count_all(tenant)
    assert counts(YESTERDAY)["opt_outs"] == 1 and counts(YESTERDAY)["opt_ins"] == 1
    assert counts(YESTERDAY, news.uid)["opt_outs"] == 1
    known = figures.decided(tenant, YESTERDAY, NOON)
    assert known["opt_outs"] == {YESTERDAY: 1, TODAY: 1}, "today comes from the ledger itself"


# --- the night ---


def test_counting_twice_is_once_and_a_count_is_never_changed(tenant: Tenant) -> None:
    came(at(YESTERDAY, 9, tenant))
    count_all(tenant)
    before = list(DailyCount.objects.order_by("pk").values())
    came(at(YESTERDAY, 9, tenant))
    count_all(tenant)
    assert list(DailyCount.objects.order_by("pk").values()) == before
    DailyCount.objects.bulk_create(figures.counts(YESTERDAY, YESTERDAY, tenant.tz), ignore_conflicts=True)
    assert list(DailyCount.objects.order_by("pk").values()) == before


def test_a_missed_night_is_made_up(tenant: Tenant) -> None:
    came(at(YESTERDAY - 9 * DAY, 9, tenant))
    count_all(tenant, NOON - 5 * DAY)
    came(at(YESTERDAY - 2 * DAY, 9, tenant))
    count_all(tenant, NOON)
    assert [counts(YESTERDAY - i * DAY)["members"] for i in range(5)] == [2, 2, 2, 1, 1]
    days = DailyCount.objects.filter(list_uid=EVERYBODY, what="members").values_list("day", flat=True)
    assert len(days) == len(set(days)) == 10


def test_the_past_is_filled_in_once_in_pieces_and_no_further_than_the_charts_reach(tenant: Tenant) -> None:
    came(at(TODAY - 3000 * DAY, 9, tenant))
    came(at(TODAY - 100 * DAY, 9, tenant))
    assert count_all(tenant) == 4, "a year in pieces of three months"
    days = sorted(DailyCount.objects.filter(list_uid=EVERYBODY, what="members").values_list("day", flat=True))
    assert days == [TODAY - i * DAY for i in range(figures.PAST, 0, -1)]
    assert counts(TODAY - 101 * DAY)["members"] == 1 and counts(TODAY - 100 * DAY)["members"] == 2
    with CaptureQueriesContext(connection) as queries:
        assert not figures.count_next(tenant, NOON)
    assert len(queries) == 2, "nothing is missing, so nothing is read"


def test_the_job_goes_on_by_itself_until_nothing_is_missing(tenant: Tenant, monkeypatch: Any) -> None:
    came(timezone.now() - 300 * DAY)
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(jobs, "soon", lambda *call: rung.append(call))
    jobs.count_days(tenant.pk)
    assert rung == [("count_days", tenant.pk)]
    for _ in range(9):
        jobs.count_days(tenant.pk)
    assert 1 < len(rung) < 9, "it stops ringing"
    assert DailyCount.objects.filter(list_uid=EVERYBODY, what="members").count() in (299, 300, 301)


def test_a_renamed_list_keeps_its_line_and_a_deleted_one_ends(tenant: Tenant) -> None:
    news = ContactListFactory(name="News", created_at=NOON - 9 * DAY)
    came(NOON - 9 * DAY)
    count_all(tenant, NOON - 2 * DAY)
    news.name = "Monthly news"
    news.save()
    count_all(tenant, NOON - DAY)
    kept = DailyCount.objects.filter(list_uid=news.uid, what="members")
    assert kept.count() == 8
    news.delete()
    count_all(tenant, NOON)
    assert kept.count() == 8


def test_every_organization_counts_its_own(tenant: Tenant, neighbour: Tenant) -> None:
    ContactFactory(tenant=neighbour, created_at=NOON - 3 * DAY)
    ListMembershipFactory(contact_list=ContactListFactory(tenant=neighbour))
    count_all(tenant)
    assert counts(YESTERDAY) == {"members": 0, "reachable": 0, "dnc": 0}
    with in_tenant(neighbour):
        assert not DailyCount.objects.exists()


def test_more_contacts_and_lists_take_no_more_queries(tenant: Tenant) -> None:
    def grow(lists: int, people: int) -> None:
        for _ in range(lists):
            news = ContactListFactory(created_at=NOON - 2 * DAY)
            for _ in range(people):
                ListMembershipFactory(contact_list=news, joined_at=NOON - 2 * DAY)

    def reads() -> int:
        with CaptureQueriesContext(connection) as queries:
            figures.counts(YESTERDAY, YESTERDAY, tenant.tz)
        return len(queries)

    grow(1, 1)
    few = reads()
    grow(12, 4)
    assert reads() == few <= 7


# --- charts ---


@pytest.fixture
def counted(tenant: Tenant) -> Iterator[ContactList]:
    """A list that grew by one a week."""
    now = timezone.now()
    news = ContactListFactory(name="News", created_at=now - 60 * DAY)
    for week in range(8):
        contact = came(now - week * 7 * DAY)
        backdated(contact, now - week * 7 * DAY)
        ListMembership.objects.create(contact_list=news, contact=contact, joined_at=now - week * 7 * DAY)
    count_all(tenant, now)
    yield news


def test_a_chart_ends_with_now_and_its_table_and_sentence_say_the_same(tenant: Tenant, counted: ContactList) -> None:
    now = timezone.now()
    chart = charts.growth(tenant, now, "90", 8, 7, uid=counted.uid, who=("member", "members"))
    members, reachable = chart.series
    assert chart.labels[-1] == "Today" and (members.values[-1], reachable.values[-1]) == (8, 7)
    assert chart.rows[0] == ("Today", [8, 7])
    assert [row[1][0] for row in chart.rows][::-1] == list(members.values)
    assert chart.sentence.startswith("8 members today, 7 more than on ")
    assert chart.sentence.endswith("7 may be written to.")
    year = charts.growth(tenant, now, "year", 8, 7)
    assert len(year.labels) < 12, "a point a week"


def test_the_pages_draw_the_charts_from_the_canvas_with_a_table_beside(client: Client, counted: ContactList) -> None:
    for path in ("/admin/", f"/admin/contacts/contactlist/{counted.pk}/change/"):
        html = client.get(path, {"span": "90"}).content.decode()
        main = html[html.index('id="main"') :]
        assert '<canvas class="chart" role="img"' in main and "data-value=" in main
        assert "Show as a table" in main and '<th scope="row">Today</th><td>8</td>' in main
        assert "aria-current" in main[main.index("12 months") : main.index("90 days")], "90 days is marked as shown"


def test_before_the_first_night_the_chart_says_when_it_begins(client: Client) -> None:
    ContactFactory()
    assert "The chart begins tomorrow" in client.get("/admin/").content.decode()
    page = client.get(f"/admin/contacts/contactlist/{ContactListFactory().pk}/change/").content.decode()
    assert "The chart begins tomorrow" in page


def test_a_neighbours_growth_is_on_no_page(neighbour: Tenant, counted: ContactList) -> None:
    with in_tenant(neighbour):
        ContactFactory()
    html = logged_in(neighbour, Role.OWNER).get("/admin/").content.decode()
    assert "The chart begins tomorrow" in html and "News" not in html


def test_consent_is_drawn_by_weeks_and_the_sum_of_the_table_is_in_the_sentence(tenant: Tenant) -> None:
    now = timezone.now()
    with acting(By.STAFF, "Almoner"):
        for days in (0, 1, 8, 30):
            event(now - days * DAY, "opt_out", ContactFactory())
        event(now - 400 * DAY, "opt_out", ContactFactory())
    event(now - 8 * DAY, "opt_in", ContactFactory())
    came(now - 60 * DAY)
    count_all(tenant, now)
    Contact.objects.first().delete()  # what happened stays in the weeks, and the words say so
    chart = charts.consent(tenant, now, "90", figures.contacts_now().silent)
    assert [sum(one.values) for one in chart.series] == [1, 4]
    assert chart.sentence == (
        "In the last 90 days 1 person opted in and 4 people opted out, counting those deleted since. "
        "Today 0 contacts are marked Do Not Contact."
    )
    assert len(chart.labels) == 13


def test_an_import_that_was_taken_back_has_opted_nobody_in_or_out(tenant: Tenant) -> None:
    ContactFactory(email="ben@x.test")
    done = imported("First,Email,DNC\nAna,ana@x.test,yes\nBen,ben@x.test,yes\n")
    with acting(By.STAFF, "Almoner"):
        event(timezone.now(), "opt_out", ContactFactory())
    today = figures.today_of(tenant, timezone.now())
    DailyCount.objects.bulk_create(figures.counts(today, today, tenant.tz))
    assert counts(today)["opt_outs"] == 3
    taken_back(done)
    assert (counts(today)["opt_outs"], counts(today).get("opt_ins", 0)) == (1, 0)
