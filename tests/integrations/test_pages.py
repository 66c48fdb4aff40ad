"""The pages of the integrations: who sees and presses what, and what they say (L5, L6, L8, L27, L30, L32, L34)."""

import csv
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact, ContactList, Export
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection, Delivery, RemoteRecord, RunItem, SyncRun
from integrations.overview import overview_of
from tests.factories import ConnectionFactory, ContactFactory, ContactListFactory, ListMembershipFactory
from tests.integrations.desk import CONNECT, SETUP, Desk, desk, plain, said
from tests.integrations.engine import World

# The walk of tests/tenancy opens these pages on PostgreSQL, too.
pytestmark = pytest.mark.once

ASIDE, RETRY, RUNS = (
    "/admin/integrations/set-aside/",
    "/admin/integrations/set-aside/retry/",
    "/admin/integrations/syncs/",
)
SYNC, BRAKE = "/admin/integrations/setup/mailchimp/sync/", "/admin/integrations/setup/mailchimp/brake/"
SENT = "/admin/integrations/delivery/"
BUTTONS = ["connect", "listen", "sync", "brake", "disconnect", "settings", "account"]


@pytest.fixture
def world(tenant: Any, sandbox: Any) -> World:
    """Connected, set up, before the first Sync; the test is outside of the organization, as a browser is."""
    with in_tenant(tenant):
        made = World(tenant, sandbox)
        Connection.objects.update(state="ready")
        return made


def page_of(run: SyncRun, part: str = "run") -> str:
    return reverse(f"integrations:{part}", args=[run.uid])


def card_page(row: Contact | ContactList) -> str:
    return reverse(f"admin:contacts_{row._meta.model_name}_change", args=[row.pk])


# --- who may ---


@pytest.mark.parametrize("role", ["viewer", "staff"])
def test_those_who_may_only_look_see_everything_and_no_button(world: World, tenant: Any, role: str) -> None:
    looker = desk(tenant, role)
    with in_tenant(tenant):
        run = world.preview()
    for path in (SETUP, ASIDE, RUNS, page_of(run)):
        html = looker.get(path).content.decode()
        main = html[html.index('id="main"') :]
        assert 'action="/admin/integrations' not in main, path
    assert "are for owners and managers" in looker.text(SETUP)


@pytest.mark.parametrize("role", ["viewer", "staff"])
@pytest.mark.parametrize("button", BUTTONS)
def test_those_who_may_only_look_are_refused_by_every_button(world: World, tenant: Any, role: str, button: str) -> None:
    with in_tenant(tenant):
        before = Connection.objects.values().get()
    assert desk(tenant, role).post(f"/admin/integrations/setup/mailchimp/{button}/").status_code == 403
    with in_tenant(tenant):
        assert Connection.objects.values().get() == before
        assert not SyncRun.objects.exists()


@pytest.mark.parametrize("part", ["confirm", "cancel"])
def test_those_who_may_only_look_neither_confirm_nor_cancel(world: World, tenant: Any, part: str) -> None:
    with in_tenant(tenant):
        run = world.preview()
    assert desk(tenant, "staff").post(page_of(run, part)).status_code == 403
    with in_tenant(tenant):
        assert SyncRun.objects.get().state == "ready"


def test_a_manager_may_press(world: World, tenant: Any) -> None:
    assert desk(tenant, "manager").post(SYNC).status_code == 302
    with in_tenant(tenant):
        assert SyncRun.objects.get().state == "planning"


@pytest.mark.parametrize("button", ["connect", "listen", "sync", "brake"])
def test_a_button_is_a_post_with_a_token_and_a_link_presses_nothing(
    world: World, owner: Desk, tenant: Any, button: str
) -> None:
    path = f"/admin/integrations/setup/mailchimp/{button}/"
    assert owner.get(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner.user)
    assert strict.post(path).status_code == 403
    with in_tenant(tenant):
        assert not SyncRun.objects.exists()


