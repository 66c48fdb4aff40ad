"""Whoever has no name is called by an address or a number on pages (L1), and nowhere else."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts.models import ConsentEvent, Contact, ContactList, ListMembership
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.services import record_gift, today
from tasks_app.words import called
from tests.factories import ContactFactory
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db
LISTS = ["contacts/contact", "gifts/giving", "gifts/gift", "tasks_app/thankyou"]
NAMELESS = {"first_name": "", "last_name": "", "organization_name": ""}


def give(tenant: Tenant, count: int, since: int = 0) -> list[Contact]:
    """So many donors without a name; each second one has a number only."""
    with in_tenant(tenant):
        found: list[Contact] = []
        for number in range(since, since + count):
            way = (
                {"email": f"nobody{number}@rivermail.test"}
                if number % 2
                else {"email": "", "phone": f"+1202555{number:04}"}
            )
            found.append(ContactFactory(**NAMELESS, **way))
            record_gift(found[-1], "50.00", today())
        return found


def page_of(client: Client, path: str) -> tuple[str, int]:
    """(the page, how much it asked)."""
    client.get(f"/admin/{path}/")  # what is kept for the next one
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(f"/admin/{path}/")
    assert answer.status_code == 200, path
    return answer.content.decode(), len(seen)


def test_L1_lists_call_them_by_what_is_known_and_ask_no_more_for_many(tenant: Tenant) -> None:
    client = logged_in(tenant)
    give(tenant, 2)
    few = {path: page_of(client, path)[1] for path in LISTS}
    give(tenant, 12, 2)
    for path in LISTS:
        text, asked = page_of(client, path)
        assert "nobody1@rivermail.test" in text and "+12025550002" in text, path
        assert "Unnamed" not in text, path
        assert asked <= few[path], path


def test_L1_pages_of_one_call_them_so_too(tenant: Tenant) -> None:
    client = logged_in(tenant)
    (contact,) = give(tenant, 1)
    with in_tenant(tenant):
        donor, gift = contact.donor, contact.gifts.get()
    for path in (
        f"contacts/contact/{contact.pk}/change", f"gifts/donor/{donor.pk}/change", f"gifts/gift/{gift.pk}/change",
    ):  # fmt: skip
        assert "<h2" in (text := page_of(client, path)[0])
        assert "+12025550000" in text and "Unnamed contact" not in text.replace('value="Unnamed contact"', ""), path


def test_L1_members_of_a_list_are_called_so(tenant: Tenant) -> None:
    client = logged_in(tenant)
    with in_tenant(tenant):
        news = ContactList.objects.create(name="News")
    asked = []
    for since, count in ((0, 1), (1, 5)):
        for contact in give(tenant, count, since):
            with in_tenant(tenant):
                ListMembership.objects.create(contact=contact, contact_list=news)
        text, number = page_of(client, f"contacts/contactlist/{news.pk}/change")
        assert "+12025550000" in text and "Unnamed" not in text
        asked.append(number)
    assert asked[0] == asked[1]


def test_L35_ledgers_letters_and_programs_have_names_only(tenant: Tenant) -> None:
    with in_tenant(tenant):
        contact: Any = Contact.objects.prefetch_related("email_addresses").get(
            pk=ContactFactory(**NAMELESS, email="nobody@rivermail.test").pk
        )
        assert contact.called == "nobody@rivermail.test"
        assert (str(contact), called(contact)) == ("Unnamed contact", "A friend")
        contact.do_not_contact = True
        contact.save()
        assert ConsentEvent.objects.get().contact_name == "Unnamed contact"
        assert str(ContactFactory(first_name="Ana", last_name="Ruiz").called) == "Ana Ruiz"
