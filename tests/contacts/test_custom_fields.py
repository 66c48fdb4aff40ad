"""The organization's own fields: their pages, the part of a contact's page, the filters, and how a field goes."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import custom, jobs
from contacts.admin.history import changes_in_words
from contacts.models import Contact, CustomField, CustomValue, HistoryEntry, Tag, User
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts.forms import opened, page_of, sent
from tests.factories import ContactFactory
from tests.tenancy.people import logged_in
from tests.tenancy.walk import Fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
PAGE, CONTACTS = "/admin/contacts/customfield/", "/admin/contacts/contact/"
Kind = CustomField.Kind


def made(kind: str = "text", name: str = "Size", **values: Any) -> CustomField:
    """A field."""
    field: CustomField = CustomField.objects.create(kind=kind, name=name, **values)
    return field


def with_value(field: CustomField, value: str, **more: Any) -> Any:
    """A contact that has it."""
    contact: Any = ContactFactory(**more)
    custom.set_values(contact, {field: value})
    return contact


def values() -> list[str]:
    """All that are kept."""
    return list(CustomValue.objects.order_by("pk").values_list("value", flat=True))


# --- the pages of fields ---


def test_an_empty_page_teaches(client: Client) -> None:
    page = client.get(PAGE).content.decode()
    assert "No custom fields yet" in page
    assert "Add a field" in page


def test_a_field_is_added_last_and_shown_with_how_often_it_is_filled_in(client: Client) -> None:
    with_value(made(name="Nickname"), "Annie")
    answer = client.post(f"{PAGE}add/", {"name": " T-shirt  size", "kind": "choice", "choices": " S \r\n\r\nM\nM\nL"})
    assert answer.status_code == 302
    field = CustomField.objects.get(name="T-shirt size")
    assert field.choices == ["S", "M", "L"]
    assert [one.name for one in custom.fields()] == ["Nickname", "T-shirt size"]
    page = client.get(PAGE).content.decode()
    assert "S, M, L" in page
    assert "1 contact<" in page
    entry = HistoryEntry.objects.get(what="custom field", label="T-shirt size")
    assert ("Choices", "", "S; M; L") in list(changes_in_words(entry))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": "Email", "kind": "text"}, "Contacts have “Email” already"),
        ({"name": "nickname", "kind": "text"}, "There is a field of that name."),
        ({"name": "Size", "kind": "choice", "choices": "S"}, "Write at least two choices"),
        ({"name": "Size", "kind": "choice", "choices": "S\ns"}, "there twice"),
        ({"name": "Size", "kind": "choice", "choices": "S\n" + "L" * 101}, "at most 100 letters"),
        ({"name": "Size", "kind": "choice", "choices": "\n".join(map(str, range(201)))}, "There are 201 choices"),
        ({"name": "", "kind": "text"}, "This field is required"),
    ],
)
def test_a_field_that_would_mislead_is_refused_with_a_sentence(data: Any, sentence: str, client: Client) -> None:
    made(name="Nickname")
    page = client.post(f"{PAGE}add/", {"choices": ""} | data).content.decode()
    assert sentence in page
    assert CustomField.objects.count() == 1


def test_there_are_at_most_sixty_fields(client: Client) -> None:
    CustomField.objects.bulk_create(CustomField(name=f"Field {n}", position=n) for n in range(custom.MOST_FIELDS))
    assert "60 fields already" in client.post(f"{PAGE}add/", {"name": "One more", "kind": "text"}).content.decode()
    assert "Add a field" not in client.get(PAGE).content.decode()
    assert CustomField.objects.count() == 60


def test_the_kind_stays_once_there_are_values_and_the_page_says_why(client: Client) -> None:
    field = made()
    url = f"{PAGE}{field.pk}/change/"
    client.post(url, {"name": "Size", "kind": "number", "choices": ""})
    field.refresh_from_db()
    assert field.kind == "number", "nobody has a value yet"
    with_value(field, "5")
    assert "It stays as it is, because 1 contact has a value" in client.get(url).content.decode()
    client.post(url, {"name": "Size", "kind": "text", "choices": ""})
    field.refresh_from_db()
    assert field.kind == "number"


def test_a_choice_in_use_is_not_removed_and_its_contacts_are_shown(client: Client) -> None:
    field = made("choice", choices=["S & M", "L", "XL"])
    with_value(field, "S & M", last_name="Ruiz")
    with_value(field, "XL", last_name="Other")
    page = client.post(f"{PAGE}{field.pk}/change/", {"name": "Size", "kind": "choice", "choices": "XL\nXXL"})
    html = page.content.decode()
    assert "“S &amp; M” cannot be removed, because 1 contact has it." in html
    link = next(part.split('"')[0] for part in html.split('href="') if part.startswith(f"{CONTACTS}?field_"))
    assert parse_qs(urlsplit(link).query) == {f"field_{field.pk}": ["is:S & M"]}
    shown = client.get(link).content.decode().partition('id="result_list"')[2]
    assert "Ruiz" in shown
    assert "Other" not in shown
    assert (
        client.post(f"{PAGE}{field.pk}/change/", {"name": "Size", "kind": "choice", "choices": "XL\nS & M"}).status_code
        == 302
    )
    field.refresh_from_db()
    assert field.choices == ["XL", "S & M"], "what nobody has can go, and the order is free"


def test_fields_are_put_in_order_by_buttons(client: Client) -> None:
    a, b, c = (made(name=name, position=0) for name in "ABC")
    for field, to in ((c, "up"), (a, "down"), (a, "down"), (a, "down")):
        assert client.post(f"{PAGE}{field.pk}/move/", {"to": to}).status_code == 302
    assert [field.name for field in custom.fields()] == ["C", "B", "A"]
    assert client.get(f"{PAGE}{b.pk}/move/").status_code == 405


def test_deleting_a_field_says_how_many_values_go_and_then_takes_them_with_their_history(
    client: Client, tenant: Tenant
) -> None:
    field, other = made(), made(name="Other")
    contact = with_value(field, "L")
    custom.set_values(contact, {other: "stays"})
    url = f"{PAGE}{field.pk}/delete/"
    assert "1 contact will lose what is noted there." in client.get(url).content.decode()
    client.post(url, {"post": "yes"})
    assert "Size" not in client.get(PAGE).content.decode().split("deleted successfully")[-1]
    assert f"custom_{field.pk}" not in client.get(page_of(contact)).content.decode()
    assert client.get(f"{PAGE}{field.pk}/change/").status_code == 404
    jobs.take_field_away(tenant.pk, field.pk)
    jobs.take_field_away(tenant.pk, field.pk)  # twice is once
    assert values() == ["stays"]
    assert [one.name for one in CustomField.objects.all()] == ["Other"]
    entry = HistoryEntry.objects.get(contact_uid=contact.uid, verb="deleted")
    assert list(changes_in_words(entry)) == [("Size", "L", "")]
    assert entry.user == User.objects.get(pk=client.session["_auth_user_id"])


def test_a_field_goes_in_turns_and_a_lost_turn_is_rung_again(tenant: Tenant, monkeypatch: Any) -> None:
    field = made()
    for _ in range(5):
        with_value(field, "L")
    field.going_at = timezone.now()
    field.save()
    monkeypatch.setattr(custom, "CHUNK", 2)
    assert custom.take_away(field.pk, seconds=-1)
    assert len(values()) == 3
    assert custom.left_lying() == []
    CustomField.objects.filter(pk=field.pk).update(going_at=timezone.now() - timedelta(minutes=4))
    assert custom.left_lying() == [(tenant.pk, field.pk)]
    rung: list[Any] = []
    monkeypatch.setattr(jobs, "async_task", lambda *job: rung.append(job))
    jobs.sweep()
    assert ("contacts.jobs.take_field_away", tenant.pk, field.pk) in rung
    assert not custom.take_away(field.pk, seconds=9)
    assert values() == []
    assert not CustomField.objects.exists()


def test_a_field_that_stays_is_never_taken_away() -> None:
    field = made()
    with_value(field, "L")
    assert not custom.take_away(field.pk, seconds=9)
    assert values() == ["L"]


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_those_who_may_not_change_fields_only_read_them(role: str, tenant: Tenant) -> None:
    field = made()
    browser = logged_in(tenant, role)
    page = browser.get(PAGE).content.decode()
    assert "Size" in page
    assert "Add a field" not in page
    for url in (f"{PAGE}add/", f"{PAGE}{field.pk}/change/", f"{PAGE}{field.pk}/delete/", f"{PAGE}{field.pk}/move/"):
        assert browser.post(url, {"name": "Changed", "kind": "text", "post": "yes", "to": "up"}).status_code == 403
    field.refresh_from_db()
    assert (field.name, field.going_at) == ("Size", None)


def test_T2_a_neighbours_fields_are_not_there(client: Client, neighbour: Tenant) -> None:
    with inside(neighbour):
        theirs = made(name="Theirs")
    assert "Theirs" not in client.get(PAGE).content.decode()
    for part in ("change", "delete"):
        assert client.get(f"{PAGE}{theirs.pk}/{part}/").status_code == 404
    assert client.post(f"{PAGE}{theirs.pk}/move/", {"to": "up"}).status_code == 404
    assert "Theirs" not in client.get(CONTACTS).content.decode()
    contact: Any = ContactFactory()
    sent(client, opened(client, contact) | {f"custom_{theirs.pk}": "mine now"}, contact)
    with inside(neighbour):
        assert not CustomValue.objects.exists()
    assert values() == []


# --- on a contact's page ---

TYPED = [("text", "  Annie "), ("number", "1,234.5"), ("date", "2026-03-31"), ("choice", "M"), ("yes_no", "no")]
KEPT = ["Annie", "1234.5", "2026-03-31", "M", "no"]


def one_of_each() -> list[CustomField]:
    """A field of each kind."""
    return [made(kind, f"My {kind}", position=n, choices=["S", "M"] if kind == "choice" else [])
            for n, (kind, _) in enumerate(TYPED)]  # fmt: skip


def test_values_are_filled_in_on_the_page_and_emptied_again(client: Client) -> None:
    fields = one_of_each()
    contact: Any = ContactFactory()
    typed = {f"custom_{field.pk}": text for field, (_, text) in zip(fields, TYPED, strict=True)}
    assert sent(client, opened(client, contact) | typed, contact).status_code == 302
    assert values() == KEPT
    page = client.get(page_of(contact)).content.decode()
    assert "More about them" in page
    form = opened(client, contact)
    assert [form[f"custom_{field.pk}"] for field in fields] == KEPT
    before = HistoryEntry.objects.count()
    sent(client, form, contact)
    assert HistoryEntry.objects.count() == before, "saving again changes nothing"
    sent(client, form | dict.fromkeys(typed, ""), contact)
    assert values() == []


def test_a_new_contact_gets_values_at_once(client: Client) -> None:
    field = made()
    form = opened(client) | {"first_name": "Ana", f"custom_{field.pk}": "L"}
    assert sent(client, form).status_code == 302
    assert custom.values_of([Contact.objects.get()]) == {Contact.objects.get().pk: {field.pk: "L"}}


def test_what_a_field_cannot_hold_is_said_at_the_field_and_nothing_is_saved(client: Client) -> None:
    number, choice = made("number", "Age"), made("choice", "Size", choices=["S", "M"])
    contact: Any = ContactFactory(first_name="Ana")
    typed = {"first_name": "Changed", f"custom_{number.pk}": "a few", f"custom_{choice.pk}": "XXL"}
    page = sent(client, opened(client, contact) | typed, contact).content.decode()
    assert "“a few” is not a number." in page
    assert "“XXL” is none of the choices: S, M." in page
    contact.refresh_from_db()
    assert contact.first_name == "Ana"
    assert values() == []


def test_only_what_was_changed_on_the_page_is_written(client: Client) -> None:
    """Somebody else's change, made while this page was open, stays."""
    size, age = made(name="Size"), made("number", "Age")
    contact = with_value(size, "L")
    form = opened(client, contact)
    custom.set_values(contact, {size: "XL"})
    newer = made(name="Newer")
    custom.set_values(contact, {newer: "theirs"})
    sent(client, form | {f"custom_{age.pk}": "5"}, contact)
    assert sorted(values()) == ["5", "XL", "theirs"]


