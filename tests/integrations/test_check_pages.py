"""The pages of a check: who may press, what they show, how rows are chosen, and what they cost (L31, L33)."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts import services
from contacts.models import Contact, ContactList
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection, ListCheck, RunItem, SyncRun
from integrations.sync import runs
from tests.integrations.checks import Kind, Mischief, check, crowd, mail, repair
from tests.integrations.constant_contact import ConstantContactWorld
from tests.integrations.desk import SETUP, Desk, desk, said
from tests.integrations.engine import World

# The walk of tests/tenancy opens these pages on PostgreSQL, too.
pytestmark = pytest.mark.once

CHECK, RUNS = "/admin/integrations/setup/mailchimp/check/", "/admin/integrations/syncs/"


def page_of(run: SyncRun, part: str = "run") -> str:
    return reverse(f"integrations:{part}", args=[run.uid])


def meddled(world: World, tenant: Any, user: Any, size: int = 4, wrong: int = 2, strangers: int = 1) -> SyncRun:
    """A check that found `wrong` names and some strangers."""
    with in_tenant(tenant):
        news = world.a_list()
        crowd(world, size, news)
        mischief = Mischief(world)
        for n in range(wrong):
            mischief.rename(mail(n), news)
        for n in range(strangers):
            mischief.add(f"vera{n}@oldtown.test", news, merge_fields={"FNAME": "Vera", "LNAME": f"Visitor{n}"})
        return check(world, user)


@pytest.fixture
def constant_contact_world(tenant: Any, constant_contact: Any, quick_activities: None) -> World:
    with in_tenant(tenant):
        return ConstantContactWorld(tenant, constant_contact)


@pytest.mark.parametrize("service", ["world", "constant_contact_world"])
def test_L27_L31_what_was_heard_of_an_opt_out_is_done_and_has_no_Retry(
    request: Any, service: str, owner: Desk, tenant: Any
) -> None:
    world = request.getfixturevalue(service)
    with in_tenant(tenant):
        news = world.a_list()
        people = crowd(world, 3, news)
        world.act("person", "unsubscribe", email=mail(1))
        Mischief(world).rename(mail(2), news)
        run = repair(world, check(world, owner.user))
        heard, record = run.items.get(verb="heard"), world.record(people[1])
        assert (record.state, record.reason_code) == ("skipped", "opted_out")
    page = owner.get(page_of(run)).content.decode()
    assert "Unsubscribed there: Do Not Contact set on" in page and heard.label in page
    assert "set-aside/retry/" not in page
    calls = len(world.calls())
    answer = owner.post("/admin/integrations/set-aside/retry/", {"record": record.pk}, follow=True)
    assert "nothing to send again" in said(answer)  # from a page of before
    with in_tenant(tenant):
        assert world.record(people[1]).due_at is None
        world.push()
    assert len(world.calls()) == calls


def test_L31_who_is_only_counted_by_night_is_named_when_somebody_presses_Check(
    world: World, owner: Desk, tenant: Any
) -> None:
    with in_tenant(tenant):
        news = world.a_list()
        crowd(world, 3, news)
        Mischief(world).remove(mail(1), news)
        first, second = check(world), check(world)
    assert "P1 Ruiz" in owner.text(page_of(first))
    words = owner.text(page_of(second))
    assert "66.6 % in step" in words and "P1 Ruiz" not in words
    assert "1 person is still missing, as an earlier check has told: somebody removed them there." in words
    assert "Still missing: 1 person whom somebody removed there before." in owner.text(RUNS)
    with in_tenant(tenant):
        by_hand = check(world, owner.user)
    assert "or took them off all your lists there" in owner.text(page_of(by_hand))


def test_L31_L32_what_is_held_is_counted_by_night_with_the_way_to_it(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        news = world.a_list()
        crowd(world, 30, news)
        services.take_off_list(news, Contact.objects.all())
        world.push()
        run = check(world)
    words = owner.text(page_of(run))
    assert "30 differences are not listed: those changes are held , because they were taken back or left as" in words
    assert "kind=held&amp;service=mailchimp" in owner.get(page_of(run)).content.decode()


def test_L31_pressing_Check_reads_and_shows_and_sends_nothing(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        news = world.a_list()
        crowd(world, 3, news)
        Mischief(world).rename(mail(1), news)
    since = len(world.calls())
    assert "Check" in owner.text(SETUP)
    first, second = owner.post(CHECK), owner.post(CHECK)
    assert first.url == second.url  # type: ignore[attr-defined]
    words = owner.text(first.url)  # type: ignore[attr-defined]
    assert "Reading who is at Mailchimp" in words and "Nothing is sent to Mailchimp meanwhile" in words
    with in_tenant(tenant):
        world.push()
        run = SyncRun.objects.get(kind="check")
    words = owner.text(page_of(run))
    assert "66.6 % in step" in words and "people read at Mailchimp" in words
    assert "Differs" in words and "First name Somebody → P1" in words
    assert "Nothing has been sent" in words
    assert world.writes(since) == []
    for path in (SETUP, "/admin/"):
        assert "66.6 %" in owner.text(path), path
    assert "1 difference was found at Mailchimp by the last check" in owner.text("/admin/")
    with in_tenant(tenant):
        page = reverse("admin:contacts_contactlist_change", args=[news.pk])
    assert "66.6 % in step, 1 not as here" in owner.text(page)
    assert "66.6 % in step. 1 row found: 1 × differs." in owner.text(RUNS)


def test_L31_rows_are_chosen_by_ticks_by_kind_or_all_together(world: World, owner: Desk, tenant: Any) -> None:
    run = meddled(world, tenant, owner.user, wrong=3, strangers=2)
    assert "Nothing was chosen" in said(owner.post(page_of(run, "repair"), follow=True))
    with in_tenant(tenant):
        assert SyncRun.objects.get(pk=run.pk).state == "ready"
        chosen = run.items.get(address=mail(1))
        vera = run.items.get(address="vera0@oldtown.test")
    owner.post(page_of(run, "repair"), {"item": [chosen.pk, vera.pk, "rubbish"]})
    with in_tenant(tenant):
        world.push()
        assert [world.name_there(mail(n))[0] for n in range(3)] == ["Somebody", "P1", "Somebody"]
        assert Contact.objects.filter(last_name="Visitor0").exists()
        assert not Contact.objects.filter(last_name="Visitor1").exists()
    words = owner.text(page_of(run))
    assert "Repaired" in words and "Kept in step from now on." in words and "Not chosen." in words
    assert "Yours was sent." in words and "Done 2" in words
    assert "Nothing was chosen" in said(owner.post(page_of(run, "repair"), {"all": "repairs"}, follow=True))


@pytest.mark.parametrize(("every", "names", "adopted"), [("repairs", "P0", False), ("not_ours", "Somebody", True)])
def test_L31_repairing_everything_adopts_nobody_and_the_other_way_round(
    world: World, owner: Desk, tenant: Any, every: str, names: str, adopted: bool
) -> None:
    run = meddled(world, tenant, owner.user)
    assert "Repair all 2 differences" in owner.text(page_of(run))
    assert "Adopt all 1 of this kind" in owner.text(page_of(run) + "?difference=not_ours")
    owner.post(page_of(run, "repair"), {"all": every})
    with in_tenant(tenant):
        world.push()
        assert world.name_there(mail(0))[0] == names
        assert Contact.objects.filter(last_name="Visitor0").exists() == adopted


def test_L34_a_contacts_page_says_what_the_check_found_and_leads_there(world: World, owner: Desk, tenant: Any) -> None:
    run = meddled(world, tenant, owner.user)
    with in_tenant(tenant):
        one, other = (Contact.objects.get(first_name=name) for name in ("P0", "P3"))
        pages = [reverse("admin:contacts_contact_change", args=[row.pk]) for row in (one, other)]
    words, html = owner.text(pages[0]), owner.get(pages[0]).content.decode()
    assert "Differs" in words and "The name or the email address at Mailchimp is another one." in words
    assert page_of(run) in html and page_of(run) not in owner.get(pages[1]).content.decode()
    owner.post(page_of(run, "repair"), {"all": "repairs"})
    with in_tenant(tenant):
        world.push()
    assert "See what the check found" not in owner.text(pages[0])


def test_L33_what_adopting_means_is_said_where_somebody_looks_at_it(world: World, owner: Desk, tenant: Any) -> None:
    run = meddled(world, tenant, owner.user)
    words = owner.text(page_of(run) + "?difference=not_ours")
    assert "Almoner leaves them alone" in words and "Nobody who unsubscribed is adopted" in words
    assert "Vera Visitor0" in words and "P0 Ruiz" not in words
    assert "P0 Ruiz" in owner.text(page_of(run) + "?difference=differs")
    assert "Vera Visitor0" in owner.text(page_of(run) + "?q=vera0")


@pytest.mark.parametrize("role", ["viewer", "staff"])
def test_those_who_may_only_look_see_what_was_found_and_press_nothing(world: World, tenant: Any, role: str) -> None:
    looker = desk(tenant, role)
    run = meddled(world, tenant, looker.user)
    words = looker.text(page_of(run))
    assert "Differs" in words and "An owner or manager does this." in words
    main = looker.get(page_of(run)).content.decode()
    main = main[main.index('id="main"') :]
    assert not any(part in main for part in ("/repair/", "/cancel/", "/check/", 'type="checkbox"'))
    assert looker.post(page_of(run, "repair"), {"all": "repairs"}).status_code == 403
    assert looker.post(CHECK).status_code == 403
    assert CHECK not in looker.get(SETUP).content.decode()
    with in_tenant(tenant):
        assert SyncRun.objects.get(pk=run.pk).state == "ready"


def test_T1_the_neighbour_neither_sees_nor_repairs(world: World, owner: Desk, tenant: Any, neighbour: Any) -> None:
    run = meddled(world, tenant, owner.user)
    next_door = desk(neighbour)
    with in_tenant(tenant):
        item = run.items.first()
    assert item is not None
    assert next_door.get(page_of(run)).status_code == 404
    assert next_door.post(page_of(run, "repair"), {"item": item.pk}).status_code == 404
    assert next_door.post(page_of(run, "use_list"), {"item": item.pk, "use": "yes"}).status_code == 404
    assert next_door.post(CHECK).status_code == 404, "not connected there"
    for path in (SETUP, RUNS, "/admin/"):
        assert "66.6 %" not in next_door.text(path) and "50.0 %" not in next_door.text(path)


def test_a_check_needs_a_first_sync_and_does_not_cut_into_another_run(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        Connection.objects.update(state="ready")
    assert "make its first Sync before" in said(owner.post(CHECK, follow=True))
    with in_tenant(tenant):
        Connection.objects.update(state="active")
        sync = runs.start(world.connection, None)
    response = owner.post(CHECK, follow=True)
    assert "Something else is going on" in said(response)
    with in_tenant(tenant):
        assert SyncRun.objects.get().pk == sync.pk


def test_a_sync_takes_the_place_of_what_a_check_found_and_nobody_chose(world: World, owner: Desk, tenant: Any) -> None:
    run = meddled(world, tenant, owner.user)
    words = owner.text(SETUP)
    assert "Look at the differences" in words and "Sync" in words
    owner.post("/admin/integrations/setup/mailchimp/sync/")
    with in_tenant(tenant):
        run.refresh_from_db()
        assert run.state == "cancelled"
    assert "Replaced by a newer preview." in owner.text(page_of(run))


def test_a_check_that_found_nothing_says_so(world: World, owner: Desk, tenant: Any) -> None:
    run = meddled(world, tenant, owner.user, wrong=0, strangers=0)
    words = owner.text(page_of(run))
    assert "100 % in step: everybody is at Mailchimp as they are here." in words and "Checked" in words
    assert "What was found" not in words
    assert "difference" not in owner.text("/admin/")


def test_L31_the_report_as_a_file_names_the_class(world: World, owner: Desk, tenant: Any) -> None:
    run = meddled(world, tenant, owner.user)
    answer = owner.post(page_of(run, "report") + "?difference=differs")
    rows = list(csv.DictReader(StringIO(b"".join(answer).decode("utf-8-sig"))))  # type: ignore[arg-type]
    assert [row["Difference"] for row in rows] == ["Differs", "Differs"]
    assert "Somebody → P" in rows[0]["Changes"]


def test_L33_the_preview_of_a_sync_offers_the_list_that_is_there(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        Connection.objects.update(state="ready")
        world.stranger("vera@oldtown.test", "Newsletter")
        world.person("ana@rivermail.test", world.a_list())
        run = world.preview()
        item = run.items.get(kind="list")
    words = owner.text(page_of(run))
    assert "“Newsletter” with 1 person on it is at Mailchimp already" in words and "Use the list that is there" in words
    assert desk(tenant, "staff").post(page_of(run, "use_list"), {"item": item.pk, "use": "yes"}).status_code == 403
    response = owner.post(page_of(run, "use_list"), {"item": item.pk, "use": "yes"}, follow=True)
    assert "When you confirm, the list “Newsletter” that is at Mailchimp is used." in said(response)
    words = owner.text(page_of(run))
    assert "1 list will be taken over" in words and "Make a new one instead" in words
    owner.post(page_of(run, "confirm"))
    with in_tenant(tenant):
        world.push()
        assert world.standing("ana@rivermail.test") == ("subscribed", ["Newsletter"])
    assert "confirmed or replaced already" in said(
        owner.post(page_of(run, "use_list"), {"item": item.pk, "use": "no"}, follow=True)
    )


def test_L33_a_refused_name_is_mended_by_the_list_that_is_there(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        world.stranger("vera@oldtown.test", "Newsletter")
        news = world.a_list()
        world.push()
        record = world.record(news)
        page = reverse("admin:contacts_contactlist_change", args=[news.pk])
    assert record.reason_code == "name_taken"
    for path in (page, "/admin/integrations/set-aside/"):
        assert "Use the list that is there" in owner.text(path), path
    owner.post("/admin/integrations/set-aside/retry/", {"record": record.pk})
    with in_tenant(tenant):
        world.push()
        assert world.record(news).state == "ok"
    assert "There as “Newsletter”" in owner.text(page)


def queries_of(client: Desk, path: str) -> int:
    """How many a page takes, once it is warm."""
    client.get(path)
    with CaptureQueriesContext(database) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def more_rows(run: SyncRun, count: int) -> None:
    """As if so many more had been found, on more lists."""
    one = run.items.exclude(difference=Kind.NOT_OURS).first()
    assert one is not None
    records = run.connection.records.filter(kind="contact")
    RunItem.objects.bulk_create(
        RunItem(run=run, kind="contact", subject_uid=record.subject_uid, record=record, label=f"More {record.pk}",
                verb="update", difference=Kind.DIFFERS, operations=one.operations)
        for record in records.exclude(pk__in=run.items.exclude(record=None).values("record"))[:count]
    )  # fmt: skip


def test_the_pages_take_the_same_number_of_queries_however_much_was_found(
    world: World, owner: Desk, tenant: Any
) -> None:
    run = meddled(world, tenant, owner.user, size=60, wrong=2, strangers=1)
    with in_tenant(tenant):
        news = ContactList.objects.get()
        home = reverse("admin:contacts_contactlist_change", args=[news.pk])
    paths = [page_of(run), page_of(run) + "?difference=differs", SETUP, "/admin/", RUNS, home]
    few = [queries_of(owner, path) for path in paths]
    with in_tenant(tenant):
        more_rows(run, 48)
        for n in range(12):
            made = world.a_list(f"List {n}", synchronize=False)
            ListCheck.objects.create(
                connection=world.connection, list_uid=made.uid, run=run, at=run.created_at, members=5, in_step=4
            )
    assert [queries_of(owner, path) for path in paths] == few
