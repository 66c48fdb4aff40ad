"""The staff's pages: fundraising pages and what came by them, the form for a website (O10), calls that failed (O9), a
donation on the page of its gift (O13), and the setting of a network (O7)."""

from datetime import date
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts.duplicates.merge import merge
from contacts.models import ContactList, HistoryEntry, Tag
from contacts.tenancy.keys import ApiToken
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating.background import later, turn
from gifts.donating.donations import record_donation
from gifts.exports import Gifts
from gifts.models import BackgroundCall, Donation, FundraisingPage
from gifts.services import record_gift
from tests.contacts.forms import opened, sent
from tests.contacts.forms import page_of as page_of_contact
from tests.factories import ContactFactory, TenantFactory
from tests.gifts.donating import ANA, JOHN, body, give, page_of, person
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db
LIST = "/admin/gifts/fundraisingpage/"
CALLS = "/admin/gifts/backgroundcall/"
MORE: dict[str, Any] = {
    "identifiers": ["crm:4711"], "action_network:recurrence": {"recurring": True, "period": "Monthly"},
    "action_network:referrer_data": {"source": "spring-mail", "website": "example.org"},
}  # fmt: skip


@pytest.fixture
def page(tenant: Tenant) -> FundraisingPage:
    return page_of(tenant)


def text(response: Any) -> str:
    """What a page says."""
    assert response.status_code == 200
    return unescape(response.content.decode())


def at(page: FundraisingPage, rest: str = "") -> str:
    """The address of a page's page."""
    return f"{LIST}{page.pk}/{rest or 'change/'}"


def queries(client: Client, address: str) -> int:
    """How many it takes."""
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_O14_pages_are_listed_with_what_came_by_them(client: Client, page: FundraisingPage, tenant: Tenant) -> None:
    with in_tenant(tenant):
        give(page, JOHN, "3.00")
        give(page, person(ANA), "1,200.00".replace(",", ""))
    said = text(client.get(LIST))
    assert "Save the River" in said
    assert "$1,203.00" in said
    said = text(client.get(at(page)))
    for words in ("$1,203.00", "John Smith", "2</strong>donations", "Made on"):
        assert words in said


def test_O14_an_empty_list_says_how_pages_come_to_be(client: Client) -> None:
    assert "with an API key" in text(client.get(LIST))
    assert client.get(f"{LIST}add/").status_code == 403  # only programs make them


def test_O14_the_pages_take_as_many_queries_however_much_was_given(
    client: Client, page: FundraisingPage, tenant: Tenant
) -> None:
    found = []
    for number in (1, 6):
        with in_tenant(tenant):
            for n in range(number):
                give(page, person(f"{number}.{n}@rivermail.test"))
                page_of(tenant, title=f"Page {number} {n}")
        client.get(LIST)
        found.append([queries(client, address) for address in (LIST, at(page))])
    assert found[0] == found[1]


def test_O10_a_page_is_closed_and_opened_for_forms_without_a_key(client: Client, page: FundraisingPage) -> None:
    assert client.get(at(page, "without-key/")).status_code == 405
    assert "no more donations" in text(client.post(at(page, "without-key/"), {"verb": "close"}, follow=True))
    with in_tenant(page.tenant):
        assert not FundraisingPage.objects.get().takes_blind
        assert HistoryEntry.objects.filter(what="fundraising page", verb="changed").count() == 1
    assert "A form would be refused" in text(client.get(at(page, "form/")))
    client.post(at(page, "without-key/"), {"verb": "open"})
    with in_tenant(page.tenant):
        assert FundraisingPage.objects.get().takes_blind


def test_O10_the_form_is_shown_previewed_and_can_be_copied(client: Client, page: FundraisingPage) -> None:
    said = text(client.get(at(page, "form/")))
    code = text(client.get(at(page, "form/code/")))
    assert code.strip() in said
    assert f"/api/v2/fundraising_pages/{page.uid}/donations" in code
    assert "<script>" in code
    assert "almoner_" not in code  # no key, ever
    shown = client.get(at(page, "form/preview/"))
    assert "<script" not in text(shown)
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    assert "form-action 'none'" in shown["Content-Security-Policy"]


