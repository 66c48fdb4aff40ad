"""Two people have the page of one contact open: each saves what they changed, and nothing of the other's is lost."""

import pytest
from django.test import Client

from contacts import services
from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, ListMembership, Tag
from contacts.tenancy.acting import By, acting
from tests.contacts.forms import opened, sent
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory
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
