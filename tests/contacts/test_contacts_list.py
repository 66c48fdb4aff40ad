"""The list of contacts: columns, search, filters, and bulk actions that go through the history like everything else."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts import services, signals
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactList,
    CustomField,
    HistoryEntry,
    ListMembership,
    OutsideIdentifier,
)
from contacts.search import contacts_matching
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory
from tests.tenancy.people import logged_in
from tests.tenancy.walk import Fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
PAGE = "/admin/contacts/contact/"


def people(count: int, **values: Any) -> list[Contact]:
    """Some contacts, each with a list and two tags."""
    made: list[Contact] = []
    for _ in range(count):
        contact: Any = ContactFactory(**values)
        ListMembershipFactory(contact=contact, contact_list=ContactList.objects.first() or ContactListFactory())
        services.set_tags(contact, [], ["volunteer", "donor"])
        made.append(contact)
    return made


# --- the page ---


def test_the_filters_in_use_are_named_and_each_is_taken_off_by_itself(client: Client) -> None:
    news = ContactListFactory(name="Teachers and schools")
    ListMembershipFactory(contact=ContactFactory(first_name="Ana"), contact_list=news)
    page = client.get(PAGE, {"list": news.pk, "do_not_contact": "no", "kind__exact": "person", "q": "ana"})
    chips = page.content.decode().partition('aria-label="Filters in use"')[2].partition("</ul>")[0]
    said = " ".join(re.sub("<[^>]+>", " ", chips).split())
    for words in ("List: Teachers and schools", "Do Not Contact: No", "Person"):
        assert words in said
    without = [unescape(link) for link in re.findall(r'href="([^"]+)"', chips)]
    assert sum(f"list={news.pk}" in link for link in without) == len(without) - 1 == 2
    assert all("q=ana" in link for link in without), "the search stays"
    assert 'aria-label="Filters in use"' not in client.get(PAGE, {"q": "ana"}).content.decode()


def test_a_filter_on_a_field_of_ones_own_is_named_by_what_was_typed(client: Client) -> None:
    field = CustomField.objects.create(name="Shoe size", kind=CustomField.Kind.NUMBER)
    page = client.get(PAGE, {f"field_{field.pk}_from": "40", f"field_{field.pk}_to": "42"}).content.decode()
    assert "Shoe size: <b>from 40, to 42</b>" in page


def test_a_row_shows_what_staff_look_for(client: Client) -> None:
    contact = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test", email_state="bounced",
                             do_not_contact=True, job_title="Treasurer")  # fmt: skip
    ListMembershipFactory(contact=contact, contact_list=ContactListFactory(name="Newsletter"))
    services.set_tags(contact, [], ["volunteer"])
    page = client.get(PAGE).content.decode()
    for text in ("Ana Ruiz", "Treasurer", "ana@rivermail.test", "Bounced", "Newsletter", "volunteer", "Do Not Contact"):
        assert text in page, text


def test_more_rows_take_no_more_queries(client: Client) -> None:
    people(3)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    people(20)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(many) == len(few) <= 20


def test_an_empty_page_says_what_to_do_next(client: Client) -> None:
    assert "Add the people and organizations you know" in client.get(PAGE).content.decode()
    assert "There are no contacts yet" in client.get("/admin/").content.decode()
    ContactFactory()
    assert "Nothing matches" in client.get(PAGE, {"q": "zzz"}).content.decode()
    assert "Next: make a list" in client.get("/admin/").content.decode()


def test_the_first_page_counts_and_leads_to_whom_it_counts(client: Client, neighbour: Tenant) -> None:
    ContactFactory(tenant=neighbour, do_not_contact=True)
    ContactFactory(do_not_contact=True)
    ContactFactory(email_state="bounced")
    page = client.get("/admin/").content.decode()
    assert "<strong>2</strong>contacts" in page
    assert "<strong>1</strong>marked Do Not Contact" in page
    assert f'{PAGE}?email=bounced&amp;do_not_contact=no"><strong>1</strong>' in page


# --- search and filters ---

SEARCHES = {
    "ruiz": {"ana"}, "RUIZ ana": {"ana"}, "ana smith": set(), "river bak": {"bakery"}, "ana@river": {"ana"},
    "555-0132": {"ana"}, "(415) 555 0132": {"ana"}, "4711": {"ben"}, "X-9": {"bakery"}, "": {"ana", "ben", "bakery"},
    "100%": set(), "_": {"ben"},
}  # fmt: skip


@pytest.mark.parametrize("text", SEARCHES)
def test_search_finds_by_name_address_phone_organization_and_id(text: str, client: Client, neighbour: Tenant) -> None:
    ContactFactory(tenant=neighbour, first_name="Ana", last_name="Ruiz", phone="+14155550132")
    made = {
        "ana": ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test", phone="+14155550132"),
        "ben": ContactFactory(first_name="Ben", last_name="Ito", email="b_ito@harbormail.test"),
        "bakery": ContactFactory(kind="organization", first_name="", last_name="", email="",
                                 organization_name="Riverside Bakery", custom_user_id="X-9"),
    }  # fmt: skip
    OutsideIdentifier.objects.create(contact=made["ben"], system="Old database", value="4711")
    found = contacts_matching(Contact.objects.all(), text)
    assert {name for name, contact in made.items() if contact in found} == SEARCHES[text]
    assert found.count() == len(SEARCHES[text]), "each once, and none of the neighbour's"
    page = client.get(PAGE, {"q": text}).content.decode()
    assert ("Riverside Bakery" in page) == ("bakery" in SEARCHES[text])


def test_each_filter_narrows_the_list(client: Client) -> None:
    on_list = ListMembershipFactory(contact=ContactFactory(last_name="Listed"))
    tagged = ContactFactory(last_name="Tagged")
    services.set_tags(tagged, [], ["volunteer"])
    ContactFactory(last_name="Silent", do_not_contact=True)
    ContactFactory(last_name="Bouncy", email_state="bounced")
    ContactFactory(last_name="Mute", email="")
    ContactFactory(kind="organization", last_name="Firm", email="")
    cases = {
        "list": (on_list.contact_list_id, {"Listed"}), "tag": (tagged.contact_tags.get().tag_id, {"Tagged"}),
        "do_not_contact": ("yes", {"Silent"}), "email": ("bounced", {"Bouncy"}),
        "kind__exact": ("organization", {"Firm"}),
    }  # fmt: skip
    names = {"Listed", "Tagged", "Silent", "Bouncy", "Mute", "Firm"}

    def shown(query: dict[str, Any]) -> set[str]:
        page = client.get(PAGE, query).content.decode().partition('id="result_list"')[2]
        return {name for name in names if f" {name}</" in page or f">{name}</" in page}

    for name, (value, expected) in cases.items():
        assert shown({name: value}) == expected, name
    assert shown({"email": "none"}) == {"Mute", "Firm"}
    assert shown({"do_not_contact": "no"}) == names - {"Silent"}
    assert shown({"list": "x"}) == set()


# --- bulk actions ---


def act(client: Client, action: str, contacts: list[Contact], confirmed: bool = True, **more: Any) -> Any:
    """Choose rows and an action, and confirm it as the page in between does."""
    first = client.post(PAGE, {"action": action, "_selected_action": [c.pk for c in contacts], "index": 0, **more})
    assert first.status_code == 200, "first a page that asks"
    if not confirmed:
        return first
    fields = Fields(first.content.decode()).values
    return client.post(PAGE, fields | {"_selected_action": [c.pk for c in contacts], **more}, follow=True)


def test_do_not_contact_is_set_for_many_with_history_consent_and_an_announcement(client: Client) -> None:
    contacts, bystander = people(4), ContactFactory()
    heard: list[Any] = []

    def listen(sender: Any, uids: Any, is_opt_out: bool, **kwargs: Any) -> None:
        heard.append((set(uids), is_opt_out))

    signals.contacts_changed.connect(listen)
    try:
        page = act(client, "set_do_not_contact", contacts)
    finally:
        signals.contacts_changed.disconnect(listen)
    assert "4 contacts marked Do Not Contact." in page.content.decode()
    assert Contact.objects.filter(do_not_contact=True).count() == 4
    assert heard == [({c.uid for c in contacts}, True)]
    assert ConsentEvent.objects.filter(kind="dnc_set", by="staff").count() == 4
    assert HistoryEntry.objects.filter(verb="changed", by="staff").count() == 4
    bystander.refresh_from_db()
    assert not bystander.do_not_contact


def test_do_not_contact_is_cleared_for_many(client: Client) -> None:
    contacts = people(2, do_not_contact=True)
    act(client, "clear_do_not_contact", contacts)
    assert not Contact.objects.filter(do_not_contact=True).exists()
    assert ConsentEvent.objects.filter(kind="dnc_cleared").count() == 2


def test_the_page_in_between_counts_explains_and_changes_nothing(client: Client) -> None:
    extra: Any = ContactFactory(do_not_contact=True)
    contacts = [*people(3), extra]
    before = HistoryEntry.objects.count()
    page = act(client, "set_do_not_contact", contacts, confirmed=False).content.decode()
    assert "3 contacts will be marked Do Not Contact. Marked already: 1." in page
    assert "leave every newsletter" in page
    assert HistoryEntry.objects.count() == before


def test_contacts_are_put_on_a_list_and_taken_off_again(client: Client) -> None:
    contacts, contact_list = people(3), ContactListFactory(name="Gala")
    contact_list.synchronize = True
    contact_list.save()
    ListMembershipFactory(contact=contacts[0], contact_list=contact_list)
    assert "Gala (synchronized)" in act(client, "add_to_list", contacts, confirmed=False).content.decode()
    asked = {"app_label": "contacts", "model_name": "listmembership", "field_name": "contact_list", "term": "gala"}
    found = client.get("/admin/autocomplete/", asked).json()["results"]
    assert found == [{"id": str(contact_list.pk), "text": "Gala (synchronized)"}]
    page = act(client, "add_to_list", contacts, contact_list=contact_list.pk)
    assert "2 contacts added to “Gala”. 1 contact was on it already." in page.content.decode()
    assert contact_list.memberships.count() == 3
    act(client, "take_off_list", contacts[:2], contact_list=contact_list.pk)
    assert list(contact_list.memberships.values_list("contact", flat=True)) == [contacts[2].pk]
    verbs = HistoryEntry.objects.filter(list_uid=contact_list.uid, by="staff").values_list("verb", flat=True)
    assert sorted(verbs) == ["added", "added", "deleted", "deleted"]


def test_a_bulk_action_without_a_list_asks_again(client: Client) -> None:
    contacts = people(1)
    before = ListMembership.objects.count()
    answer = act(client, "add_to_list", contacts)
    assert "This field is required" in answer.content.decode()
    assert ListMembership.objects.count() == before


def test_T3_a_neighbours_list_cannot_be_chosen(client: Client, neighbour: Tenant) -> None:
    theirs = ContactListFactory(tenant=neighbour, name="Theirs")
    page = act(client, "add_to_list", people(1), contact_list=theirs.pk).content.decode()
    assert "Theirs" not in page
    with inside(neighbour):
        assert not ListMembership.objects.exists()


def test_everybody_who_matches_is_reached_across_pages(client: Client) -> None:
    for _ in range(60):
        ContactFactory(last_name="Match")
    other = ContactFactory(last_name="Other")
    url = f"{PAGE}?q=match"
    one = Contact.objects.filter(last_name="Match").first()
    first = client.post(
        url, {"action": "set_do_not_contact", "_selected_action": one.pk, "select_across": 1, "index": 0}
    )
    assert "60 contacts will be marked" in first.content.decode()
    client.post(url, Fields(first.content.decode()).values)
    assert Contact.objects.filter(do_not_contact=True).count() == 60
    other.refresh_from_db()
    assert not other.do_not_contact


def test_contacts_are_deleted_in_bulk(client: Client) -> None:
    contacts = people(3)
    page = act(client, "delete_contacts", contacts[:2])
    assert "2 contacts deleted." in page.content.decode()
    assert Contact.objects.count() == 1
    assert HistoryEntry.objects.filter(verb="deleted", what="contact").count() == 2


@pytest.mark.parametrize("action", ["add_to_list", "take_off_list", "set_do_not_contact", "clear_do_not_contact"])
def test_a_bulk_action_takes_no_more_queries_for_more_contacts(action: str, client: Client) -> None:
    contacts = people(60, do_not_contact=action == "clear_do_not_contact")
    target = ContactListFactory()
    if action == "take_off_list":
        services.add_to_list(target, Contact.objects.all())

    def queries(some: list[Contact]) -> int:
        data = {"action": action, "_selected_action": [c.pk for c in some], "index": 0, "confirmed": "yes"}
        with CaptureQueriesContext(connection) as captured:
            assert client.post(PAGE, data | {"contact_list": target.pk}).status_code == 302
        return len(captured)

    few = queries(contacts[:5])
    assert queries(contacts[5:60]) <= few + 5


@pytest.mark.parametrize("action", ["add_to_list", "set_do_not_contact", "delete_contacts"])
def test_a_viewer_has_no_bulk_actions(action: str, tenant: Tenant) -> None:
    contacts = people(2)
    viewer = logged_in(tenant, Role.VIEWER)
    data = {"action": action, "_selected_action": [c.pk for c in contacts], "index": 0, "confirmed": "yes"}
    viewer.post(PAGE, data | {"contact_list": ContactList.objects.get().pk})
    assert Contact.objects.filter(do_not_contact=False).count() == 2
    assert not HistoryEntry.objects.filter(by="staff").exists()


# --- nonsense ---


@pytest.mark.parametrize(
    "query",
    [{"p": "abc"}, {"p": "0"}, {"p": "-5"}, {"p": "9" * 40}, {"o": "abc"}, {"o": "9" * 40}, {"list": "9" * 40},
     {"tag": "9" * 40}, {"list": "-1"}, {"tag": "²"}, {"email": "x"}, {"do_not_contact": "x"}, {"q": "9" * 40}],
)  # fmt: skip
def test_nonsense_in_the_address_gives_a_page(query: dict[str, str], client: Client) -> None:
    people(2)
    assert client.get(PAGE, query).status_code == 200


def test_a_page_number_that_is_too_high_shows_the_last_page(client: Client) -> None:
    for n in range(60):
        ContactFactory(first_name="Ana", last_name=f"Name{n:02d}")
    page = client.get(PAGE, {"p": "99"}).content.decode()
    assert "Ana Name59" in page and "Ana Name00" not in page


@pytest.mark.parametrize("ticked", [["abc"], ["9" * 40], ["-1"], ["²"], [""], ["abc", "1 OR 1=1"]])
def test_a_hand_made_form_chooses_nobody(ticked: list[str], client: Client) -> None:
    contact = ContactFactory()
    data = {"action": "delete_contacts", "index": 0, "confirmed": "yes", "_selected_action": ticked}
    assert client.post(PAGE, data).status_code in (200, 302)
    assert client.post(PAGE, data | {"_selected_action": [*ticked, contact.pk]}).status_code == 302
    assert not Contact.objects.exists(), "what is a number counts"


def test_names_are_sorted_by_first_name_as_well_and_backwards(client: Client) -> None:
    for first, last in (("Bea", "Ruiz"), ("Ana", "Ruiz"), ("Zoe", "Abt")):
        ContactFactory(first_name=first, last_name=last)

    def order(o: str) -> list[str]:
        page = client.get(PAGE, {"o": o}).content.decode().partition('id="result_list"')[2]
        return sorted(["Ana Ruiz", "Bea Ruiz", "Zoe Abt"], key=page.index)

    assert order("1") == ["Zoe Abt", "Ana Ruiz", "Bea Ruiz"]
    assert order("-1") == ["Bea Ruiz", "Ana Ruiz", "Zoe Abt"]


def test_the_list_says_whether_mail_reaches_somebody_and_why_not(client: Client) -> None:
    ContactFactory(last_name="Yes")
    ContactFactory(last_name="Silent", do_not_contact=True)
    ContactFactory(last_name="Bouncy", email_state="bounced")
    ContactFactory(last_name="Mute", email="")
    out = ContactFactory(last_name="Gone", email="gone@rivermail.test")
    ConsentEvent.objects.create(
        contact_uid=out.uid, contact_name="Gone", address="gone@rivermail.test", kind="opt_out", by="person", place="m"
    )
    asked = ContactFactory(last_name="Careful", email="careful@rivermail.test")
    only = ContactFactory(last_name="Partly", email="partly@rivermail.test")
    for contact, kind, by in ((asked, "dnc_set", "person"), (asked, "dnc_cleared", "staff")):
        ConsentEvent.objects.create(contact_uid=contact.uid, contact_name="x", kind=kind, by=by)
    ConsentEvent.objects.create(
        contact_uid=only.uid, contact_name="x", kind="opt_out", by="person", list_uid=ContactListFactory().uid
    )
    page = client.get(PAGE).content.decode().partition('id="result_list"')[2]
    shown = {row.split("</")[0] for row in page.split("al-badge al-")[1:]}
    words = [
        ("good", "Yes"), ("bad", "No, Do Not Contact"), ("warn", "No, mail bounced"), ("none", "No email address"),
        ("bad", "No, they opted out"), ("warn", "Only after they confirm"), ("warn", "Not for every list"),
    ]  # fmt: skip
    assert {f'{look}">{word}' for look, word in words} <= shown
