"""Exports: what was asked for and nothing else, page by page, noted in the log, and never without Do Not Contact."""

import csv
import gc
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import python_calamine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import custom, services
from contacts.exporting import pages
from contacts.exporting.cells import as_written
from contacts.importing.columns import Choices, recognise
from contacts.models import (
    ConsentEvent,
    Contact,
    CustomField,
    EmailAddress,
    Export,
    HistoryEntry,
    Household,
    OutsideIdentifier,
    PhoneNumber,
    PostalAddress,
)
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory, ContactListFactory, EmailAddressFactory, ListMembershipFactory
from tests.tenancy.people import logged_in
from tests.tenancy.walk import Fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
NEW, LOG = "/admin/contacts/export/new/", "/admin/contacts/export/"
ALWAYS = {"Do Not Contact", "Do Not Contact on lists", "Opted out themselves"}


def body(answer: Any) -> bytes:
    """The file, read to its end."""
    assert answer.streaming, answer.content.decode()[:2000]
    return b"".join(answer.streaming_content)


def parsed(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file, cells as they were written."""
    text = content.decode("utf-8-sig")
    return [{key: as_written(cell) for key, cell in row.items()} for row in csv.DictReader(StringIO(text))]


def exported(
    client: Client, what: str = "contacts", columns: Any = ("Last name",), **more: Any
) -> list[dict[str, str]]:
    """The rows of an export with these columns."""
    return parsed(body(client.post(NEW, {"what": what, "form": "csv", "column": list(columns), **more})))


def headings(client: Client, **query: Any) -> list[str]:
    """Every column that the page offers."""
    html = client.get(NEW, query).content.decode()
    return [part.split('"')[0] for part in html.split('name="column" value="')[1:]]


# --- what is in the file ---


def test_a_file_has_all_that_is_known_of_a_contact(client: Client, tenant: Tenant) -> None:
    home = Household.objects.create(name="The Ruiz family")
    ana: Any = ContactFactory(first_name="Ana", last_name="Ruiz", job_title="Treasurer", notes="Two\nlines",
                              organization_name="River Bakery", custom_user_id="X-9", household=home,
                              email="ana@rivermail.test", email_state="bounced", phone="+14155550132")  # fmt: skip
    ContactFactory(first_name="Ben", last_name="Ruiz", household=home, email="")
    EmailAddressFactory(contact=ana, address="second@rivermail.test")
    PhoneNumber.objects.create(contact=ana, number="+442079460958")
    PostalAddress.objects.create(contact=ana, street="1 Mill Lane", city="Salem", state="OR", postal_code="02139",
                                 country="US", is_primary=True)  # fmt: skip
    PostalAddress.objects.create(contact=ana, street="2 Hill Road", city="Astoria")
    OutsideIdentifier.objects.create(contact=ana, system="Old database", value="4711")
    services.set_tags(ana, [], ["volunteer", "donor"])
    for name in ("Newsletter", "Gala"):
        ListMembershipFactory(contact=ana, contact_list=ContactListFactory(name=name), do_not_contact=name == "Gala")
    size = CustomField.objects.create(name="T-shirt size", kind="text")
    age = CustomField.objects.create(name="Age", kind="number")
    custom.set_values(ana, {size: "L", age: "-5.5"})
    rows = exported(client, columns=headings(client))
    row = next(row for row in rows if row["First name"] == "Ana")
    assert row == {
        "First name": "Ana", "Last name": "Ruiz", "Organization": "River Bakery", "Job title": "Treasurer",
        "Kind": "Person", "Household": "The Ruiz family", "Household greeting": "Ana and Ben",
        "Email": "ana@rivermail.test", "Email problem": "Bounced", "Other emails": "second@rivermail.test",
        "Phone": "(415) 555-0132", "Other phones": "+44 20 7946 0958", "Street": "1 Mill Lane", "City": "Salem",
        "State": "OR", "Postal code": "02139", "Country": "US", "Other addresses": "2 Hill Road, Astoria",
        "Do Not Contact": "", "Do Not Contact on lists": "Gala", "Opted out themselves": "",
        "Lists": "Gala; Newsletter",
        "Tags": "donor; volunteer", "Notes": "Two\nlines", "Id elsewhere": "X-9", "Other ids": "Old database: 4711",
        "Added on": timezone.localtime(ana.created_at, tenant.tz).strftime("%Y-%m-%d"),
        "Last changed": timezone.localtime(ana.updated_at, tenant.tz).strftime("%Y-%m-%d %H:%M"),
        "Almoner id": str(ana.uid), "Age": "-5.5", "T-shirt size": "L",
    }  # fmt: skip


def test_an_opt_out_is_in_the_file_whatever_was_ticked(client: Client) -> None:
    everywhere: Any = ContactFactory(last_name="Everywhere", do_not_contact=True)
    here: Any = ContactFactory(last_name="Here")
    ListMembershipFactory(contact=here, contact_list=ContactListFactory(name="Gala"), do_not_contact=True)
    there: Any = ContactFactory(last_name="There", email="There@rivermail.test")
    ContactFactory(last_name="Willing")
    with acting(By.PERSON, "Mailchimp"):
        ConsentEvent.by_actor("opt_out", uid_of_a_namesake(), address="there@rivermail.test",
                              place="mailchimp audience:ab12").save()  # fmt: skip
        ConsentEvent.by_actor("opt_out", everywhere.uid, address="").save()
    rows = {row.pop("Last name"): row for row in exported(client)}
    assert all(set(row) == ALWAYS for row in rows.values())
    found = {name: tuple(row.values()) for name, row in rows.items()}
    assert found == {
        "Everywhere": ("yes", "", "everything"), "Here": ("", "Gala", ""),
        "There": ("", "", "newsletter at Mailchimp"), "Namesake": ("", "", "newsletter at Mailchimp"),
        "Willing": ("", "", ""),
    }  # fmt: skip
    assert there.do_not_contact is False, "the word alone is enough"


def uid_of_a_namesake() -> Any:
    """Somebody else's: the word follows the person and the address alike."""
    contact: Any = ContactFactory(last_name="Namesake", email="")
    return contact.uid


def test_the_columns_about_consent_cannot_be_unticked(client: Client) -> None:
    ContactFactory()
    page = client.get(NEW).content.decode()
    assert page.count("checked disabled") == len(ALWAYS)
    assert not ALWAYS & set(headings(client))


def test_the_search_and_filters_of_the_page_hold_in_the_file(client: Client, neighbour: Tenant) -> None:
    ContactFactory(tenant=neighbour, last_name="Ruiz", do_not_contact=True)
    ContactFactory(last_name="Ruiz", do_not_contact=True)
    ContactFactory(last_name="Ruiz")
    ContactFactory(last_name="Other", do_not_contact=True)
    query = "q=ruiz&do_not_contact=yes&p=2"
    rows = exported(client, query=query)
    assert [(row["Last name"], row["Do Not Contact"]) for row in rows] == [("Ruiz", "yes")]
    page = client.get(NEW, {"query": query}).content.decode()
    assert "1 contact" in page
    assert "search: ruiz; Do Not Contact: Yes" in page
    assert Export.objects.get().chosen == "search: ruiz; Do Not Contact: Yes"


def test_the_page_of_contacts_leads_to_its_own_export(client: Client) -> None:
    ContactFactory(last_name="Ruiz")
    page = client.get("/admin/contacts/contact/", {"q": "ruiz"}).content.decode()
    address = page.split("/admin/contacts/export/new/")[1].split('"')[0].replace("&amp;", "&")
    assert parse_qs(urlsplit(address).query) == {"what": ["contacts"], "query": ["q=ruiz"]}


def test_rows_that_were_ticked_are_exported_and_no_others(client: Client) -> None:
    ana, ben = ContactFactory(last_name="Ruiz"), ContactFactory(last_name="Ito")
    ContactFactory(last_name="Other")
    data = {"action": "export_contacts", "_selected_action": [ana.pk, ben.pk], "index": 0}
    asked = client.post("/admin/contacts/contact/", data).content.decode()
    assert "2 chosen by hand" in asked
    assert not Export.objects.exists(), "nothing was taken out yet"
    pks = [part.split('"')[0] for part in asked.split('name="pk" value="')[1:]]
    assert [row["Last name"] for row in exported(client, pk=pks)] == ["Ito", "Ruiz"]


def test_everybody_across_pages_is_named_by_the_search(client: Client) -> None:
    for _ in range(3):
        ContactFactory(last_name="Ruiz")
    one: Any = ContactFactory(last_name="Other")
    data = {"action": "export_contacts", "_selected_action": [one.pk], "index": 0, "select_across": 1}
    asked = client.post("/admin/contacts/contact/?q=ruiz", data).content.decode()
    assert "3 contacts" in asked
    assert 'name="pk"' not in asked
    assert Fields(asked).values["query"] == "q=ruiz"


def test_members_of_a_list_come_with_what_is_said_of_them_there(client: Client, neighbour: Tenant) -> None:
    gala: Any = ContactListFactory(name="Gala")
    ListMembershipFactory(contact=ContactFactory(last_name="Ruiz"), contact_list=gala, position="Chair")
    ListMembershipFactory(contact=ContactFactory(last_name="Ito"), contact_list=gala, do_not_contact=True)
    ContactFactory(last_name="Other")
    rows = exported(client, "members", ["Last name", "Position on the list"], query=f"list={gala.pk}")
    assert [(r["Last name"], r["Position on the list"], r["Do Not Contact here"]) for r in rows] == [
        ("Ito", "", "yes"), ("Ruiz", "Chair", ""),
    ]  # fmt: skip
    assert Export.objects.get().what == "members of Gala"
    assert len(exported(client, "members", query=f"list={gala.pk}&q=ruiz")) == 1
    assert f"list%3D{gala.pk}" in client.get(f"/admin/contacts/contactlist/{gala.pk}/change/").content.decode()


def test_the_consent_ledger_and_the_history_are_exported_with_the_filters_of_their_pages(client: Client) -> None:
    with acting(By.STAFF, "Almoner"):
        contact: Any = ContactFactory(first_name="An", last_name="Ruiz")
        contact.first_name = "Ana"
        contact.save()
        services.set_do_not_contact(Contact.objects.filter(pk=contact.pk), True)
    ledger = exported(client, "consent", headings(client, what="consent"), query="kind__exact=dnc_set")
    assert [(row["Decision"], row["Name"]) for row in ledger] == [("Do Not Contact set", "Ana Ruiz")]
    assert exported(client, "consent", ["When"], query="kind__exact=opt_in") == []
    history = exported(client, "history", headings(client, what="history"), query="verb__exact=changed")
    assert {row["Changes"] for row in history} == {"First name: An → Ana", "Do Not Contact: no → yes"}
    assert len(exported(client, "history", ["When"])) == HistoryEntry.objects.count()


def test_times_are_those_of_the_organization(client: Client, tenant: Tenant) -> None:
    moment = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)
    ContactFactory(last_name="Ruiz", created_at=moment)
    assert tenant.time_zone == "America/New_York"
    assert exported(client, columns=["Added on"])[0]["Added on"] == "2025-12-31"