def test_a_viewer_reads_the_values(tenant: Tenant) -> None:
    contact = with_value(made(name="Nickname"), "Annie")
    custom.set_values(contact, {made("yes_no", "Volunteers"): "yes"})
    viewer = logged_in(tenant, Role.VIEWER)
    page = viewer.get(page_of(contact)).content.decode()
    assert "Nickname" in page
    assert "Annie" in page
    assert 'name="custom_' not in page
    assert viewer.post(page_of(contact), {f"custom_{CustomField.objects.all()[0].pk}": "x"}).status_code == 403


def test_more_fields_take_no_more_queries_on_a_contacts_page(client: Client) -> None:
    contact = with_value(made(), "L")

    def queries() -> int:
        client.get(page_of(contact))
        with CaptureQueriesContext(connection) as captured:
            client.get(page_of(contact))
        return len(captured)

    few = queries()
    custom.set_values(contact, {made(name=f"Field {n}"): "x" for n in range(20)})
    assert queries() == few


def test_the_history_calls_a_value_by_the_name_of_its_field(client: Client) -> None:
    field = made(name="Shirt: size")
    contact = with_value(field, "M: slim")
    custom.set_values(contact, {field: "L"})
    added, changed = HistoryEntry.objects.filter(what="custom field value").order_by("pk")
    assert list(changes_in_words(added)) == [("Shirt: size", "", "M: slim")]
    assert list(changes_in_words(changed)) == [("Shirt: size", "M: slim", "L")]


