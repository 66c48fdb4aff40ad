"""Two people have the page of one contact open: each saves what they changed, and nothing of the other's is lost."""

from typing import Any

import pytest
from django.db import DatabaseError, OperationalError
from django.test import Client

from contacts import households, services
from contacts.duplicates.merge import merge
from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, ListMembership, Tag
from contacts.tenancy.acting import By, acting
from tests.contacts.forms import opened, page_of, sent, with_row
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory, UserFactory
from tests.integrations.desk import plain
from tests.tenancy.walk import Fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


def test_L14_an_opt_out_that_came_while_the_page_was_open_stays_when_something_else_is_saved(client: Client) -> None:
    ana = ContactFactory(first_name="Ana", email="ana@rivermail.test")
    place = ListMembershipFactory(contact=ana, contact_list=ContactListFactory(name="Newsletter"))
    form = opened(client, ana)
    services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), True)
    with acting(By.PERSON, "Mailchimp"):
        ListMembership.objects.filter(pk=place.pk).update(do_not_contact=True)
    assert sent(client, form | {"first_name": "Anna"}, ana).status_code == 302
    ana.refresh_from_db()
    place.refresh_from_db()
    assert (ana.first_name, ana.do_not_contact, place.do_not_contact) == ("Anna", True, True)
    assert not ConsentEvent.objects.filter(kind=ConsentEvent.Kind.DNC_CLEARED).exists()


def test_a_mark_that_is_cleared_on_the_page_is_cleared(client: Client) -> None:
    ana = ContactFactory(do_not_contact=True)
    assert sent(client, opened(client, ana) | {"do_not_contact": None}, ana).status_code == 302
    ana.refresh_from_db()
    assert not ana.do_not_contact


def test_what_two_people_changed_in_different_places_is_all_there(client: Client) -> None:
    ana = ContactFactory(first_name="Ana", job_title="", email="ana@rivermail.test")
    form = opened(client, ana)
    first = opened(client, ana) | {"job_title": "Treasurer", "email_addresses-0-address": "new@rivermail.test"}
    assert sent(client, first, ana).status_code == 302
    EmailAddress.objects.update(state="bounced")
    assert sent(client, form | {"first_name": "Anna", "notes": "Prefers tea"}, ana).status_code == 302
    ana.refresh_from_db()
    assert (ana.first_name, ana.job_title, ana.notes) == ("Anna", "Treasurer", "Prefers tea")
    email = ana.email_addresses.get()
    assert (email.address, email.address_key, email.state) == ("new@rivermail.test", "new@rivermail.test", "bounced")


def test_where_both_changed_the_same_the_second_is_told_and_decides(client: Client) -> None:
    ana = ContactFactory(first_name="Ana")
    form = opened(client, ana)
    assert sent(client, form | {"first_name": "Anna"}, ana).status_code == 302
    answer = sent(client, form | {"first_name": "Hannah", "job_title": "Chair"}, ana)
    assert answer.status_code == 200
    assert "Somebody has changed this to “Anna” while the page was open" in answer.content.decode()
    ana.refresh_from_db()
    assert (ana.first_name, ana.job_title) == ("Anna", "")
    again = {n: v for n, v in Fields(answer.content.decode()).values.items() if "__prefix__" not in n}
    assert again["first_name"] == "Hannah"
    assert sent(client, again, ana).status_code == 302
    ana.refresh_from_db()
    assert (ana.first_name, ana.job_title) == ("Hannah", "Chair")


def test_tags_of_both_are_kept_and_taken_off(client: Client) -> None:
    ana = ContactFactory()
    services.set_tags(ana, [], ["volunteer", "donor"])
    donor = Tag.objects.get(name="donor")
    form = opened(client, ana) | {"tags": [donor.pk]}  # takes “volunteer” off
    board = Tag.objects.create(name="board")
    services.set_tags(ana, [*Tag.objects.filter(name="volunteer"), board])  # meanwhile: “donor” off, “board” on
    assert sent(client, form, ana).status_code == 302
    assert set(ana.contact_tags.values_list("tag__name", flat=True)) == {"board"}


