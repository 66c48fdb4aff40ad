"""Do Not Contact that staff had set holds for the address when the contact is deleted, and comes back visibly (L35)."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts import services
from contacts.duplicates.merge import merge
from contacts.duplicates.unmerge import undo
from contacts.importing.deciding import MARK_IS_KEPT, ON_AGAIN
from contacts.models import ConsentEvent, Contact, EmailAddress, ListMembership
from contacts.models.kept_marks import ON_AGAIN as FROM_BEFORE
from contacts.models.kept_marks import TAKEN_OVER
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts import forms
from tests.contacts.import_desk import checked, imported, row, taken_back
from tests.factories import ContactFactory, ContactListFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
DORA = "dora@river.test"


def deleted(email: str = DORA, **values: Any) -> None:
    """Somebody was marked, and deleted afterwards."""
    with acting(By.STAFF, "Admin", UserFactory()):
        contact = ContactFactory(email=email, **{"do_not_contact": True} | values)
        Contact.objects.get(pk=contact.pk).delete()


def new(email: str = DORA, **values: Any) -> Contact:
    """Somebody is added, as an API would do it; as they are in the database."""
    return Contact.objects.get(pk=ContactFactory(email=email, **values).pk)


def last_word(contact: Contact) -> tuple[str, str, str]:
    word = ConsentEvent.objects.filter(contact_uid=contact.uid).latest("at", "pk")
    return word.kind, word.by, word.source


def test_L35_do_not_contact_set_by_staff_outlives_the_contact_and_comes_back_visibly() -> None:
    deleted()
    stranger, again = new("somebody@river.test"), new("DORA@river.test")
    assert not stranger.do_not_contact
    assert again.do_not_contact
    assert last_word(again) == ("dnc_set", "system", TAKEN_OVER), "the ledger says why"


def test_L35_it_holds_for_every_address_and_for_who_gets_one_later() -> None:
    contact = ContactFactory(email=DORA)
    EmailAddress.objects.create(contact=contact, address="work@river.test")
    services.set_do_not_contact(Contact.objects.filter(pk=contact.pk), True)
    services.delete_contacts(Contact.objects.filter(pk=contact.pk))

    other = new("other@river.test")
    EmailAddress.objects.filter(contact=other).update(address="work@river.test", address_key="work@river.test")
    assert Contact.objects.get(pk=other.pk).do_not_contact, "an address that was edited"


@pytest.mark.parametrize("becomes", ["another", "nothing"])
def test_L35_it_stays_with_an_address_that_is_given_up_until_staff_clear_it(becomes: str) -> None:
    contact = new()
    services.set_do_not_contact(Contact.objects.filter(pk=contact.pk), True)
    email = contact.email_addresses.get()
    if becomes == "another":
        email.address = "now@river.test"
        email.save()
    else:
        email.delete()
    heir = new()
    assert heir.do_not_contact and last_word(heir) == ("dnc_set", "system", TAKEN_OVER)
    Contact.objects.get(pk=heir.pk).email_addresses.get().delete()
    services.set_do_not_contact(Contact.objects.filter(pk__in=[contact.pk, heir.pk]), False)
    assert not new().do_not_contact


def test_control_L35_an_address_of_somebody_who_is_not_marked_leaves_nothing() -> None:
    contact = new()
    contact.email_addresses.get().delete()
    assert not new().do_not_contact and not ConsentEvent.objects.filter(kind="dnc_set").exists()


def test_L35_what_staff_clear_stays_cleared_for_this_contact_and_for_the_next_with_the_address() -> None:
    deleted()
    again = new()
    services.set_do_not_contact(Contact.objects.filter(pk=again.pk), False)
    email = again.email_addresses.get()
    for address in ("elsewhere@river.test", DORA):
        email.address = address
        email.save()
    assert not Contact.objects.get(pk=again.pk).do_not_contact
    again.delete()
    assert not new().do_not_contact


def test_L35_L8_the_mark_of_somebody_who_is_still_here_is_their_own() -> None:
    partner = ContactFactory(email=DORA)
    ContactFactory(email=DORA, do_not_contact=True)
    assert not new().do_not_contact, "a couple shares the address"
    deleted()
    partner.refresh_from_db()
    assert not partner.do_not_contact, "they had the address before"
    services.set_do_not_contact(Contact.objects.filter(pk=partner.pk), True)
    services.set_do_not_contact(Contact.objects.filter(pk=partner.pk), False)
    assert new().do_not_contact, "clearing the partner's own mark says nothing about the one who is gone"


def test_L35_a_merge_leaves_no_mark_behind_and_undoing_it_sets_none() -> None:
    kept, gone = ContactFactory(email="kept@river.test"), ContactFactory(email=DORA, do_not_contact=True)
    done = merge(kept, gone)
    services.set_do_not_contact(Contact.objects.filter(pk=kept.pk), False)
    assert not new().do_not_contact, "whoever was marked is part of somebody who is here"
    undo(done)
    assert not Contact.objects.get(pk=kept.pk).do_not_contact


def test_L35_L7_a_mark_on_one_list_holds_for_that_list() -> None:
    news, other = ContactListFactory(name="News"), ContactListFactory(name="Other")
    contact = ContactFactory(email=DORA)
    services.add_to_list(news, Contact.objects.filter(pk=contact.pk))
    news.memberships.update(do_not_contact=True)
    services.delete_contacts(Contact.objects.filter(pk=contact.pk))

    again, late = new(), ContactFactory(email="")
    for contact_list in (news, other):
        services.add_to_list(contact_list, Contact.objects.filter(pk__in=[again.pk, late.pk]))
    EmailAddress.objects.create(contact=late, address=DORA, is_primary=True)
    marked = ListMembership.objects.filter(do_not_contact=True).values_list("contact_id", "contact_list__name")
    assert set(marked) == {(again.pk, "News"), (late.pk, "News")}, "whichever comes first, the list or the address"
    assert not again.do_not_contact


def test_L35_L7_who_is_taken_off_a_list_and_put_on_it_again_is_still_marked_there() -> None:
    news, contact = ContactListFactory(name="News"), ContactFactory()
    here = Contact.objects.filter(pk=contact.pk)
    services.add_to_list(news, here)
    news.memberships.update(do_not_contact=True)
    services.take_off_list(news, here)
    services.add_to_list(news, here)
    assert news.memberships.get().do_not_contact
    assert last_word(contact) == ("dnc_set", "system", FROM_BEFORE)
    news.memberships.update(do_not_contact=False)
    services.take_off_list(news, here)
    services.add_to_list(news, here)
    assert not news.memberships.get().do_not_contact, "it was cleared"


def test_L35_L7_the_mark_on_a_list_of_before_holds_for_whom_they_were_merged_into() -> None:
    news, gone, kept = ContactListFactory(name="News"), ContactFactory(), ContactFactory()
    services.add_to_list(news, Contact.objects.filter(pk=gone.pk))
    news.memberships.update(do_not_contact=True)
    services.take_off_list(news, Contact.objects.filter(pk=gone.pk))
    merge(kept, gone)
    services.add_to_list(news, Contact.objects.filter(pk=kept.pk))
    assert news.memberships.get().do_not_contact
    news.memberships.update(do_not_contact=False)
    services.take_off_list(news, Contact.objects.filter(pk=kept.pk))
    services.add_to_list(news, Contact.objects.filter(pk=kept.pk))
    assert not news.memberships.get().do_not_contact, "it was cleared since"


def test_L35_an_import_says_beforehand_who_will_be_marked_and_why() -> None:
    news, here = ContactListFactory(name="News"), ContactFactory(email="here@river.test")
    services.add_to_list(news, Contact.objects.filter(pk=here.pk))
    news.memberships.update(do_not_contact=True)
    services.take_off_list(news, Contact.objects.filter(pk=here.pk))
    deleted()
    file = f"Email,Lists\n{DORA},\nnew@river.test,News\nhere@river.test,News\n"

    preview = checked(file)
    assert [row(preview, n).warnings for n in (2, 3, 4)] == [[MARK_IS_KEPT.format("")], [], [ON_AGAIN.format("News")]]
    assert preview.counts["kept_marks"] == 2
    done = imported(file)
    assert Contact.objects.get(email_addresses__address=DORA).do_not_contact
    assert news.memberships.get(contact=here).do_not_contact

    taken_back(done)
    assert not EmailAddress.objects.filter(address=DORA).exists(), "the mark does not keep the import from going"
    assert new().do_not_contact, "and does not go with it"


def test_L35_taking_an_import_back_forgets_the_marks_that_it_had_set_itself() -> None:
    done = imported(f"Email,Do Not Contact\n{DORA},yes\n")
    assert Contact.objects.get().do_not_contact
    taken_back(done)
    assert not new().do_not_contact


def test_L35_who_adds_a_contact_by_hand_is_told_that_they_are_marked(client: Client) -> None:
    deleted()
    form = forms.with_row(forms.opened(client) | {"first_name": "Dora"}, "email_addresses", address=DORA,
                          is_primary="on", state="ok")  # fmt: skip
    answer = client.get(forms.sent(client, form).url).content.decode()
    assert Contact.objects.get(first_name="Dora").do_not_contact
    assert "marked Do Not Contact" in answer and TAKEN_OVER in answer


def test_L35_bulk_costs_as_many_queries_whatever_their_number() -> None:
    def cost(number: int) -> int:
        for n in range(number):
            deleted(f"{number}.{n}@river.test")
        contacts = Contact.objects.bulk_create([Contact(first_name=f"{number}") for _ in range(number)])
        with CaptureQueriesContext(connection) as queries:
            EmailAddress.objects.bulk_create(
                [
                    EmailAddress(contact=contact, address=f"{number}.{n}@river.test",
                                 address_key=f"{number}.{n}@river.test", is_primary=True)
                    for n, contact in enumerate(contacts)
                ]
            )  # fmt: skip
        assert Contact.objects.filter(first_name=f"{number}", do_not_contact=True).count() == number
        return len(queries)

    assert cost(2) == cost(9)


def test_L35_the_neighbours_marks_are_their_own(neighbour: Any) -> None:
    with inside(neighbour):
        deleted()
    assert not new().do_not_contact
