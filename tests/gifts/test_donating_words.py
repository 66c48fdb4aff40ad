"""Email (O5) and text messages (O6): who is subscribed by a donation, and who comes back by their own word only."""

from typing import Any

import pytest

from contacts import mail_status, standing
from contacts.mail_status import mail_statuses
from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, ListMembership, MobileEvent, PhoneNumber
from contacts.models.consent import LedgerIsAppendOnly
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from gifts.donating.caller import BLIND, KEYED, Caller
from gifts.donating.donations import record_donation
from gifts.donating.people import sign_up, update_person
from gifts.models import FundraisingPage
from integrations.sync.consent import allows
from tests.factories import ContactFactory
from tests.gifts.donating import ANA, NUMBER, OTHER, body, give, page_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
PLACE = "mailchimp audience:ab12"


@pytest.fixture
def page(tenant: Tenant) -> FundraisingPage:
    return page_of(tenant)


def ana(**values: Any) -> Contact:
    """Somebody who is here already."""
    found: Contact = ContactFactory(email=ANA, **values)
    return found


def status(contact: Contact, of: ContactList | None = None) -> str:
    """As programs are told."""
    return mail_statuses([Contact.objects.get(pk=contact.pk)], of)[contact.pk]


def opts_out(contact: Contact, **where: Any) -> None:
    """They said so themselves, at a vendor."""
    with acting(By.PERSON, "Mailchimp webhook"):
        ConsentEvent.by_actor(
            ConsentEvent.Kind.OPT_OUT, contact.uid, tenant_id=contact.tenant_id, contact_name="Ana", address=ANA,
            **where,
        ).save()  # fmt: skip


def marked(contact: Contact) -> None:
    """Staff set Do Not Contact."""
    with acting(By.STAFF, "Almoner"):
        contact.do_not_contact = True
        contact.save()


def asks(page: FundraisingPage, caller: Caller = KEYED, word: str = "subscribed") -> Contact:
    """A donation with this word about email."""
    return record_donation(page, body(person(ANA, mail=word)), caller=caller).gift.contact


def test_O5_somebody_new_is_subscribed(page: FundraisingPage) -> None:
    new = give(page, person(ANA)).gift.contact
    assert status(new) == "subscribed"
    word = ConsentEvent.objects.get()
    assert (word.kind, word.by, word.contact_uid, word.address) == ("opt_in", By.SYSTEM, new.uid, ANA)


@pytest.mark.parametrize("where", [{}, {"place": PLACE}])
@pytest.mark.parametrize("caller", [KEYED, BLIND])
def test_O5_who_unsubscribed_stays_so_without_a_word_and_comes_back_by_one(
    page: FundraisingPage, where: Any, caller: Caller
) -> None:
    contact = ana()
    assert status(contact) == "subscribed"
    opts_out(contact, **where)
    for word in ("", "unsubscribed-ish", "bouncing"):
        asks(page, caller, word)
        assert status(contact) == "unsubscribed"
    asks(page, caller)
    assert status(contact) == "subscribed"
    words, _ = standing.load([contact.uid], [])
    assert allows(words.get(str(contact.uid), {}), "", PLACE) == standing.FREE
    own = ConsentEvent.objects.filter(kind="opt_in", by=By.PERSON)
    assert own.get().contact_uid == contact.uid
    asks(page, caller)
    assert own.count() == 1


@pytest.mark.parametrize("caller", [KEYED, BLIND])
def test_L35_O5_do_not_contact_that_staff_have_set_is_lifted_by_staff_only(
    page: FundraisingPage, caller: Caller
) -> None:
    contact = ana()
    marked(contact)
    asks(page, caller)
    contact.refresh_from_db()
    assert contact.do_not_contact
    assert status(contact) == "unsubscribed"


@pytest.mark.parametrize(
    "state, told", [("bounced", "bouncing"), ("invalid", "bouncing"), ("complained", "spam complaint")]
)
@pytest.mark.parametrize("caller", [KEYED, BLIND])
def test_O5_a_bounce_and_a_complaint_stay(page: FundraisingPage, state: str, told: str, caller: Caller) -> None:
    contact = ana(email_state=EmailAddress.State(state))
    asks(page, caller)
    assert contact.email_addresses.get().state == state
    assert status(contact) == told


