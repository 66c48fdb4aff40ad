"""The pages of lists and committees, with the table of members, and the ledgers."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts import figures, services, signals
from contacts.models import ConsentEvent, Contact, ContactList, DailyCount, HistoryEntry, ListMembership, Tag
from contacts.models.figure import EVERYBODY
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
FLAG = "Synchronize contacts with authorized third party newsletter solution"


def page_of(contact_list: ContactList, rest: str = "change/") -> str:
    return f"/admin/contacts/contactlist/{contact_list.pk}/{rest}"


def test_the_flag_carries_its_full_name_on_both_pages(client: Client) -> None:
    contact_list = ContactListFactory()
    assert FLAG in client.get(page_of(contact_list)).content.decode()
    assert FLAG in client.get("/admin/contacts/contactlist/").content.decode()


def test_members_are_counted_for_the_page_of_lists_and_not_with_every_look_at_one(client: Client) -> None:
    news, tag = ContactListFactory(name="News"), Tag.objects.create(name="Volunteer")
    counted = 'COUNT(U0."id") AS "n"', 'COUNT("contacts_contacttag"."id")'

    def asked(address: str) -> bool:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return any(how in query["sql"] for query in queries for how in counted)

    assert asked("/admin/contacts/contactlist/") and asked("/admin/contacts/tag/")
    assert not asked(page_of(news)) and not asked(f"/admin/contacts/tag/{tag.pk}/change/")
    for field in ("listmembership&field_name=contact_list", "contacttag&field_name=tag"):
        assert not asked(f"/admin/autocomplete/?term=&app_label=contacts&model_name={field}")


def test_lists_show_their_members_and_are_filtered_by_the_flag(client: Client) -> None:
    on, off = ContactListFactory(name="Newsletter"), ContactListFactory(name="Board", synchronize=False)
    for _ in range(3):
        ListMembershipFactory(contact_list=on)
    page = client.get("/admin/contacts/contactlist/", {"synchronize": "yes"}).content.decode()
    assert "Newsletter" in page and f"/{off.pk}/change/" not in page
    assert "Board" in client.get("/admin/contacts/contactlist/", {"synchronize": "no"}).content.decode()


def test_more_lists_take_no_more_queries(client: Client) -> None:
    ListMembershipFactory()
    client.get("/admin/contacts/contactlist/")
    with CaptureQueriesContext(connection) as few:
        client.get("/admin/contacts/contactlist/")
    for _ in range(10):
        ListMembershipFactory()
    with CaptureQueriesContext(connection) as many:
        client.get("/admin/contacts/contactlist/")
    assert len(many) == len(few)


def test_two_lists_of_one_name_are_refused_with_a_sentence(client: Client) -> None:
    ContactListFactory(name="Newsletter")
    answer = client.post("/admin/contacts/contactlist/add/", {"name": "newsletter", "kind": "list", "description": ""})
    assert "There is a list or committee of that name." in answer.content.decode()


# --- members ---


def test_members_come_a_page_at_a_time_and_can_be_searched(client: Client) -> None:
    contact_list = ContactListFactory()
    for n in range(30):
        ListMembershipFactory(contact_list=contact_list, contact=ContactFactory(last_name=f"Member{n:02d}"))
    first = client.get(page_of(contact_list)).content.decode()
    assert "Members: 30" in first and "Member24" in first and "Member25" not in first
    assert "Member29" in client.get(page_of(contact_list), {"p": 2}).content.decode()
    found = client.get(page_of(contact_list), {"q": "member29"}).content.decode()
    assert "Members found: 1" in found and "Member29" in found and "Member28" not in found


def test_more_members_take_no_more_queries(client: Client) -> None:
    contact_list = ContactListFactory()
    ListMembershipFactory(contact_list=contact_list)
    client.get(page_of(contact_list))
    with CaptureQueriesContext(connection) as few:
        client.get(page_of(contact_list))
    for _ in range(20):
        ListMembershipFactory(contact_list=contact_list)
    with CaptureQueriesContext(connection) as many:
        client.get(page_of(contact_list))
    assert len(many) == len(few)


def test_a_contact_is_added_by_the_table_of_members(client: Client) -> None:
    contact_list, contact = ContactListFactory(name="Gala"), ContactFactory()
    answer = client.post(page_of(contact_list, "members/add/"), {"contact": contact.pk}, follow=True)
    assert f"{contact} is on “Gala” now." in answer.content.decode()
    again = client.post(page_of(contact_list, "members/add/"), {"contact": contact.pk}, follow=True)
    assert "already" in again.content.decode()
    assert contact_list.memberships.count() == 1
    nobody = client.post(page_of(contact_list, "members/add/"), {}, follow=True)
    assert "Choose a contact first." in nobody.content.decode()


def test_a_member_is_taken_off(client: Client) -> None:
    row = ListMembershipFactory()
    client.post(page_of(row.contact_list, f"members/{row.pk}/take-off/"))
    assert not ListMembership.objects.exists()
    assert HistoryEntry.objects.filter(contact_uid=row.contact.uid, verb="deleted", by="staff").exists()


def test_X5_taking_a_member_off_is_never_told_as_a_change_of_do_not_contact(client: Client) -> None:
    rows = [ListMembershipFactory(), ListMembershipFactory(do_not_contact=True)]
    heard: list[str] = []

    def listen(sender: Any, cause: str, **kwargs: Any) -> None:
        heard.append(cause.partition(" by ")[0])

    signals.contacts_changed.connect(listen)
    try:
        for row in rows:
            client.post(page_of(row.contact_list, f"members/{row.pk}/take-off/"))
    finally:
        signals.contacts_changed.disconnect(listen)
    assert heard == ["Place on a list deleted"] * 2


def test_L7_do_not_contact_for_one_list_is_set_and_cleared_there(client: Client) -> None:
    row, other = ListMembershipFactory(), ListMembershipFactory()
    url = page_of(row.contact_list, f"members/{row.pk}/dnc/")
    for _ in range(2):  # pressing twice does no harm
        client.post(url, {"value": "set"})
    row.refresh_from_db()
    assert row.do_not_contact and not other.do_not_contact and not row.contact.do_not_contact
    client.post(url, {"value": "clear"})
    row.refresh_from_db()
    assert not row.do_not_contact
    assert list(ConsentEvent.objects.order_by("pk").values_list("kind", flat=True)) == ["dnc_set", "dnc_cleared"]


BUTTONS = ["members/add/", "members/take-off/", "members/{}/take-off/", "members/{}/dnc/", "members/{}/position/"]


@pytest.mark.parametrize("button", BUTTONS)
def test_X5_the_buttons_are_posts_by_those_who_may(button: str, client: Client, tenant: Tenant) -> None:
    row = ListMembershipFactory()
    url = page_of(row.contact_list, button.format(row.pk))
    assert client.get(url).status_code == 405
    assert logged_in(tenant, Role.VIEWER).post(url, {"value": "set"}).status_code == 403
    row.refresh_from_db()
    assert not row.do_not_contact


def test_T3_a_member_of_another_list_or_organization_is_not_there(client: Client, neighbour: Tenant) -> None:
    ours, other = ListMembershipFactory(), ListMembershipFactory()
    theirs = ListMembershipFactory(contact_list=ContactListFactory(tenant=neighbour))
    for row in (other, theirs):
        assert client.post(page_of(ours.contact_list, f"members/{row.pk}/take-off/")).status_code == 404
    assert client.post(page_of(theirs.contact_list, f"members/{theirs.pk}/take-off/")).status_code == 404
    contact = theirs.contact
    client.post(page_of(ours.contact_list, "members/add/"), {"contact": contact.pk})
    assert ours.contact_list.memberships.count() == 1


def test_an_empty_list_says_how_to_fill_it(client: Client, tenant: Tenant) -> None:
    contact_list = ContactListFactory()
    assert "Nobody is on this list yet. Add contacts above" in client.get(page_of(contact_list)).content.decode()
    looker = logged_in(tenant, Role.VIEWER).get(page_of(contact_list)).content.decode()
    assert "Nobody is on this list yet." in looker and "Add contacts" not in looker


def test_several_contacts_are_added_at_once(client: Client, neighbour: Tenant) -> None:
    contact_list, people = ContactListFactory(name="Gala"), [ContactFactory() for _ in range(3)]
    ListMembershipFactory(contact_list=contact_list, contact=people[0])
    url = page_of(contact_list, "members/add/")
    answer = client.post(url, {"contact": [p.pk for p in people]}, follow=True)
    assert "2 contacts are new on “Gala”. 1 was there already." in answer.content.decode()
    stranger = ContactFactory(tenant=neighbour)
    client.post(url, {"contact": [ContactFactory().pk, stranger.pk]})
    assert contact_list.memberships.count() == 3, "all or none, and nobody of a neighbour"


def test_those_ticked_are_taken_off_after_a_page_that_asks(client: Client, tenant: Tenant, neighbour: Tenant) -> None:
    contact_list = ContactListFactory(name="Gala")
    rows = [ListMembershipFactory(contact_list=contact_list) for _ in range(3)]
    theirs = ListMembershipFactory(contact_list=ContactListFactory(tenant=neighbour))
    url, ticked = page_of(contact_list, "members/take-off/"), [rows[0].pk, rows[1].pk, theirs.pk]
    page = client.post(url, {"place": ticked}).content.decode()
    assert "Take 2 contacts off “Gala”?" in page and str(rows[0].contact) in page
    assert str(theirs.contact) not in page and "Nobody is unsubscribed by this" in page
    assert contact_list.memberships.count() == 3, "nothing yet"
    assert logged_in(tenant, Role.VIEWER).post(url, {"place": ticked, "confirmed": "yes"}).status_code == 403
    done = client.post(url, {"place": ticked, "confirmed": "yes"}, follow=True)
    assert "2 contacts are off “Gala”." in done.content.decode()
    assert [row.pk for row in contact_list.memberships.all()] == [rows[2].pk]
    with in_tenant(neighbour):
        assert ListMembership.objects.filter(pk=theirs.pk).exists()
    assert "Tick the people to take off first." in client.post(url, {}, follow=True).content.decode()


def test_a_committees_positions_are_shown_and_changed_in_the_table(client: Client, tenant: Tenant) -> None:
    board = ContactListFactory(kind="committee")
    row = ListMembershipFactory(contact_list=board, position="treasurer")
    assert 'value="treasurer"' in client.get(page_of(board)).content.decode()
    answer = client.post(page_of(board, f"members/{row.pk}/position/"), {"position": " chair "}, follow=True)
    assert f"{row.contact} is chair now." in answer.content.decode()
    assert HistoryEntry.objects.filter(contact_uid=row.contact.uid, changes__position=["treasurer", "chair"]).exists()
    looker = logged_in(tenant, Role.VIEWER).get(page_of(board)).content.decode()
    assert "chair" in looker and 'name="position"' not in looker
    plain = ListMembershipFactory()
    assert "Position" not in client.get(page_of(plain.contact_list)).content.decode()


def counted_and_named(client: Client, contact_list: ContactList) -> dict[str, tuple[int, int]]:
    """{filter: (the number it shows, how many rows it opens)} of each filter of the table."""
    shown = [chip for _, group in client.get(page_of(contact_list)).context["chips"] for chip in group]
    pages = [client.get(page_of(contact_list), {"show": chip["show"]}).context["page"] for chip in shown]
    return {
        chip["words"]: (chip["count"], page.paginator.count) for chip, page in zip(shown, pages, strict=True)
    }  # fmt: skip


def test_every_number_on_the_page_opens_the_members_that_it_counts(client: Client) -> None:
    contact_list = ContactListFactory()
    for values in ({}, {}, {"email": ""}, {"email_state": "bounced"}, {"do_not_contact": True}):
        ListMembershipFactory(contact_list=contact_list, contact=ContactFactory(**values))
    ListMembershipFactory(contact_list=contact_list, do_not_contact=True)
    ListMembershipFactory()
    assert counted_and_named(client, contact_list) == {
        "Everybody": (6, 6), "May be written to": (2, 2), "Cannot be written to": (4, 4),
    }  # fmt: skip
    nonsense = client.get(page_of(contact_list), {"show": "nobody:knows"})
    assert nonsense.context["page"].paginator.count == 6


def test_a_viewer_finds_the_members_and_no_button(tenant: Tenant) -> None:
    row = ListMembershipFactory()
    html = logged_in(tenant, Role.VIEWER).get(page_of(row.contact_list)).content.decode()
    main = html[html.index('id="main"') :]
    assert str(row.contact) in main and 'method="post" action=' not in main and "Take off" not in main


def test_the_list_of_lists_counts_who_can_be_reached_and_says_as_of_when(client: Client, monkeypatch: Any) -> None:
    contact_list = ContactListFactory()
    ListMembershipFactory(contact_list=contact_list)
    ListMembershipFactory(contact_list=contact_list, contact=ContactFactory(email=""))
    assert figures.reachable_of(with_members(contact_list)) == {contact_list.pk: (1, None)}
    monkeypatch.setattr(figures, "AT_ONCE", 1)
    assert figures.reachable_of(with_members(contact_list)) == {contact_list.pk: (1, None)}, "never counted yet"
    yesterday = date(2026, 1, 31)
    for uid, what, count in ((EVERYBODY, "members", 9), (contact_list.uid, "reachable", 7)):
        DailyCount.objects.create(day=yesterday, list_uid=uid, what=what, count=count)
    assert figures.reachable_of(with_members(contact_list)) == {contact_list.pk: (7, yesterday)}
    assert "as of Jan 31, 2026" in client.get("/admin/contacts/contactlist/").content.decode()


def with_members(contact_list: ContactList) -> list[Any]:
    return list(ContactList.objects.filter(pk=contact_list.pk).annotate(members=Count("memberships")))


# --- deleting ---


def test_deleting_a_list_warns_with_the_count_and_keeps_the_contacts(client: Client) -> None:
    contact_list = ContactListFactory(name="Gala")
    members = [ListMembershipFactory(contact_list=contact_list).contact for _ in range(3)]
    page = client.get(page_of(contact_list, "delete/")).content.decode()
    assert "3 contacts will be taken off it." in page
    assert "deleted at every connected newsletter service" in page
    assert client.post(page_of(contact_list, "delete/"), {"post": "yes"}).status_code == 302
    assert not ContactList.objects.exists() and Contact.objects.count() == 3
    for contact in members:
        assert HistoryEntry.objects.filter(contact_uid=contact.uid, verb="deleted", what="place on a list").exists()
    assert HistoryEntry.objects.filter(list_uid=contact_list.uid, verb="deleted", what="list").exists()


def test_a_list_that_is_not_synchronized_warns_of_no_newsletter(client: Client) -> None:
    page = client.get(page_of(ContactListFactory(synchronize=False), "delete/")).content.decode()
    assert "newsletter service" not in page


def test_deleting_a_tag_takes_it_off_everybody_and_says_so_in_their_history(client: Client) -> None:
    contact = ContactFactory()
    services.set_tags(contact, [], ["volunteer"])
    tag = Tag.objects.get()
    assert "1 contact will lose the tag." in client.get(f"/admin/contacts/tag/{tag.pk}/delete/").content.decode()
    client.post(f"/admin/contacts/tag/{tag.pk}/delete/", {"post": "yes"})
    assert not Tag.objects.exists()
    assert HistoryEntry.objects.filter(contact_uid=contact.uid, what="tag", verb="deleted").exists()


# --- ledgers ---


def test_the_consent_ledger_is_read_searched_and_never_changed(client: Client) -> None:
    contact = ContactFactory(first_name="Ana", last_name="Ruiz")
    services.set_do_not_contact(Contact.objects.filter(pk=contact.pk), True)
    event = ConsentEvent.objects.get()
    page = client.get("/admin/contacts/consentevent/", {"q": "ruiz"}).content.decode()
    assert "Ana Ruiz" in page and "Do Not Contact set" in page and "Everywhere" in page
    assert "Nothing matches" in client.get("/admin/contacts/consentevent/", {"q": "zzz"}).content.decode()
    assert client.get(f"/admin/contacts/consentevent/{event.pk}/change/").status_code == 200
    for rest in ("add/", f"{event.pk}/change/", f"{event.pk}/delete/"):
        assert client.post(f"/admin/contacts/consentevent/{rest}", {"post": "yes"}).status_code == 403
    assert ConsentEvent.objects.get() == event


def test_the_history_of_everything_is_filtered_and_never_changed(client: Client) -> None:
    ContactFactory(first_name="Ana", last_name="Ruiz")
    ContactListFactory(name="Gala")
    page = client.get("/admin/contacts/historyentry/", {"what": "list"}).content.decode()
    assert "Gala" in page and "Ana Ruiz" not in page
    entry = HistoryEntry.objects.first()
    assert entry is not None
    for rest in ("add/", f"{entry.pk}/change/", f"{entry.pk}/delete/"):
        assert client.post(f"/admin/contacts/historyentry/{rest}", {"post": "yes"}).status_code == 403


def test_other_apps_add_cards_panels_and_badges(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from contacts.tenancy import cards

    monkeypatch.setattr(cards, "_cards", {})
    monkeypatch.setattr(cards, "_panels", [])
    monkeypatch.setattr(cards, "_badges", {})
    cards.add_card(Contact, lambda request, contact: f"card of {contact}", order=2)
    cards.add_card(Contact, lambda request, contact: "")
    cards.add_card(Contact, lambda request, contact: "first card", order=1)
    cards.add_panel(lambda request: f"panel for {request.user.is_authenticated}")
    cards.add_badge("admin:contacts_contact_changelist", lambda request: "7 wait")
    contact = ContactFactory()
    page = client.get(f"/admin/contacts/contact/{contact.pk}/change/").content.decode()
    assert page.index("first card") < page.index(f"card of {contact}")
    home = client.get("/admin/").content.decode()
    assert "panel for True" in home and "7 wait" in home
    assert "first card" not in client.get("/admin/contacts/contact/add/").content.decode()


def test_whoever_is_deleted_leaves_a_line_in_the_history_of_their_lists(client: Client) -> None:
    newsletter = ContactListFactory(name="Newsletter")

    def deleted(count: int) -> int:
        people = [ContactFactory(first_name="Ana", last_name="Ruiz") for _ in range(count)]
        for one in people:
            ListMembershipFactory(contact=one, contact_list=newsletter)
        with CaptureQueriesContext(connection) as queries:
            services.delete_contacts(Contact.objects.filter(pk__in=[one.pk for one in people]))
        return len(queries)

    few = deleted(2)
    assert deleted(20) == few
    left = HistoryEntry.objects.filter(list_uid=newsletter.uid, verb="deleted", what="place on a list")
    assert left.filter(contact_uid__isnull=False).count() == 22
    page = client.get(f"/admin/contacts/contactlist/{newsletter.pk}/history/").content.decode()
    assert "Place on a list deleted" in page and "Ana Ruiz on Newsletter" in page
    contact = ContactFactory()
    ListMembershipFactory(contact=contact, contact_list=newsletter)
    contact.delete()
    assert left.count() == 23, "one alone, too"