def test_tags_survive_a_page_that_comes_back_with_a_mistake(client: Client) -> None:
    ana = ContactFactory(kind="person")
    tag = Tag.objects.create(name="board")
    form = opened(client, ana) | {"tags": [tag.pk], "kind": "organization", "organization_name": ""}
    answer = sent(client, form, ana)
    assert answer.status_code == 200
    again = {n: v for n, v in Fields(answer.content.decode()).values.items() if "__prefix__" not in n}
    assert sent(client, again | {"kind": "person", "tags": [tag.pk]}, ana).status_code == 302
    assert ana.contact_tags.get().tag == tag


def test_L10_a_flag_that_somebody_cleared_is_not_set_again_by_an_older_page(client: Client) -> None:
    newsletter = ContactListFactory(name="Newsletter", synchronize=True)
    page = f"/admin/contacts/contactlist/{newsletter.pk}/change/"
    form = Fields(client.get(page).content.decode()).values
    newsletter.synchronize = False
    newsletter.save()
    answer = client.post(page, {n: v for n, v in (form | {"name": "River news"}).items() if v is not None})
    assert answer.status_code == 302
    newsletter = ContactList.objects.get()
    assert (newsletter.name, newsletter.synchronize) == ("River news", False)


def test_saving_a_row_that_was_read_earlier_takes_nothing_back() -> None:
    ana = ContactFactory(first_name="Ana")
    old = Contact.objects.get(pk=ana.pk)
    services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), True)
    old.first_name = "Anna"
    old.save()
    now = Contact.objects.get(pk=ana.pk)
    assert (now.first_name, now.do_not_contact) == ("Anna", True)
    assert now.updated_at > ana.updated_at


def test_L14_a_button_that_says_neither_set_nor_clear_clears_nothing(client: Client) -> None:
    place = ListMembershipFactory(
        contact=ContactFactory(), contact_list=ContactListFactory(name="Newsletter"), do_not_contact=True
    )
    page = f"/admin/contacts/contactlist/{place.contact_list_id}/members"
    assert client.post(f"{page}/{place.pk}/dnc/", {"value": ""}).status_code == 302
    assert client.post(f"{page}/take-off/", {"place": "9" * 30}).status_code == 302
    assert client.get("/admin/contacts/duplicatepair/compare/?one=²").status_code == 404
    place.refresh_from_db()
    assert place.do_not_contact


def test_a_page_whose_contact_was_deleted_meanwhile_says_by_whom_and_what_was_typed(client: Client) -> None:
    ana = ContactFactory(first_name="Ana", last_name="Ruiz", notes="", email="ana@rivermail.test")
    form = with_row(opened(client, ana) | {"notes": "Prefers tea"}, "phone_numbers", number="(512) 555-0100")
    address = page_of(ana)
    with acting(By.STAFF, "Almoner", UserFactory(first_name="Stella", last_name="Marsh")):
        ana.delete()
    answer = client.post(address, {name: value for name, value in form.items() if value is not None})
    page = plain(answer.content.decode())
    assert answer.status_code == 404
    assert "Ana Ruiz was deleted by Stella Marsh while you had the page open" in page
    assert "Notes Prefers tea" in page and "Phone number (512) 555-0100" in page
    assert "ana@rivermail.test" not in page and "Primary" not in page, "what was not changed"


def test_a_page_whose_contact_was_merged_meanwhile_says_so_with_the_way_to_the_other(client: Client) -> None:
    ana, anna = ContactFactory(first_name="Ana", last_name="Ruiz"), ContactFactory(first_name="Anna", last_name="Ruiz")
    form, address = opened(client, ana), page_of(ana)
    merge(anna, ana, {}, UserFactory(first_name="Stella", last_name="Marsh"))
    page = client.post(address, {n: v for n, v in form.items() if v is not None}).content.decode()
    assert "Ana Ruiz was merged into Anna Ruiz by Stella Marsh while you had the page open" in plain(page)
    assert page_of(anna) in page