def test_strangers_are_sent_to_the_log_in_and_a_part_of_a_page_reloads_the_whole(world: World, tenant: Any) -> None:
    with in_tenant(tenant):
        run = world.preview()
    for path in (SETUP, ASIDE, RUNS, page_of(run)):
        assert Client().get(path).url.startswith("/admin/login/?next=")  # type: ignore[attr-defined]
    assert Client().post(page_of(run, "report")).url.startswith("/admin/login/?next=")  # type: ignore[attr-defined]
    part = Client().get(page_of(run, "progress"), headers={"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true"


def test_whatever_belongs_to_the_neighbour_is_404(world: World, tenant: Any, neighbour: Any) -> None:
    with in_tenant(tenant):
        contact = world.person("ana@rivermail.test", world.a_list())
        run = world.preview()
        record = world.record(contact)
    next_door = desk(neighbour)
    for part in ("run", "progress"):
        assert next_door.get(page_of(run, part)).status_code == 404
    for part in ("confirm", "cancel", "report"):
        assert next_door.post(page_of(run, part)).status_code == 404
    assert next_door.post(RETRY, {"record": record.pk}).status_code == 404
    assert next_door.post(SYNC).status_code == 404, "not connected there"
    assert next_door.post(BRAKE, {"answer": "release"}).status_code == 404
    ConnectionFactory(tenant=neighbour)
    history = reverse("integrations:history", args=["mailchimp", contact.uid])
    assert next_door.get(history).status_code == 404
    assert desk(tenant).get(history).status_code == 200
    for path in (SETUP, ASIDE, RUNS, "/admin/"):
        assert "ana@rivermail.test" not in next_door.get(path).content.decode()
    with in_tenant(tenant):
        assert SyncRun.objects.get().state == "ready"


@pytest.mark.parametrize(
    "path", [SETUP.replace("setup/", "setup/nobody/sync/"), RUNS + "0b53bb8f-7f30-4d0b-a3b4-1c7e5a8d2c11/confirm/"]
)
def test_what_does_not_exist_is_404(owner: Desk, world: World, path: str) -> None:
    assert owner.post(path).status_code == 404


# --- Sync: preview, confirm, progress, report ---


def test_L5_sync_shows_a_preview_first_and_pressing_twice_is_once(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        news = world.a_list("Newsletter")
        for i in range(3):
            world.person(f"p{i}@rivermail.test", news, first_name=f"Person{i}")
        world.person("", news, first_name="Nomail")
        world.person("dnc@rivermail.test", news, first_name="Silent", do_not_contact=True)
    first, second = owner.post(SYNC), owner.post(SYNC)
    assert first.url == second.url  # type: ignore[attr-defined]
    page = owner.get(first.url)  # type: ignore[attr-defined]
    assert "Making the preview" in plain(page.content.decode())
    assert 'hx-trigger="every 1s"' in page.content.decode()
    with in_tenant(tenant):
        world.push()
        run = SyncRun.objects.get()
    assert world.writes() == [], "not a single write to the vendor"
    moved = owner.get(page_of(run, "progress"), {"was": "planning"})
    assert moved.headers["HX-Refresh"] == "true"
    words = owner.text(page_of(run))
    assert "3 people will be added." in words
    assert "1 list will be created." in words
    assert "2 are left out" in words
    assert "No email address 1" in words
    assert "Nothing has been sent yet" in words
    left_out = owner.text(page_of(run) + "?reason=no_email")
    assert "Nomail" in left_out
    assert "Person1" not in left_out
    assert "Person1" in owner.text(page_of(run) + "?q=p1@river")
    assert "Person2" not in owner.text(page_of(run) + "?q=p1@river")

    assert owner.post(page_of(run, "confirm"), follow=True).status_code == 200
    again = owner.post(page_of(run, "confirm"), follow=True)
    assert "confirmed or replaced already" in said(again)
    running = owner.get(page_of(run, "progress"), {"was": "running"}).content.decode()
    assert "0 of 4" in plain(running)
    assert "every 1s" in running
    with in_tenant(tenant):
        world.push()
        assert SyncRun.objects.count() == 1
    report = owner.text(page_of(run))
    assert "Done 4" in report
    assert "Finished" in report
    assert 'hx-trigger="every' not in owner.get(page_of(run)).content.decode()
    assert "3 people added" in owner.text(RUNS)


def test_L29_a_long_run_says_when_it_will_be_done_and_what_was_refused_so_far(
    world: World, owner: Desk, tenant: Any
) -> None:
    with in_tenant(tenant):
        begun = timezone.now() - timedelta(minutes=10)
        run = SyncRun.objects.create(connection=world.connection, state="running", confirmed_at=begun)
        states = ["done"] * 20 + ["refused"] * 5 + ["shown"] * 75
        RunItem.objects.bulk_create(
            RunItem(run=run, kind="contact", subject_uid=uuid.uuid4(), label=f"P{i}", verb="create", state=state)
            for i, state in enumerate(states)
        )
    words = plain(owner.get(page_of(run, "progress"), {"was": "running"}).content.decode())
    assert "25 of 100 done, 5 refused so far; about 30 minutes to go" in words
    with in_tenant(tenant):
        Connection.objects.update(state="reconnect")
    assert "has to be reconnected first" in owner.text(page_of(run, "progress") + "?was=running")


def test_L5_cancelling_a_preview_sends_nothing(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        world.person("ana@rivermail.test", world.a_list())
        run = world.preview()
    assert "Cancelled. Nothing was sent." in said(owner.post(page_of(run, "cancel"), follow=True))
    with in_tenant(tenant):
        assert SyncRun.objects.get().state == "cancelled"
    assert "Cancelled" in owner.text(page_of(run))
    assert "is over already" in said(owner.post(page_of(run, "cancel"), follow=True))


def test_L5_a_preview_says_when_it_is_old_or_something_changed_since(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        contact = world.person("ana@rivermail.test", world.a_list())
        run = world.preview()
    assert "Something was changed here since" not in owner.text(page_of(run))
    with in_tenant(tenant):
        contact.first_name = "Anabel"
        contact.save()
        SyncRun.objects.update(created_at=timezone.now() - timedelta(hours=3))
    words = owner.text(page_of(run))
    assert "This preview is about 3 hours old." in words
    assert "Something was changed here since" in words
    assert "only what is shown here and still holds is sent" in words


def test_L32_the_preview_warns_loudly_of_a_list_that_would_lose_many(world: World, owner: Desk, tenant: Any) -> None:
    emptied(world, tenant)
    with in_tenant(tenant):
        Connection.objects.update(state="ready", brake={})
        run = world.preview()
        Connection.objects.update(state="active")
    words = owner.text(page_of(run))
    assert "Many people would be taken off" in words
    assert "30 of 32 people would be taken off “Newsletter”. Up to 25 go without a question." in words


def emptied(world: World, tenant: Any) -> ContactList:
    """A synchronized list of 32, of whom 30 were taken off here."""
    with in_tenant(tenant):
        news = world.a_list("Newsletter")
        for i in range(32):
            world.person(f"p{i}@rivermail.test", news)
        world.sync()
        news.memberships.filter(pk__in=news.memberships.values("pk")[:30]).delete()
    return news


@pytest.mark.parametrize(("answer", "left"), [("release", 2), ("keep", 32)])
def test_L32_the_question_is_asked_on_setup_and_home_and_either_answer_is_obeyed(
    world: World, owner: Desk, tenant: Any, answer: str, left: int
) -> None:
    emptied(world, tenant)
    with in_tenant(tenant):
        world.push()
    question = "This would take 30 of 32 people off “Newsletter”. Nothing has been taken off yet."
    for path in (SETUP, "/admin/"):
        assert question in owner.text(path)
        assert "Take them off" in owner.text(path)
        assert "Leave them keeps them on that list at the service as they are" in owner.text(path)
        assert "Connected, waits for your answer" in owner.text(path)
        assert f"{ASIDE}?kind=held&amp;reason=brake&amp;service=mailchimp" in owner.get(path).content.decode()
        assert question in desk(tenant, "viewer").text(path)
        assert "Take them off" not in desk(tenant, "viewer").text(path)
    owner.post(BRAKE, {"answer": answer})
    with in_tenant(tenant):
        world.push()
    assert question not in owner.text(SETUP)
    for path in ("/admin/integrations/syncs/", "/admin/"):  # how the last runs are called
        assert ("Answered question" in owner.text(path)) == (answer == "release")
    there = [world.standing(f"p{i}@rivermail.test") for i in range(32)]
    assert len([one for one in there if one and one[0] == "subscribed"]) == left


def test_the_brakes_question_of_a_running_sync_is_asked_on_its_page(world: World, owner: Desk, tenant: Any) -> None:
    emptied(world, tenant)
    with in_tenant(tenant):
        Connection.objects.update(state="ready", brake={})
        run = world.preview()
    owner.post(page_of(run, "confirm"))
    with in_tenant(tenant):
        world.push()
        assert SyncRun.objects.get(pk=run.pk).state == "asking"
    assert "Stopped, and waiting for your answer" in owner.text(page_of(run))
    after = owner.post(BRAKE, {"answer": "release", "back": "run"})
    assert after.url == page_of(run)  # type: ignore[attr-defined]
    with in_tenant(tenant):
        world.push()
        assert SyncRun.objects.get(pk=run.pk).state == "done"


# --- refused, set aside, retry ---


def with_a_refusal(world: World, tenant: Any) -> tuple[SyncRun, Contact]:
    """One of two is refused: the vendor holds the address for made up."""
    with in_tenant(tenant):
        news = world.a_list()
        good = world.person("ana@rivermail.test", news, first_name="Good")
        world.person("=cmd@example.com", news, first_name="=Fake", last_name="Person")
        run = world.sync()
        assert world.record(good).state == "ok"
        return run, Contact.objects.get(first_name="=Fake")


def test_L27_a_refusal_is_on_every_page_with_the_vendors_reason_and_retry(
    world: World, owner: Desk, tenant: Any
) -> None:
    run, fake = with_a_refusal(world, tenant)
    report = owner.text(page_of(run))
    assert "1 was refused. The others went on." in report
    for words in (report, owner.text(ASIDE), owner.text(card_page(fake))):
        assert "Looks like a made-up address" in words
        assert "Retry" in words
    assert "Refused 1, see why" in owner.text(SETUP)
    assert "1 was refused by Mailchimp" in owner.text("/admin/")
    assert f'action="{RETRY}"' not in desk(tenant, "viewer").get(ASIDE).content.decode()
    with in_tenant(tenant):
        record = world.record(fake)
    answer = owner.post(RETRY, {"record": record.pk, "back": card_page(fake)}, follow=True)
    assert "1 change is being sent again" in said(answer)
    assert answer.redirect_chain[-1][0] == card_page(fake)
    with in_tenant(tenant):
        assert world.record(fake).due_at is not None
        world.push()
        assert world.record(fake).state == "set_aside", "the vendor has not changed its mind"
    assert "1 change is being sent again" in said(owner.post(RETRY, {"kind": "set_aside", "q": "fake"}, follow=True))
    with in_tenant(tenant):
        world.push()
    assert "nothing to send again" in said(owner.post(RETRY, {"kind": "set_aside", "q": "nobody"}, follow=True))


def test_retry_leads_back_to_our_own_pages_only(world: World, owner: Desk, tenant: Any) -> None:
    answer = owner.post(RETRY, {"kind": "set_aside", "back": "https://elsewhere.test/"})
    assert answer.url == ASIDE  # type: ignore[attr-defined]


def test_the_report_as_a_file_has_the_same_rows_and_runs_no_formula(world: World, owner: Desk, tenant: Any) -> None:
    run, _ = with_a_refusal(world, tenant)
    download = owner.post(page_of(run, "report"))
    assert download.streaming
    body = b"".join(download.streaming_content).decode()  # type: ignore[attr-defined]
    assert body.startswith("\ufeff")
    rows = {row["Name"]: row for row in csv.DictReader(StringIO(body[1:]))}
    assert set(rows) == {"Newsletter", "Good Ruiz", "'=Fake Person"}
    assert rows["Good Ruiz"]["Outcome"] == "Done"
    assert rows["'=Fake Person"]["Reason code"] == "fake_address"
    assert rows["'=Fake Person"]["Email address"] == "'=cmd@example.com"
    assert "press Retry" in rows["'=Fake Person"]["What can be done"]
    only = b"".join(owner.post(page_of(run, "report") + "?state=refused").streaming_content).decode()  # type: ignore[attr-defined]
    assert "Good" not in only
    assert "Fake" in only


def test_a_report_is_noted_in_the_log_of_exports_and_not_for_viewers(world: World, owner: Desk, tenant: Any) -> None:
    run, _ = with_a_refusal(world, tenant)
    viewer = desk(tenant, "viewer")
    assert viewer.post(page_of(run, "report")).status_code == 403
    assert "Download as CSV" not in viewer.text(page_of(run))
    assert owner.get(page_of(run, "report")).status_code == 405, "a link that is followed takes nothing out"
    with in_tenant(tenant):
        assert not Export.objects.exists()
    answer = owner.post(page_of(run, "report") + "?state=refused&page=1")
    with in_tenant(tenant):
        export = Export.objects.get()
        assert (export.kind, export.chosen, export.rows, export.user) == ("report", "state: refused", None, owner.user)
        assert len(list(answer.streaming_content)) == 2  # type: ignore[attr-defined]
        assert Export.objects.get().rows == 1


def test_a_long_report_is_read_in_pages_after_the_request_is_over(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        run = SyncRun.objects.create(connection=world.connection, state="done", confirmed_at=timezone.now())
        RunItem.objects.bulk_create(
            RunItem(run=run, kind="contact", subject_uid=uuid.uuid4(), label=f"P{i:05}", verb="create", state="done")
            for i in range(2_500)
        )
    body = b"".join(owner.post(page_of(run, "report")).streaming_content).decode()  # type: ignore[attr-defined]
    names = [row["Name"] for row in csv.DictReader(StringIO(body[1:]))]
    assert names == [f"P{i:05}" for i in range(2_500)]


# --- cards ---


def test_L30_the_contacts_card_tells_what_was_sent_when_why_and_with_which_answer(
    world: World, owner: Desk, tenant: Any
) -> None:
    with in_tenant(tenant):
        contact = world.person("ana@rivermail.test", world.a_list())
        world.sync()
        world.connection.refresh_from_db()
        contact.first_name = "Anabel"
        contact.save()
        world.push()
        latest = Delivery.objects.filter(subject_uid=contact.uid).latest("at")
        latest_at = timezone.localtime(latest.at, tenant.tz)
    words = owner.text(card_page(contact))
    assert "In step" in words
    assert "ana@rivermail.test: subscribed, on Newsletter" in words
    assert "What was sent (2)" in words
    assert "First name Ana → Anabel" in words
    assert "Because: Contact changed by" in words
    assert "Because: Sync" in words
    assert f"{latest_at:%H:%M:%S}" in words, "in the organization's time zone"


def test_L30_the_history_goes_on_page_by_page(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        contact = world.person("ana@rivermail.test", world.a_list())
        Delivery.objects.bulk_create(
            Delivery(
                connection=world.connection, kind="contact", subject_uid=contact.uid, verb="update", outcome="done",
                cause=f"change number {i}", at=timezone.now() + timedelta(seconds=i),
            )
            for i in range(25)
        )  # fmt: skip
    page = owner.get(card_page(contact)).content.decode().partition('id="timeline"')[0]
    assert "change number 24" in page
    assert "change number 14" not in page
    assert "Show more" in page
    last = owner.get(reverse("integrations:history", args=["mailchimp", contact.uid]), {"page": 3}).content.decode()
    assert "change number 0" in last
    assert "Show more" not in last


WHY: dict[str, Callable[[World, Any], Any]] = {
    "No email address": lambda w, news: w.person("", news),
    "Do Not Contact": lambda w, news: w.person("a@rivermail.test", news, do_not_contact=True),
    "Not on a synchronized list": lambda w, news: w.person("a@rivermail.test"),
    "Not on a synchronized list.": lambda w, news: w.person("a@rivermail.test", w.a_list("Off", synchronize=False)),
}


@pytest.mark.parametrize("reason", WHY)
@pytest.mark.parametrize("was_synchronized", [True, False])
def test_L34_why_somebody_is_not_sent_is_on_their_card(
    world: World, owner: Desk, tenant: Any, reason: str, was_synchronized: bool
) -> None:
    with in_tenant(tenant):
        contact = WHY[reason](world, world.a_list())
        if was_synchronized:
            world.sync()
        else:
            RemoteRecord.objects.all().delete()
    words = owner.text(card_page(contact))
    assert "Not sent" in words
    assert reason in words


def test_L34_the_card_says_what_stands_in_the_way_of_the_whole_connection(
    world: World, owner: Desk, tenant: Any
) -> None:
    with in_tenant(tenant):
        contact = world.person("ana@rivermail.test", world.a_list())
    assert "Nothing is sent before the first Sync is confirmed" in owner.text(card_page(contact))
    with in_tenant(tenant):
        Connection.objects.update(state="reconnect")
    assert "has to be reconnected" in owner.text(card_page(contact))


def test_L8_a_shared_address_is_said_on_the_page(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        news = world.a_list()
        ben = world.person("home@rivermail.test", news, first_name="Ben")
        world.person("home@rivermail.test", news, first_name="Cleo")
    assert "Has the same email address as Cleo Ruiz." in owner.text(card_page(ben))


def test_L6_a_lists_card_tells_what_is_there_and_who_is_not_and_why(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        news = world.a_list()
        for i in range(3):
            world.person(f"p{i}@rivermail.test", news)
        world.person("", news, first_name="Nomail")
        gone = world.place(world.person("dnc@rivermail.test", news), news)
        gone.do_not_contact = True
        gone.save()
        world.sync()
    words = owner.text(card_page(news))
    assert "There as “Newsletter”" in words
    assert "In step but for 2" in words
    assert "3 of 5 members are on it" in words
    assert "In step there 3 Not there 2, see who and why" in words
    assert "Do Not Contact on this list 1" in words
    assert "No email address 1" in words
    named = owner.text(f"{ASIDE}?kind=skipped&reason=no_email&service=mailchimp&list={news.uid}")
    assert "Nomail" in named
    assert "Only members of one list are shown" in named


def test_everything_that_was_sent_can_be_read_and_not_changed(
    world: World, owner: Desk, tenant: Any, neighbour: Any
) -> None:
    run, fake = with_a_refusal(world, tenant)
    words = owner.text(SENT)
    assert "Good Ruiz" in words
    assert "Refused. Mailchimp" in words
    assert "Put on: Newsletter" in words
    assert "Good Ruiz" not in owner.text(SENT + "?outcome__exact=refused")
    with in_tenant(tenant):
        row = Delivery.objects.latest("at")
    for part in ("change/", "delete/"):
        assert owner.get(f"{SENT}{row.pk}/{part}").status_code in (403, 404)
    assert owner.get(f"{SENT}add/").status_code == 403
    assert "Good Ruiz" not in desk(neighbour).text(SENT)


# --- the first page, and states ---


def test_with_nothing_connected_the_first_page_and_the_list_of_syncs_say_what_to_do(owner: Desk, sandbox: Any) -> None:
    assert "No newsletter service is connected yet." in owner.text("/admin/")
    assert "There was no Sync yet." in owner.text(RUNS)
    assert "Connect" in owner.text(SETUP)


STATES = {
    "setup": ["Connected, not set up yet", "Review settings"],
    "ready": ["Connected, waiting for the first Sync", "press Sync and look"],
    "active": ["Connected", "Sync"],
    "reconnect": ["Reconnect needed", "The key was taken back.", "Nothing is lost", "Reconnect"],
    "not_connected": ["Not connected", "Connect"],
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_in_words_with_the_button_that_fits(
    world: World, owner: Desk, tenant: Any, settings: Any, state: str
) -> None:
    with in_tenant(tenant):
        Connection.objects.update(state=state, reason="The key was taken back." if state == "reconnect" else "")
    words = owner.text(SETUP)
    for expected in STATES[state]:
        assert expected in words
    html = owner.get(SETUP).content.decode()
    assert (f'action="{SYNC}"' in html) == (state in ("ready", "active"))
    assert (f'action="{CONNECT}"' in html) == (state in ("reconnect", "not_connected"))
    assert ("/mailchimp/disconnect/" in html) == (state != "not_connected")


def test_a_vendor_that_does_not_answer_is_said_with_the_time_of_the_next_try(
    world: World, owner: Desk, tenant: Any
) -> None:
    at = timezone.now() + timedelta(minutes=5)
    with in_tenant(tenant):
        Connection.objects.update(
            state="active", failures=4, failing_since=timezone.now(), retry_at=at,
            last_error="Mailchimp does not answer.",
        )  # fmt: skip
    words = owner.text(SETUP)
    assert "Connected, but not answering" in words
    assert f"tries again by itself at {timezone.localtime(at, tenant.tz):%H:%M}" in words


def test_the_oldest_unsent_change_and_what_needs_a_person_are_on_the_first_page(
    world: World, owner: Desk, tenant: Any
) -> None:
    with in_tenant(tenant):
        world.person("ana@rivermail.test", world.a_list())
        assert RemoteRecord.objects.filter(due_at__isnull=False).exists()
        RemoteRecord.objects.filter(due_at__isnull=False).update(marked_at=timezone.now() - timedelta(minutes=7))
        Connection.objects.update(state="reconnect", reason="The key was taken back.")
    words = owner.text("/admin/")
    assert "waits for about 7 minutes" in words
    assert "1 service has to be reconnected: Mailchimp; 2 changes wait" in words
    assert "The key was taken back." in words


# --- what is not in step ---


def test_L27_the_row_shows_the_address_that_the_service_complains_about(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        Connection.objects.update(state="active")
        one = world.a_list()
        new, moved = world.person("new@example.com", one), world.person("old@rivermail.test", one)
        world.push()
        moved.email_addresses.update(address="Moved@example.com", address_key="moved@example.com")
        world.push()
        assert [world.record(c).reason_code for c in (new, moved)] == ["fake_address"] * 2
    words = plain(owner.get(ASIDE).content.decode().replace("<wbr>", ""))
    assert "new@example.com" in words
    assert "Moved@example.com Known there as old@rivermail.test" in words


def test_L27_L36_what_is_refused_and_tried_again_is_counted_once(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        Connection.objects.update(state="active")
        one = world.a_list()
        ana = world.person("ana@rivermail.test", one)
        world.push()
        RemoteRecord.objects.filter(subject_uid=ana.uid).update(
            state="set_aside", reason_code="vendor_error", due_at=timezone.now() + timedelta(hours=1)
        )
        found = overview_of(world.connection)
        assert (found.waiting, found.oldest, found.set_aside) == (0, None, 1)
    card = owner.text(f"/admin/contacts/contact/{ana.pk}/change/")
    assert "Refused" in card and "answers with an error" in card and "A change is on its way" not in card
    kinds = owner.text(ASIDE)
    assert "Refused 1" in kinds and "On the way 0" in kinds
    assert "answers with an error" in kinds
    members = owner.text(f"/admin/contacts/contactlist/{one.pk}/change/")
    assert "answers with an error" in members and "On the way" not in members
    with in_tenant(tenant):
        row = world.record(ana)
    assert "1 change is being sent again" in said(owner.post(RETRY, {"record": row.pk}, follow=True))


# --- size ---


def grow(world: World, run: SyncRun, size: int) -> None:
    """More rows of every kind that the pages show."""
    news = ContactList.objects.first() or ContactListFactory(name="Newsletter")
    for _ in range(size):
        contact = ContactFactory()
        ListMembershipFactory(contact_list=news, contact=contact)
        record = RemoteRecord.objects.filter(subject_uid=contact.uid).first()
        assert record is not None
        RemoteRecord.objects.filter(pk=record.pk).update(
            state="set_aside", reason_code="fake_address", due_at=None, known_address="x@y.test"
        )
        operation = {
            "verb": "create", "container": "audience:a", "before": None,
            "after": {"address": "x@y.test", "standing": "subscribed", "fields": {}, "lists": [str(news.uid)]},
        }  # fmt: skip
        RunItem.objects.create(
            run=run, record=record, kind="contact", subject_uid=contact.uid, label=str(contact), verb="create",
            operations=[operation], state="refused", reason_code="fake_address",
        )  # fmt: skip
        Delivery.objects.create(
            connection=world.connection, kind="contact", subject_uid=Contact.objects.earliest("pk").uid, verb="update",
            outcome="done", before=operation["after"], after=operation["after"],
        )  # fmt: skip
        SyncRun.objects.create(connection=world.connection, state="done", confirmed_at=timezone.now())


def test_no_page_asks_the_database_more_when_there_is_more(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        run = SyncRun.objects.create(
            connection=world.connection, state="done", counts={"create": 2}, confirmed_at=timezone.now()
        )
        grow(world, run, 2)
        contact, news = Contact.objects.earliest("pk"), ContactList.objects.get()
    pages = {
        "setup": SETUP, "aside": ASIDE, "search": ASIDE + "?q=x@y", "runs": RUNS, "sent": SENT, "home": "/admin/",
        "run": page_of(run), "progress": page_of(run, "progress") + "?was=done", "contact": card_page(contact),
        "list": card_page(news),
        "history": reverse("integrations:history", args=["mailchimp", contact.uid]),
    }  # fmt: skip

    def counted() -> dict[str, int]:
        figures = {}
        for name, path in pages.items():
            with CaptureQueriesContext(database) as queries:
                assert owner.get(path).status_code == 200, name
            figures[name] = len(queries)
        return figures

    counted()  # content types and the like are remembered from here on
    few = counted()
    with in_tenant(tenant):
        grow(world, run, 20)
    assert counted() == few
