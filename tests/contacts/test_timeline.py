"""What happened to a contact: from every source, newest first, by kind, page by page, at a constant cost (L30, L35)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import households, services, timeline
from contacts.models import ConsentEvent, Contact, HistoryEntry, Merge, MergedIdentity
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from integrations.models import Delivery
from tests.contacts.forms import page_of
from tests.factories import ConnectionFactory, ContactFactory, ContactListFactory
from tests.integrations.desk import plain
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


def told(client: Client, contact: Contact, **query: str) -> str:
    """The words of the timeline."""
    page = client.get(f"/admin/contacts/contact/{contact.pk}/timeline/", query)
    assert page.status_code == 200
    return plain(page.content.decode())


def sent(contact: Contact, **values: Any) -> Delivery:
    """Something that was sent about them."""
    connection = values.pop("connection", None) or ConnectionFactory()
    return Delivery.objects.create(
        **{
            "connection": connection, "kind": "contact", "subject_uid": contact.uid, "verb": "create",
            "outcome": "done", "cause": "Contact added by Ana",
            "after": {"address": "ana@rivermail.test", "standing": "subscribed", "fields": {}, "lists": []},
        } | values
    )  # fmt: skip


def full_of_life() -> Contact:
    """A contact to whom something of every kind has happened."""
    ana = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test")
    news = ContactListFactory(name="News on water")
    services.add_to_list(news, Contact.objects.filter(pk=ana.pk))
    services.set_tags(ana, [], ["volunteer"])
    households.make_household([ana], "The Ruiz family")
    services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), True)
    sent(ana)
    return ana


def test_L30_L35_everything_that_happened_stands_in_one_line_of_time(client: Client) -> None:
    words = told(client, full_of_life())
    expected = [
        "Add at Mailchimp Done", "because: Contact added by Ana", "Do Not Contact set everywhere",
        "Tagged “volunteer”", "Joined the household “The Ruiz family”", "Put on “News on water”",
        "Contact added Email address added",
    ]  # fmt: skip
    places = [words.index(sentence) for sentence in expected]
    assert places == sorted(places), "newest first; what was done in one go in the order in which it was done"
    assert words.count("Do Not Contact") == 1, "the history repeats nothing that the ledger says"


@pytest.mark.parametrize(
    ("kind", "there", "gone"),
    [
        ("details", "Joined the household", "Put on"), ("lists", "Put on “News on water”", "Tagged"),
        ("consent", "Do Not Contact set", "Tagged"), ("sent", "Add at Mailchimp", "Tagged"),
        ("nonsense", "Tagged", "nonsense"),
    ],
)  # fmt: skip
def test_the_timeline_is_filtered_by_kind(client: Client, kind: str, there: str, gone: str) -> None:
    words = told(client, full_of_life(), kind=kind)
    assert there in words
    assert gone not in words.partition("Newsletter services")[2]


def test_every_entry_comes_once_page_after_page_even_at_the_same_moment(client: Client) -> None:
    ana = ContactFactory(first_name="Ana")
    HistoryEntry.objects.all().delete()
    connection, now = ConnectionFactory(), timezone.now()
    for number in range(55):
        at = now - timedelta(minutes=number // 8)  # eight at a time, of three sources
        if number % 3 == 0:
            sent(ana, connection=connection, at=at, cause=f"number {number:02}.")
        elif number % 3 == 1:
            HistoryEntry(
                at=at, verb="added", what="email address", label=f"number {number:02}.", contact_uid=ana.uid,
                by="staff", actor_label=f"A{number}", source="Almoner",
            ).save()  # fmt: skip
        else:
            ConsentEvent(
                at=at, kind="opt_in", by="staff", actor_label=f"A{number}", source="Almoner", contact_uid=ana.uid,
                detail=f"number {number:02}.",
            ).save()  # fmt: skip
    found, address, pages = [], f"/admin/contacts/contact/{ana.pk}/timeline/", 0
    while address:
        html = client.get(address).content.decode()
        found += re.findall(r"number (\d\d)\.", html)
        more = re.search(r'hx-get="([^"]+before=[^"]+)"', html)
        address, pages = more[1].replace("&amp;", "&") if more else "", pages + 1
        assert pages < 9
    assert sorted(found) == [f"{number:02}" for number in range(55)]
    assert pages == 3


@pytest.mark.parametrize("before", ["", "x", "2026-01-01", "2026-01-01T00:00:00+00:00_9_x", "9" * 40, "_1_1"])
def test_an_unreadable_place_in_the_timeline_is_the_beginning(client: Client, before: str) -> None:
    assert "Contact added" in told(client, ContactFactory(), before=before)


def test_the_timeline_costs_as_many_queries_for_many_entries_as_for_few(client: Client) -> None:
    ana = full_of_life()

    def counted() -> int:
        with CaptureQueriesContext(database) as queries:
            assert client.get(page_of(ana)).status_code == 200
        return len(queries)

    counted()
    few = counted()
    connection = Delivery.objects.get().connection
    for number in range(25):
        sent(ana, connection=connection)
        with acting(By.STAFF, f"Import {number}"):
            contact_list = ContactListFactory(name=f"List {number}", synchronize=False)
            services.add_to_list(contact_list, Contact.objects.filter(pk=ana.pk))
            services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), number % 2 == 0)
            ana.notes = f"Note {number}"
            ana.save()
    assert counted() <= few


def test_who_was_merged_in_tells_here_as_well(client: Client) -> None:
    kept, gone = ContactFactory(), ContactFactory()
    services.set_tags(gone, [], ["from the other one"])
    assert "from the other one" not in told(client, kept)
    merge = Merge.objects.create(kept_uid=kept.uid, gone_uid=gone.uid, kept_name="Kept", gone_name="Gone")
    MergedIdentity.objects.create(merge=merge, kept_uid=kept.uid, gone_uid=gone.uid, via_uid=kept.uid)
    assert "Tagged “from the other one”" in told(client, kept)


def test_L35_what_somebody_said_under_a_shared_address_stands_on_both_pages(client: Client) -> None:
    ana, ben = (
        ContactFactory(first_name=name, last_name="Ruiz", email="home@rivermail.test") for name in ("Ana", "Ben")
    )
    with acting(By.PERSON, "Mailchimp"):
        event = ConsentEvent.by_actor(
            "opt_out", ben.uid, contact_name=str(ben), address="home@rivermail.test", place="mailchimp audience:a"
        )
        event.save()
    assert "Opted out for everything at Mailchimp, said by Ben Ruiz under the same address" in told(client, ana)
    assert "said by Ben" not in told(client, ben)


def test_T2_a_neighbours_contact_has_no_timeline_here(client: Client, neighbour: Tenant) -> None:
    with inside(neighbour):
        theirs = ContactFactory(first_name="Theirs")
    assert client.get(f"/admin/contacts/contact/{theirs.pk}/timeline/").status_code == 404
    stranger = logged_in(neighbour)
    assert "Contact added" in told(stranger, theirs)


def test_an_app_adds_its_own_source_once() -> None:
    before = list(timeline._sources)
    timeline.add_source("details", "Again", lambda request, subject, window: [])
    assert timeline._sources == before