def test_O5_somebody_new_at_an_address_that_was_opted_out_stays_out_until_they_say_so(page: FundraisingPage) -> None:
    former = ana()
    opts_out(former)
    former.delete()
    new = give(page, person(ANA)).gift.contact
    assert status(new) == "unsubscribed"
    asks(page)
    assert status(new) == "subscribed"


def test_O5_the_list_of_the_key_is_joined_by_whoever_is_new_or_asks(page: FundraisingPage) -> None:
    news, other = ContactList.objects.create(name="News"), ContactList.objects.create(name="Other")
    key = Caller(joins=news)
    contact = ana()
    ListMembership.objects.create(contact=contact, contact_list=other)
    asks(page, key, "")
    assert (status(contact, news), status(contact, other)) == ("unsubscribed", "subscribed")
    opts_out(contact)
    asks(page, key)
    assert (status(contact, news), status(contact, other)) == ("subscribed", "unsubscribed")
    assert contact.memberships.get(contact_list=other).do_not_contact  # they did not ask for that one
    new = record_donation(page, body(person("new@rivermail.test")), caller=key).gift.contact
    assert status(new, news) == "subscribed"
    assert ConsentEvent.objects.get(contact_uid=new.uid).list_uid == news.uid


def test_O5_a_list_that_somebody_left_is_not_given_back_while_they_get_others(page: FundraisingPage) -> None:
    contact = ana()
    for name in ("News", "Events"):
        ListMembership.objects.create(contact=contact, contact_list=ContactList.objects.create(name=name))
    events = ContactList.objects.get(name="Events")
    opts_out(contact, list_uid=events.uid, list_name="Events")
    assert status(contact) == "subscribed"
    asks(page)
    assert status(contact, events) == "unsubscribed"
    opts_out(contact, list_uid=ContactList.objects.get(name="News").uid, list_name="News")
    assert status(contact) == "unsubscribed"
    asks(page)
    assert status(contact) == "subscribed"


def test_O5_unsubscribed_is_heard_by_the_signup_helper_and_by_put(page: FundraisingPage) -> None:
    contact, _ = sign_up({"person": person(ANA)})
    sign_up({"person": person(ANA, mail="unsubscribed")})
    assert status(contact) == "unsubscribed"
    update_person(contact, {"email_addresses": [{"status": "subscribed"}]})
    assert status(contact) == "subscribed"
    update_person(contact, {"email_addresses": [{"status": "unsubscribed"}]})
    assert status(contact) == "unsubscribed"
    assert set(ConsentEvent.objects.filter(kind="opt_out").values_list("by", flat=True)) == {By.PERSON}


def test_O5_statuses_of_many_are_read_in_a_fixed_number_of_queries(django_assert_num_queries: Any) -> None:
    news = ContactList.objects.create(name="News")
    for number in (1, 12):
        for _ in range(number):
            ListMembership.objects.create(contact=ContactFactory(), contact_list=news)
        people = list(Contact.objects.all())
        with django_assert_num_queries(6):
            assert set(mail_status.mail_statuses(people).values()) == {"subscribed"}


@pytest.mark.parametrize("word, takes", [("", False), ("subscribed", True), ("unsubscribed", False), ("maybe", False)])
def test_O6_somebody_new_gets_text_messages_only_if_they_asked(page: FundraisingPage, word: str, takes: bool) -> None:
    assert give(page, person(ANA, NUMBER, text=word)).gift.contact.phone_numbers.get().takes_texts is takes


def test_O6_somebody_known_stays_as_they_are_unless_they_ask(page: FundraisingPage) -> None:
    contact = give(page, person(ANA, NUMBER)).gift.contact
    for word, takes in (("", False), ("subscribed", True), ("", True), ("nonsense", True)):
        give(page, person(ANA, NUMBER, text=word))
        assert contact.phone_numbers.get().takes_texts is takes
    give(page, person(ANA, OTHER))
    assert contact.phone_numbers.get().takes_texts  # the person agreed, and is the same with another number


