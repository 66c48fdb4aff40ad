"""An address whose holder wants no mail is written to under no other contact (L35, T2); nobody is called “unnamed”."""

from datetime import date
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from contacts import mail_status, sharing, verdict
from contacts.models import Contact, ContactList, ListMembership
from contacts.program_word import subscribe, unsubscribe
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.services import record_gift
from tasks_app import jobs, notes
from tasks_app.models import Note
from tasks_app.reach import why_not
from tests.factories import ContactFactory
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
SHARED, OLD = "shared@river.test", "old@river.test"


def moved(contact: Contact, to: str = SHARED) -> Contact:
    """They have this address now."""
    email = contact.primary_email
    assert email is not None
    email.address = to
    email.save()
    return Contact.objects.get(pk=contact.pk)


@pytest.fixture
def out() -> Contact:
    """Opted out under their old address, and has the shared one now."""
    found = ContactFactory(first_name="Ben", email=OLD)
    unsubscribe(found, "They wrote: no more mail")
    return moved(found)


@pytest.fixture
def ana(out: Contact) -> Contact:
    """Has asked for mail under another address, and has the shared one now."""
    found = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@river.test")
    subscribe(found, "Asked for it by phone")
    assert why_not(found)[1] == ""
    return moved(found)


def status(contact: Contact) -> str:
    return mail_status.mail_statuses([Contact.objects.get(pk=contact.pk)])[contact.pk]


def test_L35_no_note_goes_to_an_address_whose_holder_opted_out(tenant: Tenant, ana: Contact) -> None:
    template = notes.default_template()
    with pytest.raises(notes.NoteRefused, match="also belongs to somebody who has asked not to be written to"):
        notes.write(ana, template, "By hand", at_once=True)
    Note.objects.create(contact=ana, template=template, due_at=timezone.now())  # was on its way already
    jobs.send_notes(tenant.pk)
    assert mail.outbox == [] and Note.objects.get().state == "held"
    assert why_not(ana) == (SHARED, f"{SHARED} also belongs to somebody who has asked not to be written to.")
    assert status(ana) == "unsubscribed"
    # Once it is not shared any more, nothing stands in the way.
    moved(ana, "ana@river.test")
    assert (why_not(ana)[1], status(ana)) == ("", "subscribed")


def test_L35_the_secondary_address_of_somebody_who_opted_out_counts(ana: Contact, out: Contact) -> None:
    moved(out, "elsewhere@river.test")
    assert why_not(ana)[1] == ""
    out.email_addresses.create(address=SHARED)
    assert why_not(ana)[1] != ""


def test_O5_a_word_under_the_address_itself_that_came_later_brings_it_back(ana: Contact, out: Contact) -> None:
    subscribe(ana, "Sent by the form")
    assert (why_not(ana)[1], status(ana)) == ("", "subscribed")
    assert why_not(out)[1] and status(out) == "unsubscribed", "their own word stands"
    unsubscribe(out, "They wrote again")
    assert why_not(ana)[1] and status(ana) == "unsubscribed"


def test_L35_the_pages_say_so(tenant: Tenant, ana: Contact, out: Contact) -> None:
    client: Client = logged_in(tenant)
    notes.default_template()
    page = client.get(f"/admin/contacts/contact/{ana.pk}/change/").content.decode()
    assert "Their address also belongs to somebody who has asked not to be written to" in page
    assert "So no note can be sent to them." in page and "Send the note" not in page
    listed = client.get("/admin/contacts/contact/", {"q": "Ruiz"}).content.decode()
    assert "No, shared address" in listed
    Contact.objects.filter(pk=out.pk).update(do_not_contact=True)
    page = client.get(f"/admin/contacts/contact/{ana.pk}/change/").content.decode()
    assert "Their address also belongs to somebody who is under Do Not Contact" in page


def test_L8_of_one_list_alone_or_alone_at_the_address_nothing_is_refused(out: Contact) -> None:
    assert sharing.refusing([SHARED]) == {}, "nobody shares it"
    news = ContactList.objects.create(name="News")
    ada, eva = (moved(ContactFactory(email=f"{number}@river.test"), "two@river.test") for number in range(2))
    ListMembership.objects.create(contact=eva, contact_list=news)
    unsubscribe(eva, "Not that list", news)
    assert sharing.refusing(["two@river.test"]) == {} and why_not(ada)[1] == ""


def test_L35_others_are_looked_up_in_a_fixed_number_of_queries(ana: Contact, django_assert_num_queries: Any) -> None:
    for number in (1, 8):
        for one in range(number):
            moved(ContactFactory(email=f"{number}-{one}@river.test"))
        with django_assert_num_queries(3):
            assert sharing.refusing([SHARED, "nobody@river.test", ""])


def test_L35_the_neighbours_word_is_not_heard(ana: Contact, out: Contact, neighbour: Tenant) -> None:
    with in_tenant(neighbour):
        ContactFactory(email=SHARED)
        stranger = ContactFactory(email=SHARED)
        assert why_not(stranger)[1] == ""


def test_T2_nobody_is_greeted_as_unnamed(tenant: Tenant) -> None:
    nobody = ContactFactory(first_name="", last_name="", email="grace@river.test")
    record_gift(nobody, 10, date(2026, 5, 1))
    assert verdict.verdict(nobody, {}, []) == ("They may be written to.", "good")
    template = notes.default_template()
    template.body += "{{ full_name }}. {{ reason }}"
    template.save()
    notes.write(nobody, template, "By hand", at_once=True)
    jobs.send_notes(tenant.pk)
    (letter,) = mail.outbox
    assert letter.subject == "Thank you, friend" and letter.body.startswith("Dear friend,")
    assert "Unnamed" not in letter.subject + letter.body
    assert notes.values_for(ContactFactory(first_name="", last_name="Ruiz"), None, None)["first_name"] == "Ruiz"