# --- hostile values, and the way back ---

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "O'Brien",
    "'=1",
    'He said "no"',
    "a\nb",
    "Zoë 小明",
]


def test_hostile_values_do_not_run_and_come_back_as_they_were(client: Client) -> None:
    for value in HOSTILE:
        ContactFactory(last_name=value)
    content = body(client.post(NEW, {"form": "csv", "column": ["Last name"]})).decode("utf-8-sig")
    raw = [row["Last name"] for row in csv.DictReader(StringIO(content))]
    assert not [cell for cell in raw if cell.lstrip()[:1] in ("=", "+", "-", "@")]
    assert sorted(map(as_written, raw)) == sorted(HOSTILE)
    book = python_calamine.CalamineWorkbook.from_filelike(
        BytesIO(body(client.post(NEW, {"form": "xlsx", "column": ["Last name"]})))
    )
    rows = book.get_sheet_by_index(0).to_python()
    place = rows[0].index("Last name")
    assert sorted(str(row[place]) for row in rows[1:]) == sorted(HOSTILE)


# What the import takes each column of ours for. Those with "" are for people to read, and left alone.
COMES_BACK_AS = {
    "First name": "first_name", "Last name": "last_name", "Organization": "organization_name",
    "Job title": "job_title", "Kind": "kind", "Household": "", "Household greeting": "", "Email": "email",
    "Email problem": "", "Other emails": "other_email", "Phone": "phone", "Other phones": "other_phone",
    "Street": "street", "City": "city", "State": "state", "Postal code": "postal_code", "Country": "country",
    "Other addresses": "", "Do Not Contact": "do_not_contact", "Do Not Contact on lists": "dnc_lists",
    "Opted out themselves": "", "Do Not Contact here": "", "Position on the list": "", "On the list since": "",
    "Lists": "lists", "Tags": "tags", "Notes": "notes", "Id elsewhere": "custom_user_id",
    "Other ids": "identifiers", "Added on": "", "Last changed": "", "Almoner id": "uid",
}  # fmt: skip