def test_O6_every_change_stands_in_the_ledger_which_is_never_changed(page: FundraisingPage) -> None:
    contact = give(page, person(ANA, NUMBER, text="subscribed")).gift.contact
    update_person(contact, {"phone_numbers": [{"status": "unsubscribed"}]})
    told = MobileEvent.objects.order_by("pk").values_list("kind", "by", "number", "contact_uid")
    assert list(told) == [("opt_in", By.PERSON, NUMBER, contact.uid), ("opt_out", By.PERSON, NUMBER, contact.uid)]
    row = MobileEvent.objects.first()
    with pytest.raises(LedgerIsAppendOnly):
        row.save()
    with pytest.raises(LedgerIsAppendOnly):
        MobileEvent.objects.all().delete()


def test_O6_a_word_about_email_is_none_about_text_messages(page: FundraisingPage) -> None:
    contact = give(page, person(ANA, NUMBER, mail="subscribed")).gift.contact
    assert not contact.phone_numbers.get().takes_texts
    opts_out(contact)
    give(page, person(ANA, NUMBER, text="subscribed"))
    assert contact.phone_numbers.get().takes_texts
    assert status(contact) == "unsubscribed"


@pytest.mark.parametrize("caller", [KEYED, BLIND])
def test_O6_what_staff_have_set_about_text_messages_is_lifted_by_staff_only(
    page: FundraisingPage, caller: Caller
) -> None:
    contact = give(page, person(ANA, NUMBER, text="subscribed")).gift.contact
    with acting(By.STAFF, "Almoner"):
        row = contact.phone_numbers.get()
        row.takes_texts = False
        row.save()
    record_donation(page, body(person(ANA, NUMBER, text="subscribed")), caller=caller)
    assert not contact.phone_numbers.get().takes_texts


@pytest.mark.parametrize("who", [ANA, "stranger@rivermail.test"])
@pytest.mark.parametrize("caller", [KEYED, BLIND])
def test_O6_nobody_is_texted_whom_staff_put_under_do_not_contact(
    page: FundraisingPage, caller: Caller, who: str
) -> None:
    marked(give(page, person(ANA, NUMBER)).gift.contact)
    record_donation(page, body(person(who, NUMBER, text="subscribed")), caller=caller)
    assert not PhoneNumber.objects.get().takes_texts


@pytest.mark.parametrize("caller, comes_back", [(KEYED, True), (BLIND, False)])
@pytest.mark.parametrize("mail", ["", "second@rivermail.test"])
def test_O5_a_form_speaks_of_no_address_but_the_one_that_was_typed(
    page: FundraisingPage, caller: Caller, comes_back: bool, mail: str
) -> None:
    contact = give(page, person(ANA, NUMBER)).gift.contact
    EmailAddress.objects.create(contact=contact, address="second@rivermail.test")
    opts_out(contact)
    record_donation(page, body(person(mail, NUMBER, mail="subscribed")), caller=caller)
    assert status(contact) == ("subscribed" if comes_back else "unsubscribed")


@pytest.mark.parametrize("caller", [KEYED, BLIND])
def test_O5_do_not_contact_that_staff_have_set_on_a_list_is_lifted_by_staff_only(
    page: FundraisingPage, caller: Caller
) -> None:
    contact = ana()
    places = [
        ListMembership.objects.create(contact=contact, contact_list=ContactList.objects.create(name=name))
        for name in ("News", "Events")
    ]
    with acting(By.STAFF, "Almoner"):
        for one in places:
            one.do_not_contact = True
            one.save()
    asks(page, caller)
    assert {one.do_not_contact for one in contact.memberships.all()} == {True}
    assert status(contact) == "unsubscribed"
    assert not ConsentEvent.objects.filter(kind="opt_in").exists()


def test_O5_a_form_gives_back_the_lists_that_they_left_themselves_and_not_what_staff_have_set(
    page: FundraisingPage,
) -> None:
    contact = ana()
    news, events = ContactList.objects.create(name="News"), ContactList.objects.create(name="Events")
    for one in (news, events):
        ListMembership.objects.create(contact=contact, contact_list=one)
    with acting(By.STAFF, "Almoner"):
        events_place = contact.memberships.get(contact_list=events)
        events_place.do_not_contact = True
        events_place.save()
    opts_out(contact, list_uid=news.uid, list_name="News")
    asks(page, BLIND)
    assert (status(contact, news), status(contact, events)) == ("subscribed", "unsubscribed")