# --- filters of the list of contacts ---


@pytest.fixture
def crowd() -> dict[str, CustomField]:
    """Contacts with values of each kind, and one without any."""
    fields = {field.kind: field for field in one_of_each()}
    rows = {
        "Ruiz": {"text": "likes Tea", "number": "9", "date": "2026-01-31", "choice": "S", "yes_no": "yes"},
        "Ito": {"text": "coffee", "number": "10", "date": "2026-02-01", "choice": "M", "yes_no": "no"},
        "Bell": {"number": "-3"},
        "Novak": {},
    }
    for name, given in rows.items():
        contact: Any = ContactFactory(last_name=name)
        custom.set_values(contact, {fields[kind]: value for kind, value in given.items()})
    return fields


FILTERS = [
    ("text", {"_has": "tea"}, {"Ruiz"}), ("text", {"_none": "on"}, {"Bell", "Novak"}), ("text", {"_has": "%"}, set()),
    ("number", {"_from": "9"}, {"Ruiz", "Ito"}), ("number", {"_to": "9.5"}, {"Ruiz", "Bell"}),
    ("number", {"_from": "-3", "_to": "9"}, {"Ruiz", "Bell"}), ("number", {"_none": "on"}, {"Novak"}),
    ("number", {"_from": "many"}, set()), ("date", {"_from": "2026-02-01"}, {"Ito"}),
    ("date", {"_from": "1/1/2026", "_to": "2026-01-31"}, {"Ruiz"}), ("date", {"_to": "tomorrow"}, set()),
    ("choice", {"": "is:S"}, {"Ruiz"}), ("choice", {"": "none"}, {"Bell", "Novak"}), ("choice", {"": "is:none"}, set()),
    ("yes_no", {"": "is:no"}, {"Ito"}), ("yes_no", {"": "none"}, {"Bell", "Novak"}),
    ("number", {"_from": "", "_to": ""}, {"Ruiz", "Ito", "Bell", "Novak"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "found"), FILTERS)
def test_the_list_is_filtered_by_each_kind_of_field(
    kind: str, given: dict[str, str], found: set[str], crowd: dict[str, CustomField], client: Client
) -> None:
    query = {f"field_{crowd[kind].pk}{end}": value for end, value in given.items()}
    page = client.get(CONTACTS, query).content.decode().partition('id="result_list"')[2]
    assert {name for name in ("Ruiz", "Ito", "Bell", "Novak") if f" {name}" in page} == found


def test_filters_keep_what_was_typed_and_work_together(crowd: dict[str, CustomField], client: Client) -> None:
    number, choice = crowd["number"].pk, crowd["choice"].pk
    html = client.get(CONTACTS, {f"field_{number}_from": "5", f"field_{choice}": "is:M"}).content.decode()
    assert Fields(html).values[f"field_{number}_from"] == "5"
    assert Fields(html).values[f"field_{choice}"] == "is:M"
    page = html.partition('id="result_list"')[2]
    assert " Ito" in page
    assert " Ruiz" not in page


def test_filters_of_many_fields_and_values_take_no_more_queries(crowd: dict[str, CustomField], client: Client) -> None:
    def queries() -> int:
        client.get(CONTACTS)
        with CaptureQueriesContext(connection) as captured:
            client.get(CONTACTS, {f"field_{crowd['number'].pk}_from": "-99"})
        return len(captured)

    few = queries()
    for n in range(10):
        with_value(made(name=f"Field {n}"), "x")
        with_value(crowd["number"], str(n))
    assert queries() == few


def test_filters_ask_the_index_of_values(crowd: dict[str, CustomField], client: Client) -> None:
    if connection.vendor != "sqlite":
        return  # with so few rows PostgreSQL reads the table; SQLite shows the plan it would use for many
    with CaptureQueriesContext(connection) as captured:
        client.get(CONTACTS, {f"field_{crowd['number'].pk}_from": "9"})
    asked = next(q["sql"] for q in captured if "COUNT" in q["sql"] and "customvalue" in q["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "contacts_customvalue USING" in plan.replace("U0", "contacts_customvalue").replace(
        "V0", "contacts_customvalue"
    )
    assert "SCAN U0" not in plan


def test_two_people_who_change_one_field_or_tag_are_told_of_each_other(client: Client) -> None:
    field = made("choice", choices=["S", "M"])
    url = f"{PAGE}{field.pk}/change/"
    # As browsers send them: lines end with two characters.
    form = {
        name: str(value).replace("\n", "\r\n")
        for name, value in Fields(client.get(url).content.decode()).values.items()
    }
    client.post(url, form | {"choices": "S\r\nM\r\nL"})
    answer = client.post(url, form | {"choices": "S\r\nM\r\nXL"})
    assert "Somebody has changed this to “S, M, L” while the page was open" in answer.content.decode()
    assert client.post(url, form | {"help_text": "Of the gala shirt"}).status_code == 302
    field.refresh_from_db()
    assert (field.choices, field.help_text) == (["S", "M", "L"], "Of the gala shirt")
    tag = Tag.objects.create(name="board")
    url = f"/admin/contacts/tag/{tag.pk}/change/"
    form = Fields(client.get(url).content.decode()).values
    client.post(url, form | {"name": "Board"})
    answer = client.post(url, form | {"name": "Trustees"})
    assert "Somebody has changed this to “Board” while the page was open" in answer.content.decode()


def test_notes_of_several_lines_are_changed_without_a_false_alarm(client: Client) -> None:
    contact = ContactFactory(notes="Prefers tea\nCalls on Mondays")
    form = {
        name: str(value).replace("\n", "\r\n") for name, value in opened(client, contact).items() if value is not None
    }
    assert sent(client, form | {"notes": "Prefers tea\r\nCalls on Fridays"}, contact).status_code == 302
    contact.refresh_from_db()
    assert contact.notes == "Prefers tea\nCalls on Fridays"
