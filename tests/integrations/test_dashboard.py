"""The first page and the page of a list: every number opens exactly the rows that it counts, in a fixed number of
queries, and what is not at a service is named with the reason and the way to mend it (L6, L32, L34)."""

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact, ContactList, DuplicatePair, Import, Invitation
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from tests.factories import ConnectionFactory, ContactFactory, ContactListFactory, ListMembershipFactory
from tests.integrations.desk import Desk, desk, plain
from tests.integrations.engine import World

# The walk of tests/tenancy opens these pages on PostgreSQL, too.
pytestmark = pytest.mark.once

HOME = "/admin/"


def needs(client: Desk) -> dict[str, tuple[int, str]]:
    """{sentence: (number, link)} under “What needs you today”."""
    page = client.get(HOME).content.decode()
    part = page[page.index('id="needs-panel"') :].partition("</section>")[0]
    found = re.findall(r'<p><a href="([^"]+)"><b>([\d,]+)</b></a> (.*?)</p>', part)
    return {plain(words): (int(count.replace(",", "")), html.unescape(link)) for link, count, words in found}


def rows_behind(client: Desk, link: str) -> int:
    """How many rows the page at the end of a link says that it has."""
    response = client.get(link)
    assert response.status_code == 200, (link, response.status_code)
    contexts: Any = response.context
    context: Any = next((one for one in contexts if "tally" in one), contexts)  # a card has pages as well
    if "cl" in context:
        return int(context["cl"].result_count)
    if "page" in context and context["page"] is not None:
        return int(context["page"].paginator.count)
    return 1 if urlsplit(link).fragment else -1


# --- what needs somebody ---


def test_nothing_to_do_is_said_calmly(tenant: Any, owner: Desk) -> None:
    assert "Nothing. Everything is looked after" in owner.text(HOME)
    assert needs(owner) == {}


def troubles(tenant: Any, neighbour: Any) -> None:
    """Some of everything that waits for a person, here and next door."""
    for one, times in ((tenant, 1), (neighbour, 2)):
        with in_tenant(one):
            link = ConnectionFactory(tenant=one, brake={"0b53bb8f-7f30-4d0b-a3b4-1c7e5a8d2c11": ["News", 30, 40]})
            people = [ContactFactory(tenant=one, email_state="bounced") for _ in range(3 * times)]
            ContactFactory(tenant=one, email_state="bounced", do_not_contact=True)
            states: list[Any] = (
                [("set_aside", "fake_address", None)] * 2 + [("held", "brake", None)] + [("held", "kept", None)]
            )
            states += [("skipped", "no_email", None), ("ok", "", timezone.now())]
            for state, code, due in states * times:
                RemoteRecord.objects.create(
                    connection=link, kind="contact", subject_uid=ContactFactory(tenant=one).uid, state=state,
                    reason_code=code, due_at=due, marked_at=due,
                )  # fmt: skip
            run = SyncRun.objects.create(connection=link, state="ready", counts={"create": 2, "skip": 1})
            for verb in ("create", "create", "skip"):
                contact = ContactFactory(tenant=one)
                RunItem.objects.create(run=run, kind="contact", subject_uid=contact.uid, label=str(contact), verb=verb)
            pairs = zip(people, people[1:], strict=False)
            for first, second in pairs:
                DuplicatePair.objects.create(first=first, second=second, reasons=[["name", "x"]], score=50)
            DuplicatePair.objects.create(first=people[0], second=people[2], dismissed_at=timezone.now())
            for state in ("ready", "ready", "uploaded", "done"):
                Import.objects.create(file_name="a.csv", state=state)
            past = timezone.now() - timedelta(days=1)
            Invitation.objects.create(
                email="in-time@rivermail.test", secret_hash=f"b{one.pk}", expires_at=past + timedelta(days=2)
            )
            Invitation.objects.create(email="late@rivermail.test", secret_hash=f"a{one.pk}", expires_at=past)


def test_every_number_opens_exactly_the_rows_that_it_counts(tenant: Any, neighbour: Any, owner: Desk) -> None:
    troubles(tenant, neighbour)
    found = needs(owner)
    numbers = {words.split(" by ")[0].split(" at ")[0].rstrip("."): count for words, (count, _) in found.items()}
    assert numbers["change waits"] == 1
    assert numbers["were refused"] == 2
    assert numbers["rows in a preview wait for you to confirm"] == 3
    assert numbers["pairs of contacts look like one person"] == 2
    assert numbers["contacts have an address that bounced"] == 3
    assert "<strong>3</strong>whose email bounced" in owner.get(HOME).content.decode(), "the same people, counted alike"
    for words, (count, link) in found.items():
        if "invitation" not in words:
            assert rows_behind(owner, link) == count, (words, link)
    late = owner.text(next(link for words, (_, link) in found.items() if "invitation" in words))
    assert (
        "late@rivermail.test" in late and "in-time@rivermail.test" not in late and "What each role may do" not in late
    )