@pytest.mark.parametrize("make", [ContactListFactory, lambda: households.make_household([ContactFactory()], "Home")])
def test_a_list_or_household_that_was_deleted_meanwhile_is_told_alike(client: Client, make: Any) -> None:
    row = make()
    page = f"/admin/contacts/{row._meta.model_name}/{row.pk}/change/"
    form = Fields(client.get(page).content.decode()).values
    row.delete()
    answer = client.post(page, {n: v for n, v in (form | {"name": "Another"}).items() if v is not None})
    assert answer.status_code == 404
    assert f"{row.name} was deleted by" in plain(answer.content.decode())


def test_a_row_that_goes_between_reading_and_writing_is_told_like_one_that_went_before(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = ContactFactory(first_name="Ana", last_name="Ruiz")
    form, address = opened(client, ana), page_of(ana)
    plain_save = Contact.save
    gone: list[Any] = []

    def save(row: Contact, *args: Any, **kwargs: Any) -> None:
        if not gone:
            gone.append(row.pk)
            raise DatabaseError("Save with update_fields did not affect any rows.")
        plain_save(row, *args, **kwargs)

    monkeypatch.setattr(Contact, "save", save)
    assert (
        client.post(address, {n: v for n, v in (form | {"first_name": "Anna"}).items() if v is not None}).status_code
        == 302
    )
    assert Contact.objects.get().first_name == "Anna"
    monkeypatch.setattr(Contact, "save", lambda *a, **k: (_ for _ in ()).throw(OperationalError("full")))
    with pytest.raises(OperationalError):
        sent(client, opened(client, ana) | {"first_name": "Ana"}, ana)


def test_an_address_that_was_deleted_meanwhile_holds_up_nobody_and_its_change_is_told(client: Client) -> None:
    ana = ContactFactory(first_name="Ana", email="ana@rivermail.test")
    second = EmailAddress.objects.create(contact=ana, address="old@rivermail.test")
    form = opened(client, ana)
    second.delete()
    assert sent(client, form | {"first_name": "Anna"}, ana).status_code == 302, "it was not touched here"
    ana.refresh_from_db()
    assert (ana.first_name, ana.email_addresses.count()) == ("Anna", 1)
    number = next(n for n in "01" if form[f"email_addresses-{n}-address"] == "old@rivermail.test")
    changed = form | {f"email_addresses-{number}-address": "new@rivermail.test", "job_title": "Chair"}
    page = client.post(page_of(ana), {n: v for n, v in changed.items() if v is not None}, follow=True).content.decode()
    assert "Somebody deleted one email address while you had the page open" in plain(page)
    assert "new@rivermail.test" in page
    ana.refresh_from_db()
    assert (ana.job_title, ana.email_addresses.count()) == ("Chair", 1)


def test_rows_after_one_that_was_deleted_meanwhile_are_saved_even_if_the_page_came_back(client: Client) -> None:
    ana, lists = ContactFactory(first_name="Ana", kind="person"), [ContactListFactory(name=n) for n in ("A", "B", "C")]
    first, _, last = [ListMembershipFactory(contact=ana, contact_list=one) for one in lists]
    form = opened(client, ana)
    first.delete()
    rows = {
        "memberships-0-position": "Chair",
        "memberships-2-position": "Treasurer",
        "memberships-2-do_not_contact": "on",
    }
    wrong = sent(client, form | rows | {"kind": "organization"}, ana)
    page = wrong.content.decode()
    assert "Give the name of the organization" in page and "Position: Chair" in plain(page)
    again = {n: v for n, v in Fields(page).values.items() if "__prefix__" not in n}
    assert sent(client, again | {"kind": "person"}, ana).status_code == 302
    last.refresh_from_db()
    assert (ana.memberships.count(), last.position, last.do_not_contact) == (2, "Treasurer", True)