def test_O10_what_is_chosen_stands_in_the_form_as_text_only(
    client: Client, page: FundraisingPage, tenant: Tenant
) -> None:
    evil = '"><script>alert(1)</script>'
    with in_tenant(tenant):
        Tag.objects.create(name="web")
        FundraisingPage.objects.update(title=evil)
    asked = {"amounts": "5, 7.50", "button": evil, "thanks": evil, "tag": "web", "phone": "on", "texts": "on"}
    code = client.get(at(page, "form/code/"), asked).content.decode()
    assert code.count("<script>") == 1
    assert "alert(1)" in unescape(code)
    for words in ('value="7.50"', 'data-tag="web"', 'name="texts"', 'type="tel"'):
        assert words in code
    assert 'name="news"' not in code
    wrong = text(client.get(at(page, "form/"), asked | {"amounts": "a lot"}))
    assert "Write amounts such as 10, 25, 50." in wrong
    assert 'value="25"' in wrong  # the form stays what it was


def test_O13_the_page_of_a_gift_shows_what_a_donation_has(
    client: Client, page: FundraisingPage, tenant: Tenant
) -> None:
    with in_tenant(tenant):
        gift = record_donation(page, body(JOHN, **MORE)).gift
    said = text(client.get(f"/admin/gifts/gift/{gift.pk}/change/"))
    for words in ("Save the River", "Campaign To Elect Tom", "Every month", "spring-mail", "example.org", "crm:4711"):
        assert words in said


def test_O15_donations_stand_in_the_export_of_gifts(page: FundraisingPage, tenant: Tenant) -> None:
    with in_tenant(tenant):
        by_hand = record_gift(ContactFactory(), 5, date(2026, 1, 1))
        gift = record_donation(page, body(JOHN, **MORE)).gift
        source: Any = object.__new__(Gifts)
        columns = source.columns()
        rows = [
            {column.heading: column.read(row) for column in columns}
            for row in source.read([gift.pk, by_hand.pk], columns, "US")
        ]
    assert (rows[0]["Fundraising page"], rows[0]["Recipients"]) == ("Save the River", "Campaign To Elect Tom: 3.00")
    assert rows[0]["Given again"] == "Monthly"
    assert rows[1]["Fundraising page"] == ""


def failed(tenant: Tenant) -> BackgroundCall:
    """One call that could not be carried out."""
    with in_tenant(tenant):
        closed = FundraisingPage.objects.create(title="By hand", currency="USD")
        later("record_donation", body(JOHN), "API key “Web”", page=closed)
        turn(tenant.pk)
        found: BackgroundCall = BackgroundCall.objects.get()
        return found


def test_O9_calls_that_failed_stand_on_a_page_and_are_tried_again(client: Client, tenant: Tenant) -> None:
    call = failed(tenant)
    said = text(client.get(CALLS))
    for words in ("John Smith", "jsmith@mail.com", "API key “Web”", "made through the API"):
        assert words in said
    assert "could not be noted" in text(client.get("/admin/"))
    assert "2021234444" in text(client.get(f"{CALLS}{call.pk}/change/"))
    assert client.get(f"{CALLS}{call.pk}/again/").status_code == 405
    with in_tenant(tenant):
        FundraisingPage.objects.update(made_by_api=True)
    assert "tried again now" in text(client.post(f"{CALLS}{call.pk}/again/", follow=True))
    with in_tenant(tenant):
        turn(tenant.pk)
        assert Donation.objects.count() == 1
        assert not BackgroundCall.objects.exists()
    assert "There is nothing now" in text(client.get(CALLS))


def test_O9_all_are_tried_again_or_one_is_put_aside(client: Client, tenant: Tenant) -> None:
    call = failed(tenant)
    assert "1 report is tried again" in text(client.post(f"{CALLS}again/", follow=True))
    with in_tenant(tenant):
        turn(tenant.pk)
    assert "put aside" in text(client.post(f"{CALLS}{call.pk}/aside/", follow=True))
    with in_tenant(tenant):
        assert not BackgroundCall.objects.exists()
        assert HistoryEntry.objects.filter(what="failed report", verb="deleted").count() == 1