def test_the_tiles_and_the_table_of_integrations_open_what_they_count(tenant: Any, neighbour: Any, owner: Desk) -> None:
    troubles(tenant, neighbour)
    page = owner.get(HOME).content.decode()
    tiles = re.findall(r'<a class="al-tile" href="([^"]+)"><strong>([\d,]+)</strong>', page)
    assert len(tiles) == 5
    for link, count in tiles:
        assert rows_behind(owner, html.unescape(link)) == int(count.replace(",", "")), link
    part = page[page.index('id="integrations-panel"') :].partition("</section>")[0]
    numbers = re.findall(r'<a href="([^"]*(?:kind|service)=[^"]+)">([\d,]+)</a>', part)
    assert [count for _, count in numbers] == ["1", "2"], "waiting and refused"
    for link, count in numbers:
        assert rows_behind(owner, html.unescape(link)) == int(count)


def test_those_who_may_only_look_see_numbers_and_no_button(tenant: Any, neighbour: Any) -> None:
    troubles(tenant, neighbour)
    looker = desk(tenant, "viewer")
    page = looker.get(HOME).content.decode()
    part = page[page.index('id="needs-panel"') :].partition("</section>")[0]
    assert "were refused by Mailchimp (as viewer you may look; an owner or manager does it)" in part
    assert "al-button" not in part and "invitation" not in part and "import" not in part
    assert "al-button" in needs_part(desk(tenant, "manager"))


def needs_part(client: Desk) -> str:
    page = client.get(HOME).content.decode()
    return page[page.index('id="needs-panel"') :].partition("</section>")[0]


def test_more_of_everything_takes_no_more_queries(tenant: Any, neighbour: Any, owner: Desk) -> None:
    troubles(tenant, neighbour)

    def asked() -> int:
        with CaptureQueriesContext(database) as queries:
            assert owner.get(HOME).status_code == 200
        return len(queries)

    asked()
    few = asked()
    with in_tenant(tenant):
        link = Connection.objects.get()
        for _ in range(20):
            row = ListMembershipFactory(contact_list=ContactListFactory(tenant=tenant))
            RemoteRecord.objects.update_or_create(
                connection=link, kind="contact", subject_uid=row.contact.uid,
                defaults={"state": "set_aside", "reason_code": "refused", "due_at": None},
            )  # fmt: skip
            SyncRun.objects.create(connection=link, state="done", confirmed_at=timezone.now(), outcomes={})
    assert asked() == few <= 50


# --- first steps ---


def test_a_new_organization_is_led_through_the_first_steps_and_they_tick_themselves_off(
    tenant: Any, sandbox: Any, owner: Desk
) -> None:
    assert "First steps 0 of 4 done" in owner.text(HOME)
    with in_tenant(tenant):
        ContactFactory(tenant=tenant)
        assert "1 of 4 done" in owner.text(HOME)
        ContactListFactory(tenant=tenant)
        link = ConnectionFactory(tenant=tenant, state="ready")
    words = owner.text(HOME)
    assert "3 of 4 done" in words and "1 service waits for its first Sync: Mailchimp" in words
    assert 'class="al-steps"' in desk(tenant, "viewer").get(HOME).content.decode()
    with in_tenant(tenant):
        SyncRun.objects.create(connection=link, state="done", confirmed_at=timezone.now(), outcomes={})
    assert "First steps" not in owner.text(HOME)


# --- the last Syncs ---


