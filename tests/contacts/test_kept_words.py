"""What people have said themselves holds when the contact, or an address, is deleted and comes again (L35)."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts import services, standing, word
from contacts.importing.deciding import ADDRESS_OPTED_OUT
from contacts.models import ConsentEvent, Contact, EmailAddress
from contacts.models.kept_marks import TAKEN_OVER
from contacts.models.kept_words import COMPLAINED_BEFORE, COMPLAINT, give_back
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts import forms
from tests.contacts.import_desk import checked, imported, row, taken_back
from tests.factories import ContactFactory, ContactListFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
DORA, WORK = "dora@river.test", "work@river.test"
OUT = {"*": "out"}


def opted_out(**about: Any) -> Contact:
    """Somebody with two addresses, who has unsubscribed under the first."""
    dora = ContactFactory(email=DORA)
    EmailAddress.objects.create(contact=dora, address=WORK)
    with acting(By.PERSON, "Mailchimp"):
        ConsentEvent.by_actor(
            ConsentEvent.Kind.OPT_OUT, dora.uid, address=DORA, tenant_id=dora.tenant_id, **about
        ).save()
    return dora


def says(contact: Contact) -> dict[str, str]:
    """What the engine goes by."""
    primary = Contact.objects.get(pk=contact.pk).primary_email
    by_uid, by_address = standing.load([contact.uid], [primary.address_key if primary else ""])
    return standing.strictest(*by_uid.values(), *by_address.values())


def state_of(contact: Contact) -> str:
    return str(contact.email_addresses.get().state)


def test_L35_who_opted_out_and_was_deleted_is_out_under_every_address_that_they_had() -> None:
    opted_out().delete()
    assert says(ContactFactory(email=WORK)) == OUT
    assert says(ContactFactory(email="stranger@river.test")) == {}


def test_L35_the_word_goes_on_with_the_person_when_the_address_changes_afterwards() -> None:
    opted_out(place="mailchimp audience:a1").delete()
    again = ContactFactory(email=DORA)
    EmailAddress.objects.filter(contact=again).update(address="new@river.test", address_key="new@river.test")
    assert says(again) == {"place:mailchimp audience:a1": "out"}
    news = ContactListFactory(name="News")
    opted_out(list_uid=news.uid, list_name="News").delete()
    assert says(ContactFactory(email=WORK))[f"list:{news.uid}"] == "out", "or on one list only"


def test_L35_L8_who_had_the_address_before_has_not_opted_out() -> None:
    dora, spouse = opted_out(), ContactFactory(email=WORK)
    dora.delete()
    assert says(spouse) == {}
    assert says(ContactFactory(email=WORK)) == OUT, "and whoever gets it now is taken for the one who is gone"
    assert says(spouse) == {}


def test_L35_who_asks_for_mail_again_is_heard_and_so_is_the_next_with_the_address() -> None:
    opted_out().delete()
    again = ContactFactory(email=WORK)
    word.note_opt_in(again, "By phone on March 3: please write to me again", set(), UserFactory())
    assert "out" not in says(again).values()
    again.delete()
    assert "out" not in says(ContactFactory(email=WORK)).values()


def test_L35_whoever_has_asked_again_is_not_out_by_what_others_said_under_that_address_before() -> None:
    gone, now = opted_out(), UserFactory()
    spouse, stranger = ContactFactory(email=DORA), ContactFactory(email="stranger@river.test")
    gone.delete()
    again = ContactFactory(email=DORA)
    assert says(again) == says(spouse) == OUT, "a service holds one entry for an address"
    for one in (again, spouse):
        word.note_opt_in(one, "By phone on March 3: please write to me again", set(), now)
    assert "out" not in [*says(again).values(), *says(spouse).values()]
    by_uid, _ = standing.load([stranger.uid], [DORA])
    assert by_uid == {}, "of nobody who was not asked about"


def test_L35_a_merge_leaves_no_word_behind() -> None:
    from contacts.duplicates.merge import merge

    kept = ContactFactory(email="kept@river.test")
    merge(kept, opted_out())
    assert says(kept) == OUT
    assert says(ContactFactory(email=WORK)) == {}


def test_L35_who_took_a_word_over_and_was_merged_then_is_heard_when_they_come_back() -> None:
    from contacts.duplicates.merge import merge

    place = "mailchimp audience:a1"
    opted_out(place=place).delete()
    kept, other = ContactFactory(email=""), ContactFactory(email="other@river.test")
    merge(kept, ContactFactory(email=WORK))
    assert says(kept) == {f"place:{place}": "out"}
    with acting(By.PERSON, "Mailchimp"):
        give_back(WORK, place, uuid4(), lambda _: ())
    assert says(kept) == {f"place:{place}": "free"} and says(other) == {}


def test_L35_an_import_says_beforehand_that_they_opted_out_and_taking_it_back_keeps_that() -> None:
    opted_out().delete()
    file = f"Email\n{WORK}\nnew@river.test\n"
    preview = checked(file)
    assert [row(preview, n).warnings for n in (2, 3)] == [[ADDRESS_OPTED_OUT], []]
    done = imported(file)
    assert says(Contact.objects.get(email_addresses__address=WORK)) == OUT
    taken_back(done)
    assert not EmailAddress.objects.filter(address=WORK).exists()
    assert says(ContactFactory(email=WORK)) == OUT


def test_L35_who_adds_them_by_hand_is_told(client: Client) -> None:
    opted_out().delete()
    form = forms.with_row(forms.opened(client) | {"first_name": "Dora"}, "email_addresses", address=WORK,
                          is_primary="on", state="ok")  # fmt: skip
    answer = client.get(forms.sent(client, form).url).content.decode()
    assert "has opted out everywhere, in their own words" in answer and TAKEN_OVER in answer


@pytest.mark.parametrize("how", ["the address goes", "the contact goes", "it becomes another one"])
def test_L35_a_complaint_about_spam_is_kept_with_the_address(how: str) -> None:
    dora = ContactFactory(email=DORA, email_state="complained")
    if how == "the contact goes":
        services.delete_contacts(Contact.objects.filter(pk=dora.pk))
        dora = ContactFactory(email="")
    elif how == "the address goes":
        dora.email_addresses.all().delete()
    else:
        dora.email_addresses.update(address=WORK, address_key=WORK, state="ok")
        assert state_of(dora) == "ok", "nobody complained from there"
        dora.email_addresses.all().delete()
    EmailAddress.objects.create(contact=dora, address="Dora@river.test", is_primary=True)
    assert state_of(dora) == "complained"
    assert ConsentEvent.objects.filter(detail=COMPLAINT, address=DORA).count() == 1
    assert state_of(ContactFactory(email="other@river.test")) == "ok"


def test_L35_a_complaint_that_was_taken_back_does_not_return() -> None:
    dora = ContactFactory(email=DORA, email_state="complained")
    dora.email_addresses.all().delete()
    EmailAddress.objects.create(contact=dora, address=DORA, is_primary=True)
    word.note_opt_in(dora, "By phone on March 3: please write to me again", set(), UserFactory())
    assert state_of(dora) == "ok"
    dora.email_addresses.all().delete()
    EmailAddress.objects.create(contact=dora, address=DORA, is_primary=True)
    assert state_of(dora) == "ok"


def test_L35_an_import_that_gives_the_address_back_keeps_the_complaint_and_can_be_taken_back() -> None:
    ContactFactory(email=DORA, email_state="complained").delete()
    done = imported(f"Email\n{DORA}\n")
    assert EmailAddress.objects.get().state == "complained"
    taken_back(done)
    assert not Contact.objects.exists(), f"“{COMPLAINED_BEFORE}” is nobody's change"


def test_L35_deleting_and_adding_cost_as_many_queries_whatever_their_number() -> None:
    def cost(number: int) -> list[int]:
        names = [f"{number}.{n}@river.test" for n in range(number)]
        for name in names:
            one = ContactFactory(email=name, email_state="complained", first_name="Gone")
            with acting(By.PERSON, "Mailchimp"):
                ConsentEvent.by_actor(ConsentEvent.Kind.OPT_OUT, one.uid, tenant_id=one.tenant_id, address=name).save()
        with CaptureQueriesContext(connection) as going:
            Contact.objects.filter(first_name="Gone").delete()
        contacts = Contact.objects.bulk_create([Contact() for _ in range(number)])
        with CaptureQueriesContext(connection) as coming:
            EmailAddress.objects.bulk_create(
                EmailAddress(contact=one, address=name, address_key=name, is_primary=True)
                for one, name in zip(contacts, names, strict=True)
            )
        assert all(says(one) == OUT and state_of(one) == "complained" for one in contacts)
        return [len(going), len(coming)]

    assert cost(2) == cost(9)


def test_L35_the_neighbours_words_are_their_own(neighbour: Any) -> None:
    with inside(neighbour):
        opted_out().delete()
        ContactFactory(email="spam@river.test", email_state="complained").delete()
    assert says(ContactFactory(email=WORK)) == {}
    assert state_of(ContactFactory(email="spam@river.test")) == "ok"


def test_L35_an_address_that_was_taken_on_after_the_opt_out_and_given_up_again_keeps_it() -> None:
    dora = opted_out()
    email = dora.email_addresses.get(address_key=DORA)
    for address in ("b@river.test", "c@river.test"):
        email.address = address
        email.save()
    assert says(ContactFactory(email="b@river.test")) == OUT
    assert says(ContactFactory(email="never@river.test")) == {}
    second = EmailAddress.objects.create(contact=dora, address="d@river.test")
    second.delete()
    again = ContactFactory(email="d@river.test")
    assert says(again) == OUT
    # Somebody who never said no leaves nothing behind, and who asks for mail again is heard.
    free = ContactFactory(email="free@river.test").email_addresses.get()
    free.address = "freer@river.test"
    free.save()
    assert says(ContactFactory(email="free@river.test")) == {}
    with acting(By.PERSON, "Form"):
        ConsentEvent.by_actor(
            ConsentEvent.Kind.OPT_IN, again.uid, address="d@river.test", tenant_id=again.tenant_id
        ).save()  # fmt: skip
    assert "out" not in says(again).values()
