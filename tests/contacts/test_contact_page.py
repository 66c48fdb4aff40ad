"""The page of one contact: its parts, the one primary address, tags, and everything in one transaction."""

from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts import services
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactTag,
    CustomField,
    CustomValue,
    EmailAddress,
    HistoryEntry,
    ListMembership,
    Tag,
)
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts.forms import opened, sent, with_row
from tests.factories import ContactFactory, ContactListFactory, EmailAddressFactory, ListMembershipFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant"), pytest.mark.once]


def addresses(contact: Contact) -> dict[str, bool]:
    """{address: whether it is primary}."""
    return dict(contact.email_addresses.values_list("address", "is_primary"))


def two_addresses() -> Contact:
    """A contact with a primary and another address."""
    contact = ContactFactory(email="old@rivermail.test")
    EmailAddressFactory(contact=contact, address="new@rivermail.test")
    return contact


def test_a_contact_with_all_its_parts_is_added_in_one_go(client: Client, tenant: Tenant) -> None:
    contact_list = ContactListFactory(name="Newsletter")
    form = opened(client) | {
        "kind": "person", "first_name": "Ana", "last_name": "Ruiz", "new_tags": "volunteer, major  donor, volunteer",
    }  # fmt: skip
    form = with_row(form, "email_addresses", address="Ana@Rivermail.test", state="ok")
    form = with_row(form, "phone_numbers", number="(415) 555-0132", label="mobile")
    form = with_row(form, "memberships", contact_list=contact_list.pk, position="chair", do_not_contact="on")
    assert sent(client, form).status_code == 302
    ana = Contact.objects.get()
    assert addresses(ana) == {"Ana@Rivermail.test": True}, "the only address is the primary one"
    assert ana.email_addresses.get().address_key == "ana@rivermail.test"
    assert str(ana.phone_numbers.get().number) == "+14155550132"
    assert set(ana.contact_tags.values_list("tag__name", flat=True)) == {"volunteer", "major donor"}
    assert ana.memberships.get().do_not_contact is True
    assert ConsentEvent.objects.get().list_name == "Newsletter"
    history = HistoryEntry.objects.filter(contact_uid=ana.uid)
    assert (history.count(), set(history.values_list("by", flat=True))) == (6, {"staff"})


def test_another_address_becomes_primary_in_one_save(client: Client) -> None:
    contact = two_addresses()
    form = opened(client, contact)
    assert form["email_addresses-0-is_primary"] == "on"
    form |= {"email_addresses-0-is_primary": None, "email_addresses-1-is_primary": "on"}
    assert sent(client, form, contact).status_code == 302
    assert addresses(contact) == {"old@rivermail.test": False, "new@rivermail.test": True}


def test_a_new_address_becomes_primary_in_one_save(client: Client) -> None:
    contact = ContactFactory(email="old@rivermail.test")
    form = opened(client, contact) | {"email_addresses-0-is_primary": None}
    form = with_row(form, "email_addresses", address="new@rivermail.test", state="ok", is_primary="on")
    assert sent(client, form, contact).status_code == 302
    assert addresses(contact) == {"old@rivermail.test": False, "new@rivermail.test": True}


def test_a_primary_address_is_replaced_by_a_new_one_in_one_save(client: Client) -> None:
    contact = ContactFactory(email="old@rivermail.test")
    form = opened(client, contact) | {"email_addresses-0-DELETE": "on"}
    form = with_row(form, "email_addresses", address="old@rivermail.test", state="ok", is_primary="on")
    assert sent(client, form, contact).status_code == 302
    assert addresses(contact) == {"old@rivermail.test": True}


def test_when_the_primary_address_is_deleted_the_only_other_one_takes_its_place(client: Client) -> None:
    contact = two_addresses()
    form = opened(client, contact) | {"email_addresses-0-DELETE": "on"}
    assert sent(client, form, contact).status_code == 302
    assert addresses(contact) == {"new@rivermail.test": True}


@pytest.mark.parametrize(
    ("marks", "sentence"),
    [
        ((None, None), "Mark the email address that lists are sent to as the primary one."),
        (("on", "on"), "Only one email address can be the primary one. Take the mark off the others."),
    ],
)
def test_there_is_exactly_one_primary_address(marks: tuple[Any, Any], sentence: str, client: Client) -> None:
    contact = two_addresses()
    form = opened(client, contact)
    form |= {f"email_addresses-{n}-is_primary": mark for n, mark in enumerate(marks)}
    answer = sent(client, form, contact)
    assert answer.status_code == 200 and sentence in answer.content.decode()
    assert addresses(contact) == {"old@rivermail.test": True, "new@rivermail.test": False}