def test_the_last_syncs_tell_what_was_done_not_what_was_shown(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        world.connection.state = "ready"
        world.connection.save()
        news = world.a_list()
        for email in ("ana@rivermail.test", "ben@rivermail.test", "cleo@example.com"):
            world.person(email, news)
        run = world.sync()
        assert run.counts["create"] == 3 and run.outcomes == {
            "done": {"create": 2, "create_list": 1},
            "refused": {"create": 1},
        }
    for path in (HOME, "/admin/integrations/syncs/"):
        words = owner.text(path)
        assert "2 people added. 1 list created. 1 was refused." in words
        assert "3 people added" not in words
    with in_tenant(tenant):
        SyncRun.objects.update(outcomes=None)  # of a Sync before this was kept
    assert "2 people added. 1 list created. 1 was refused." in owner.text(HOME)


# --- the page of a list ---


def list_page(contact_list: ContactList, show: str = "") -> str:
    return f"/admin/contacts/contactlist/{contact_list.pk}/change/" + (f"?show={show}" if show else "")


def twenty(world: World) -> ContactList:
    """Twenty people on a list, of whom two are not at Mailchimp, after the first Sync."""
    news = world.a_list()
    for i in range(18):
        world.person(f"p{i}@rivermail.test", news, first_name=f"Person{i}")
    world.person("", news, first_name="Nomail")
    world.person("made.up@example.com", news, first_name="Fake")
    world.sync()
    return news


def chips(client: Desk, contact_list: ContactList) -> dict[str, tuple[int, int]]:
    page = client.get(list_page(contact_list))
    shown = [chip for _, group in page.context["chips"] for chip in group]
    return {
        chip["words"]: (chip["count"], rows_behind(client, list_page(contact_list, chip["show"]))) for chip in shown
    }


def test_L34_two_of_twenty_are_not_there_and_one_is_mended_from_the_page(
    world: World, owner: Desk, tenant: Any
) -> None:
    with in_tenant(tenant):
        news = twenty(world)
    assert "Not there 2, see who and why" in owner.text(list_page(news))
    assert chips(owner, news) == {
        "Everybody": (20, 20), "May be written to": (19, 19), "Cannot be written to": (1, 1),
        "At Mailchimp": (18, 18), "Not at Mailchimp": (2, 2), "No email address": (1, 1),
        "Looks like a made-up address": (1, 1),
    }  # fmt: skip
    tiles = re.findall(r'<a class="al-tile" href="([^"]+)">', owner.get(list_page(news)).content.decode())
    assert tiles == ["?#members", "?show=reachable#members", "?show=unreachable#members"], "the cards say the rest"
    page = owner.get(list_page(news, "mailchimp:missing")).content.decode()
    words = plain(page)
    assert "Nomail" in words and "Fake" in words and "Person3" not in words
    assert "No email address. This contact has no primary email address." in words
    with in_tenant(tenant):
        nomail, fake = Contact.objects.get(first_name="Nomail"), Contact.objects.get(first_name="Fake")
        record = world.record(fake)
    assert f'href="/admin/contacts/contact/{nomail.pk}/change/#' in page, "the way to mend it"
    assert f'name="record" value="{record.pk}"' in page
    owner.post("/admin/integrations/set-aside/retry/", {"record": record.pk, "back": list_page(news)})
    assert chips(owner, news)["On the way"] == (1, 1)
    assert chips(owner, news)["Not at Mailchimp"] == (1, 1)
    with in_tenant(tenant):
        nomail.email_addresses.create(address="found@rivermail.test", is_primary=True, tenant=tenant)
        world.push()
    assert chips(owner, news)["At Mailchimp"] == (19, 19)


def test_L7_do_not_contact_on_this_list_is_said_of_this_list_only(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        news, other = world.a_list(), world.a_list("Gala")
        ana = world.person("ana@rivermail.test", news, other)
        place = world.place(ana, news)
        place.do_not_contact = True
        place.save()
        world.sync()
    assert chips(owner, news)["Do Not Contact on this list"] == (1, 1)
    assert "set for this person on this list" in owner.text(list_page(news))
    assert chips(owner, other)["At Mailchimp"] == (1, 1)


def test_a_list_that_is_not_there_yet_or_not_synchronized_says_so(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        off = world.a_list("Off", synchronize=False)
        world.person("ana@rivermail.test", off)
        Connection.objects.update(state="ready")
        new = world.a_list("New")
        world.person("ben@rivermail.test", new)
    assert "Not synchronized" in owner.text(list_page(off)) and "Not at Mailchimp" not in owner.text(list_page(off))
    assert "Not there yet" in owner.text(list_page(new)) or "A change is on its way" in owner.text(list_page(new))
    lists = owner.text("/admin/contacts/contactlist/")
    assert "Mailchimp: not there yet" in lists


def test_a_neighbours_list_and_members_are_404_and_their_standings_unheard(
    world: World, tenant: Any, neighbour: Any
) -> None:
    with in_tenant(tenant):
        news = twenty(world)
    assert desk(neighbour).get(list_page(news)).status_code == 404
    with in_tenant(neighbour):
        ConnectionFactory(tenant=neighbour)
        theirs = ContactListFactory(tenant=neighbour, name="Theirs")
        ListMembershipFactory(contact_list=theirs)
    assert "Nomail" not in desk(neighbour).text(list_page(theirs, "mailchimp:missing"))


def test_those_who_may_only_look_see_the_reasons_and_no_button(world: World, tenant: Any) -> None:
    with in_tenant(tenant):
        news = twenty(world)
    page = desk(tenant, "viewer").get(list_page(news, "mailchimp:missing")).content.decode()
    main = page[page.index('id="main"') :]
    assert "No email address." in main and ">Retry<" not in main and 'method="post" action=' not in main


def test_more_members_and_services_take_no_more_queries(world: World, owner: Desk, tenant: Any) -> None:
    with in_tenant(tenant):
        news = twenty(world)

    def asked(show: str) -> int:
        with CaptureQueriesContext(database) as queries:
            assert owner.get(list_page(news, show)).status_code == 200
        return len(queries)

    shows = ("", "mailchimp:there", "mailchimp:missing", "unreachable")
    [asked(show) for show in shows]
    few = [asked(show) for show in shows]
    with in_tenant(tenant):
        for i in range(25):
            world.person("" if i % 2 else f"q{i}@rivermail.test", news)
        world.push()
    assert [asked(show) for show in shows] == few
    assert max(few) <= 45