def test_O9_viewers_look_and_others_see_nothing(tenant: Tenant, neighbour: Tenant, page: FundraisingPage) -> None:
    call = failed(tenant)
    viewer, stranger = logged_in(tenant, Role.VIEWER), logged_in(neighbour)
    for address in (CALLS, f"{CALLS}{call.pk}/change/", LIST, at(page), at(page, "form/")):
        assert viewer.get(address).status_code == 200
    for address in (f"{CALLS}{call.pk}/again/", f"{CALLS}again/", f"{CALLS}{call.pk}/aside/", at(page, "without-key/")):
        assert viewer.post(address).status_code == 403
    for address in (f"{CALLS}{call.pk}/change/", at(page), at(page, "form/"), at(page, "form/code/")):
        assert stranger.get(address).status_code == 404
    for address in (f"{CALLS}{call.pk}/again/", f"{CALLS}{call.pk}/aside/", at(page, "without-key/")):
        assert stranger.post(address).status_code == 404
    assert "John" not in text(stranger.get(CALLS))


def test_O7_the_owner_says_whether_text_messages_travel(client: Client, tenant: Tenant) -> None:
    assert "Your network" not in text(client.get("/admin/organization/"))
    tenant.parent = TenantFactory(name="River State")
    tenant.save()
    assert "River State" in text(client.get("/admin/organization/"))
    client.post(f"{LIST}network/", {"mobile_goes_up": "on"})
    tenant.refresh_from_db()
    assert tenant.mobile_goes_up
    with in_tenant(tenant):
        assert HistoryEntry.objects.filter(what="organization settings").count() == 1
    assert logged_in(tenant, Role.MANAGER).post(f"{LIST}network/", {}).status_code == 403


def test_O6_the_page_of_a_contact_shows_who_agreed_to_text_messages(
    client: Client, page: FundraisingPage, tenant: Tenant
) -> None:
    with in_tenant(tenant):
        ana = give(page, person(ANA, "+12025550123", text="subscribed")).gift.contact
        other = ContactFactory(phone="+12025550177")
    said = text(client.get(page_of_contact(ana)))
    assert "Agreed" in said
    assert "agreed to text messages at +12025550123" in said
    assert "Text messages</h2>" not in text(client.get(page_of_contact(other)))


def test_O3_the_number_of_the_documents_example_is_no_obstacle_to_saving_the_contact(
    client: Client, page: FundraisingPage, tenant: Tenant
) -> None:
    """A program may send a number that nobody can have; staff are only asked about what they change."""
    with in_tenant(tenant):
        john = give(page, JOHN).gift.contact
        form = opened(client, john) | {"first_name": "Johnny"}
        assert sent(client, form, john).status_code == 302
        john.refresh_from_db()
        assert (john.first_name, str(john.phone_numbers.get())) == ("Johnny", "+12021234444")
        name = next(key for key, value in form.items() if value == "+12021234444")
        assert sent(client, opened(client, john) | {name: "+12021234445"}, john).status_code == 200


def test_O5_a_key_names_the_list_that_its_people_join(client: Client, tenant: Tenant, neighbour: Tenant) -> None:
    with in_tenant(neighbour):
        theirs = ContactList.objects.create(name="Theirs")
    with in_tenant(tenant):
        news = ContactList.objects.create(name="News")
    form = {"name": "Web", "scopes": ["osdi"], "days": "90"}
    assert "Theirs" not in text(client.get("/admin/keys/new/"))
    client.post("/admin/keys/new/", form | {"joins": theirs.pk})
    client.post("/admin/keys/new/", form | {"joins": news.pk})
    with in_tenant(tenant):
        assert ApiToken.objects.get().joins == news
    assert "People join “News”" in text(client.get("/admin/keys/"))


def test_O15_a_merge_by_staff_keeps_the_donations(page: FundraisingPage, tenant: Tenant, client: Client) -> None:
    with in_tenant(tenant):
        ana = ContactFactory(email=ANA)
        merge(ana, give(page, JOHN).gift.contact)
        assert Donation.objects.get().gift.contact == ana
    assert str(ana) in text(client.get(at(page)))