def test_the_same_address_twice_is_refused_in_any_spelling(client: Client) -> None:
    contact = ContactFactory(email="ana@rivermail.test")
    form = with_row(opened(client, contact), "email_addresses", address="ANA@rivermail.test", state="ok")
    answer = sent(client, form, contact)
    assert answer.status_code == 200 and "The same email address is there twice." in answer.content.decode()


def test_two_addresses_that_change_places_are_refused_with_a_way_out(client: Client) -> None:
    contact = two_addresses()
    form = opened(client, contact) | {
        "email_addresses-0-address": "new@rivermail.test", "email_addresses-1-address": "old@rivermail.test",
    }  # fmt: skip
    answer = sent(client, form, contact)
    assert answer.status_code == 200 and "Change that row first" in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("415 555 0132", "+14155550132"), ("+44 20 7946 0958", "+442079460958"), ("4155550132", "+14155550132")],
)
def test_phone_numbers_are_read_in_the_organizations_region(typed: str, kept: str, client: Client) -> None:
    contact = ContactFactory()
    sent(client, with_row(opened(client, contact), "phone_numbers", number=typed), contact)
    assert str(contact.phone_numbers.get().number) == kept


def test_a_number_that_is_none_is_refused(client: Client) -> None:
    contact = ContactFactory()
    answer = sent(client, with_row(opened(client, contact), "phone_numbers", number="12"), contact)
    assert answer.status_code == 200
    assert "valid phone number" in answer.content.decode()


def test_an_organization_needs_its_name_and_a_person_does_not(client: Client) -> None:
    form = opened(client)
    answer = sent(client, form | {"kind": "organization"})
    assert "Give the name of the organization." in answer.content.decode()
    assert sent(client, form | {"kind": "person"}).status_code == 302


def test_tags_are_picked_typed_and_taken_off(client: Client) -> None:
    contact = ContactFactory()
    services.set_tags(contact, [], ["volunteer"])
    kept = Tag.objects.create(name="Board")
    form = opened(client, contact) | {"tags": kept.pk, "new_tags": "board, donor"}
    assert sent(client, form, contact).status_code == 302
    assert set(contact.contact_tags.values_list("tag__name", flat=True)) == {"Board", "donor"}
    assert Tag.objects.filter(name="volunteer").exists()
    told = HistoryEntry.objects.filter(contact_uid=contact.uid, what="tag").values_list("verb", "label")
    assert set(told) == {("added", "volunteer"), ("deleted", "volunteer"), ("added", "Board"), ("added", "donor")}


def test_T3_a_neighbours_tag_cannot_be_picked(client: Client, neighbour: Tenant) -> None:
    with inside(neighbour):
        theirs = Tag.objects.create(name="Theirs")
    contact = ContactFactory()
    assert sent(client, opened(client, contact) | {"tags": theirs.pk}, contact).status_code == 200
    assert not ContactTag.objects.exists()


def test_the_list_of_a_place_on_a_list_stays_what_it_is(client: Client) -> None:
    membership = ListMembershipFactory()
    other = ContactListFactory()
    form = opened(client, membership.contact) | {"memberships-0-contact_list": other.pk}
    assert sent(client, form, membership.contact).status_code == 302
    assert ListMembership.objects.get().contact_list == membership.contact_list


def test_a_save_that_fails_half_way_changes_nothing(client: Client, tenant: Tenant) -> None:
    contact = ContactFactory(first_name="Ana", email="old@rivermail.test")
    form = opened(client, contact) | {"first_name": "Changed", "email_addresses-0-address": "new@rivermail.test"}
    client.raise_request_exception = False
    with mock.patch("contacts.services.set_tags", side_effect=RuntimeError("cut")):
        assert sent(client, form, contact).status_code == 500
    contact.refresh_from_db()
    assert (contact.first_name, addresses(contact)) == ("Ana", {"old@rivermail.test": True})
    assert not HistoryEntry.objects.filter(verb="changed").exists()


def test_an_address_that_is_too_long_in_small_letters_is_said_to_be_none(client: Client) -> None:
    contact = ContactFactory(email="old@rivermail.test")
    page = sent(client, opened(client, contact) | {"email_addresses-0-address": f"{'İ' * 200}@x.test"}, contact)
    assert page.status_code == 200 and "Enter a valid email address." in page.content.decode()
    assert addresses(contact) == {"old@rivermail.test": True}


def test_do_not_contact_on_the_page_goes_into_the_consent_ledger(client: Client) -> None:
    contact = ContactFactory(email="ana@rivermail.test")
    sent(client, opened(client, contact) | {"do_not_contact": "on"}, contact)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.address, event.by) == ("dnc_set", "ana@rivermail.test", "staff")