def test_the_import_recognises_the_headings_of_an_export(client: Client) -> None:
    size = CustomField.objects.create(name="T-shirt size", kind="text")
    contact: Any = ContactFactory()
    custom.set_values(contact, {size: "L"})
    gala: Any = ContactListFactory()
    ListMembershipFactory(contact=contact, contact_list=gala)
    query = f"list={gala.pk}"
    row = exported(client, "members", headings(client, what="members", query=query), query=query)[0]
    taken_for = recognise(list(row), [list(row.values())], Choices.here())
    assert dict(zip(row, taken_for, strict=True)) == COMES_BACK_AS | {"T-shirt size": f"custom:{size.uid}"}


def test_a_custom_field_called_like_a_column_of_ours_gets_a_heading_of_its_own(client: Client) -> None:
    field = CustomField.objects.create(name="email", kind="text")
    contact: Any = ContactFactory(email="ana@rivermail.test")
    custom.set_values(contact, {field: "mine"})
    row = exported(client, columns=["Email", "email (own field)"])[0]
    assert (row["Email"], row["email (own field)"]) == ("ana@rivermail.test", "mine")


# --- streaming ---


def test_the_first_bytes_come_before_anybody_was_read(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    for _ in range(7):
        ContactFactory()
    answer: Any = client.post(NEW, {"form": "csv", "column": ["Last name"]})
    pieces = iter(answer.streaming_content)
    with CaptureQueriesContext(connection) as queries:
        assert b"Last name" in next(pieces)
    assert len(queries) == 0
    export = Export.objects.get()
    assert export.rows is None, "noted before the first byte, not finished yet"
    next(pieces)
    assert Contact.objects.count() == 7
    assert len(list(pieces)) == 3
    export.refresh_from_db()
    assert export.rows == 7


def test_queries_grow_with_pages_only(client: Client, monkeypatch: Any) -> None:
    def queries(size: int) -> int:
        monkeypatch.setattr(pages, "PAGE", size)
        answer = client.post(NEW, {"form": "csv", "column": headings(client)})
        with CaptureQueriesContext(connection) as captured:
            body(answer)
        return len(captured)

    home = Household.objects.create(name="Home")
    field = CustomField.objects.create(name="Size", kind="text")
    gala: Any = ContactListFactory()
    for _ in range(12):
        contact: Any = ContactFactory(phone="+14155550132", household=home)
        ListMembershipFactory(contact=contact, contact_list=gala)
        custom.set_values(contact, {field: "L"})
    one_page, two_pages, four_pages = queries(12), queries(6), queries(3)
    assert four_pages - two_pages == 2 * (two_pages - one_page) <= 26
    assert queries(100) == one_page


def test_who_is_in_the_file_is_settled_at_its_beginning_and_what_is_said_of_them_is_fresh(
    client: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr(pages, "PAGE", 1)
    people: list[Any] = [ContactFactory(last_name=name) for name in ("A", "B", "C", "D")]
    answer: Any = client.post(NEW, {"form": "csv", "column": ["Last name"], "query": "do_not_contact=no"})
    pieces = iter(answer.streaming_content)
    content = next(pieces) + next(pieces)
    ContactFactory(last_name="Aa")
    people[0].last_name = "Z"
    people[0].save()
    people[1].delete()
    services.set_do_not_contact(Contact.objects.filter(last_name="C"), True)
    rows = parsed(content + b"".join(pieces))
    assert [(row["Last name"], row["Do Not Contact"]) for row in rows] == [("A", ""), ("C", "yes"), ("D", "")]
    assert Export.objects.get().rows == 3


def test_a_download_that_is_broken_off_stays_unfinished_in_the_log(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(pages, "PAGE", 1)
    for _ in range(3):
        ContactFactory()
    answer: Any = client.post(NEW, {"form": "csv", "column": ["Last name"]})
    pieces = iter(answer.streaming_content)
    next(pieces), next(pieces)
    del pieces, answer  # the browser has gone; closing the answer would close the test's database as well
    gc.collect()
    assert Export.objects.get().rows is None
    assert "Not finished" in client.get(LOG).content.decode()


# --- the page, the log, and who may ---


def test_the_page_remembers_what_a_person_chose_last(client: Client, tenant: Tenant) -> None:
    ContactFactory()
    page = client.get(NEW).content.decode()
    assert 'value="First name" checked' in page
    assert 'value="Household" checked' not in page
    assert 'value="xlsx" checked' in page
    exported(client, columns=["Household", "Email"])
    page = client.get(NEW).content.decode()
    assert 'value="First name" checked' not in page
    assert 'value="Household" checked' in page
    assert 'value="csv" checked' in page
    assert 'value="First name" checked' in client.get(NEW, {"columns": "usual"}).content.decode()
    assert client.get(NEW, {"columns": "all"}).content.decode().count(" checked>") == len(headings(client)) + 1
    other = logged_in(tenant, Role.STAFF)
    assert 'value="First name" checked' in other.get(NEW).content.decode(), "each has their own"


def test_an_export_without_columns_asks_again(client: Client) -> None:
    ContactFactory()
    answer = client.post(NEW, {"form": "csv"})
    assert not answer.streaming
    assert "Tick at least one column." in answer.content.decode()
    assert not Export.objects.exists()


def test_an_export_of_nobody_says_so(client: Client) -> None:
    page = client.get(NEW, {"query": "q=zzz"}).content.decode()
    assert "nothing to export" in page
    assert "Download" not in page


def test_opening_the_page_is_no_export(client: Client) -> None:
    ContactFactory()
    client.get(NEW, {"form": "csv", "column": "Last name"})
    assert not Export.objects.exists()


def test_the_log_tells_who_took_out_what_when_and_how_much(client: Client, tenant: Tenant, neighbour: Tenant) -> None:
    ContactFactory(last_name="Ruiz")
    exported(client, query="q=ruiz")
    export = Export.objects.get()
    page = client.get(LOG).content.decode()
    for text in ("Contacts", "search: ruiz", export.actor_label, "CSV"):
        assert text in page, text
    assert "Last name" in client.get(f"{LOG}{export.pk}/change/").content.decode()
    assert client.post(f"{LOG}{export.pk}/delete/", {"post": "yes"}).status_code == 403
    next_door = logged_in(neighbour)
    assert "search: ruiz" not in next_door.get(LOG).content.decode()
    assert next_door.get(f"{LOG}{export.pk}/change/").status_code == 404


@pytest.mark.parametrize("role", [Role.STAFF, Role.MANAGER, Role.OWNER])
def test_staff_managers_and_owners_may_export(role: str, tenant: Tenant) -> None:
    ContactFactory(last_name="Ruiz")
    assert len(exported(logged_in(tenant, role))) == 1


def test_a_viewer_may_not_export_and_is_told_so(tenant: Tenant) -> None:
    contact: Any = ContactFactory(last_name="Ruiz")
    viewer = logged_in(tenant, Role.VIEWER)
    for answer in (viewer.get(NEW), viewer.post(NEW, {"form": "csv", "column": ["Last name"]}), viewer.get(LOG)):
        assert answer.status_code == 403
        assert "Ruiz" not in answer.content.decode()
    assert "not take data out as a file" in viewer.get(NEW).content.decode()
    page = viewer.get("/admin/contacts/contact/").content.decode()
    assert "contacts/export/" not in page
    data = {"action": "export_contacts", "_selected_action": [contact.pk], "index": 0}
    assert not viewer.post("/admin/contacts/contact/", data).streaming
    assert not Export.objects.exists()


def test_T2_nothing_of_a_neighbour_is_in_any_file(client: Client, neighbour: Tenant) -> None:
    theirs: Any = ContactFactory(tenant=neighbour, last_name="Theirs")
    with inside(neighbour):
        their_list: Any = ContactListFactory(name="Their list", tenant=neighbour)
        EmailAddress.objects.filter(contact=theirs).update(state="bounced")
    assert exported(client, pk=[theirs.pk]) == []
    assert exported(client, query="email=bounced") == []
    members = {"what": "members", "query": f"list={their_list.pk}"}
    assert client.get(NEW, members).status_code == 404
    assert client.post(NEW, members | {"form": "csv", "column": ["Last name"]}).status_code == 404
    assert "Theirs" not in str(exported(client, "history", ["Name"]))
    with inside(neighbour):
        assert not Export.objects.exists()


@pytest.mark.parametrize(
    "query", [{"what": "users"}, {"what": "members"}, {"what": "members", "query": "list=9" + "9" * 30},
              {"query": "tenant__name__startswith=x"}]
)  # fmt: skip
def test_what_cannot_be_exported_is_not_there(query: dict[str, str], client: Client) -> None:
    assert client.get(NEW, query).status_code in (400, 404)