def test_saving_without_a_change_leaves_no_history(client: Client) -> None:
    contact = two_addresses()
    before = HistoryEntry.objects.count()
    assert sent(client, opened(client, contact), contact).status_code == 302
    assert HistoryEntry.objects.count() == before


def test_a_change_of_a_row_that_was_read_anew_is_recorded() -> None:
    contact = ContactFactory(first_name="Ana")
    Contact.objects.filter(pk=contact.pk).update(first_name="Eve", do_not_contact=True)
    contact.refresh_from_db()
    contact.first_name, contact.do_not_contact = "Ana", False
    contact.save()
    assert HistoryEntry.objects.latest("pk").changes == {"do_not_contact": [True, False], "first_name": ["Eve", "Ana"]}
    contact.last_name = "Unsaved"
    contact.refresh_from_db(fields=["first_name"])
    contact.save()
    assert "Unsaved" in HistoryEntry.objects.latest("pk").changes["last_name"], "what was changed before counts as well"


def test_the_line_ends_of_a_browser_are_no_change_of_the_notes(client: Client) -> None:
    contact = ContactFactory(notes="Met at the gala.\nLikes tea.")
    before = HistoryEntry.objects.count()
    sent(client, opened(client, contact) | {"notes": "Met at the gala.\r\nLikes tea."}, contact)
    contact.refresh_from_db()
    assert contact.notes == "Met at the gala.\nLikes tea."
    assert HistoryEntry.objects.count() == before


def test_the_history_page_says_who_changed_what_from_what_to_what(client: Client) -> None:
    contact = ContactFactory(first_name="Ana", email="old@rivermail.test")
    form = opened(client, contact) | {
        "first_name": "Anna",
        "email_addresses-0-state": "bounced",
        "do_not_contact": "on",
    }
    sent(client, form, contact)
    page = client.get(f"/admin/contacts/contact/{contact.pk}/history/").content.decode()
    assert '<b>First name:</b> <span class="al-was">Ana</span> → Anna' in page
    assert '<span class="al-was">Good</span> → Bounced' in page
    assert '<span class="al-was">no</span> → yes' in page
    assert "old@rivermail.test" in page


def test_the_history_of_all_says_whose_it_is_and_leads_there_at_the_same_cost(client: Client) -> None:
    """The value of a custom field names nobody by itself; a deleted contact has no page to lead to."""
    field = CustomField.objects.create(name="Shoe size", kind=CustomField.Kind.NUMBER)
    news = ContactListFactory(name="Newsletter")

    def happen(number: int) -> Contact:
        contact = ContactFactory(first_name="Ana", last_name=f"Ruiz{number}")
        CustomValue.objects.create(contact=contact, field=field, value="44.5", number="44.5")
        ListMembershipFactory(contact=contact, contact_list=news).delete()
        return contact

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/admin/contacts/historyentry/")
        return len(asked)

    ana, gone = happen(1), happen(2)
    gone.delete()
    page = client.get("/admin/contacts/historyentry/").content.decode()
    link = f'<a class="al-link" href="/admin/contacts/contact/{ana.pk}/change/">Ana Ruiz1'
    assert f'{link}</a><br><span class="al-subtle">Shoe size: 44.5</span>' in page
    assert f"{link} on Newsletter" in page
    assert "Ana Ruiz2" in page and f"/contact/{gone.pk}/change/" not in page
    assert "Do Not Contact (this list)" not in page, "that it was not set says nothing about being taken off"
    services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), True)
    ledger = client.get("/admin/contacts/consentevent/").content.decode()
    assert f"{link}</a>" in ledger
    few = cost()
    for number in range(3, 7):
        happen(number)
    assert cost() == few


def test_the_history_page_is_cut_into_pages(client: Client) -> None:
    contact = ContactFactory()
    for n in range(60):
        contact.notes = f"Note {n}"
        contact.save()
    first = client.get(f"/admin/contacts/contact/{contact.pk}/history/").content.decode()
    assert "Note 59" in first and "Next" in first and "Note 3<" not in first
    second = client.get(f"/admin/contacts/contact/{contact.pk}/history/?p=2").content.decode()
    assert "Note 3<" in second and "Previous" in second


def test_a_deleted_contact_leaves_history_and_consent_behind(client: Client) -> None:
    contact = ContactFactory(last_name="Ruiz")
    sent(client, opened(client, contact) | {"do_not_contact": "on"}, contact)
    page = client.get(f"/admin/contacts/contact/{contact.pk}/delete/").content.decode()
    assert "cannot be undone" in page
    assert client.post(f"/admin/contacts/contact/{contact.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Contact.objects.exists() and not EmailAddress.objects.exists()
    assert HistoryEntry.objects.filter(contact_uid=contact.uid, verb="deleted").exists()
    assert ConsentEvent.objects.filter(contact_uid=contact.uid).exists()
