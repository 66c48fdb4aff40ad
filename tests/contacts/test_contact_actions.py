"""The buttons of a contact's page, what it says about the person, and a person's own word that staff note (L35)."""

from typing import Any

import pytest
from django.test import Client

from contacts import services, standing
from contacts.models import ConsentEvent, Contact, EmailAddress, ListMembership
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant as inside
from integrations.models import RemoteRecord
from tests.contacts.forms import opened, page_of, sent, with_row
from tests.factories import ConnectionFactory, ContactFactory, ContactListFactory, ListMembershipFactory
from tests.integrations.desk import plain
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]

SAID = "By phone on March 3: please send me the newsletter again"
PLACE = "mailchimp audience:a"


def press(client: Client, contact: Contact, button: str, **values: Any) -> str:
    """Press a button of the page; what is said then, on the same page."""
    answer = client.post(f"/admin/contacts/contact/{contact.pk}/{button}/", values, follow=True)
    assert answer.redirect_chain[-1][0] == page_of(contact)
    return " ".join(str(message) for message in answer.context["messages"])


def words(client: Client, contact: Contact) -> str:
    return plain(client.get(page_of(contact)).content.decode())


def html_of(client: Client, contact: Contact) -> str:
    return client.get(page_of(contact)).content.decode()


# --- what the page says ---


def test_the_page_begins_with_who_this_is_and_how_to_reach_them(client: Client) -> None:
    ana = ContactFactory(
        first_name="Ana", last_name="Ruiz", organization_name="River Bakery", job_title="Owner", phone="+14155550132",
        email="ana@rivermail.test", do_not_contact=True,
    )  # fmt: skip
    services.set_tags(ana, [], ["volunteer"])
    ListMembershipFactory(contact=ana, contact_list=ContactListFactory(name="Board"), position="Treasurer")
    html = html_of(client, ana)
    head = plain(html.partition("ct-columns")[0])
    for expected in ("Owner at River Bakery", "Do Not Contact", "Board Treasurer", "volunteer", "Added "):
        assert expected in head
    assert 'href="mailto:ana@rivermail.test"' in html
    assert 'href="tel:+14155550132"' in html


def test_a_closed_part_says_what_is_in_it_and_an_organization_is_one(client: Client) -> None:
    shop = ContactFactory(kind="organization", organization_name="River Bakery", first_name="Ana", last_name="")
    page = words(client, shop)
    assert "Organization · Ana" in page
    assert "Kind: Organization" in page
    assert "Postal addresses None" in page


def test_saving_stays_on_the_page_and_a_mistake_opens_the_part_it_is_in(client: Client) -> None:
    ana = ContactFactory(first_name="Ana", email="ana@rivermail.test")
    form = opened(client, ana) | {"first_name": "Anabel"}
    assert sent(client, form, ana)["Location"] == page_of(ana)
    wrong = sent(client, with_row(form, "email_addresses", address="nonsense", state="ok"), ana)
    html = wrong.content.decode()
    assert "Nothing was saved yet." in html
    assert 'id="part-email-addresses" open' in html
    assert 'id="part-phone-numbers" open' not in html
    assert "Row 2, email address" in plain(html)


def test_somebody_new_is_asked_the_short_form_and_more_only_on_demand(client: Client) -> None:
    html = client.get(page_of(None)).content.decode()
    short, more = html.partition("ct-more")[::2]
    for name in (
        "first_name",
        "email_addresses-0-address",
        "phone_numbers-0-number",
        "memberships-0-contact_list",
        "tags",
    ):
        assert f'name="{name}"' in short
    for name in ("notes", "do_not_contact", "postal_addresses-TOTAL_FORMS"):
        assert f'name="{name}"' in more
    assert "email_addresses-0-state" not in html


def test_X5_a_viewer_reads_everything_and_finds_nothing_to_press(tenant: Tenant) -> None:
    ana = ContactFactory(first_name="Ana", notes="Likes tea", email_state="bounced", do_not_contact=True)
    viewer = logged_in(tenant, Role.VIEWER)
    html = html_of(viewer, ana)
    assert "Likes tea" in html
    main = html.partition('id="content-main"')[2]
    assert "<button" not in main
    assert "Edit</span>" not in main
    buttons = ["do-not-contact", "add-to-list", "take-off", "good-address", "asked-again", "household"]
    for button in buttons:
        assert viewer.post(f"/admin/contacts/contact/{ana.pk}/{button}/", {"value": "clear"}).status_code == 403
    ana.refresh_from_db()
    assert ana.do_not_contact is True


# --- buttons ---


def test_do_not_contact_is_set_and_cleared_and_says_what_happens(client: Client) -> None:
    ana = ContactFactory(first_name="Ana", last_name="Ruiz")
    assert "Ana Ruiz gets nothing more from us" in press(client, ana, "do-not-contact", value="set")
    assert press(client, ana, "do-not-contact", value="set") == ""
    ana.refresh_from_db()
    assert ana.do_not_contact is True
    assert "asked to confirm first" in press(client, ana, "do-not-contact", value="clear")
    press(client, ana, "do-not-contact", value="nonsense")
    kinds = ConsentEvent.objects.order_by("pk").values_list("kind", "by")
    assert list(kinds) == [("dnc_set", "staff"), ("dnc_cleared", "staff")]


def test_they_are_put_on_a_list_and_taken_off(client: Client) -> None:
    ana, news = ContactFactory(), ContactListFactory(name="Newsletter")
    assert "is on “Newsletter” now" in press(client, ana, "add-to-list", contact_list=news.pk)
    assert "already" in press(client, ana, "add-to-list", contact_list=news.pk)
    assert "Choose a list first." in press(client, ana, "add-to-list")
    assert "is off “Newsletter”" in press(client, ana, "take-off", contact_list=news.pk)
    assert not ListMembership.objects.exists()


def test_a_bounced_address_is_marked_as_good_again_and_goes_out(client: Client) -> None:
    ConnectionFactory()
    ana = ContactFactory(email="ana@rivermail.test", email_state="bounced")
    ListMembershipFactory(contact=ana)
    RemoteRecord.objects.update(due_at=None)
    assert "Mail to ana@rivermail.test came back" in words(client, ana)
    press(client, ana, "good-address", email=ana.email_addresses.get().pk)
    assert ana.email_addresses.get().state == EmailAddress.State.OK
    assert RemoteRecord.objects.filter(subject_uid=ana.uid, due_at__isnull=False).exists()
    assert "came back" not in words(client, ana).partition("May we write")[0]


@pytest.mark.parametrize("state", ["bounced", "invalid", "complained"])
def test_L20_L34_an_address_that_is_entered_in_place_of_one_that_was_no_good_is_good(
    client: Client, state: str
) -> None:
    ana = ContactFactory(email="ana@rivermail.test", email_state=state)
    other_case = opened(client, ana) | {"email_addresses-0-address": "Ana@rivermail.test"}
    sent(client, other_case, ana)
    assert ana.email_addresses.get().state == state, "the same one in other letters"
    sent(client, opened(client, ana) | {"email_addresses-0-address": "ana@elsewhere.test"}, ana)
    email = ana.email_addresses.get()
    assert (email.address, email.state) == ("ana@elsewhere.test", "ok")
    chosen = {"email_addresses-0-address": "ana@third.test", "email_addresses-0-state": "bounced"}
    sent(client, opened(client, ana) | chosen, ana)
    assert ana.email_addresses.get().state == "bounced", "unless somebody says otherwise"


def test_L35_a_complaint_about_spam_is_their_own_word_and_goes_by_no_click_of_staff(client: Client) -> None:
    ana = ContactFactory(email="ana@rivermail.test", email_state="complained")
    email = ana.email_addresses.get()
    page = words(client, ana)
    assert "only they can take it back" in page and "Mark as good again" not in page
    assert "Only they can take it back" in press(client, ana, "good-address", email=email.pk)
    form = opened(client, ana) | {"email_addresses-0-state": "ok"}
    assert "Only their own word takes that back" in sent(client, form, ana).content.decode()
    email.refresh_from_db()
    assert email.state == "complained"
    assert "Noted" in press(client, ana, "asked-again", said=SAID)
    email.refresh_from_db()
    assert email.state == "ok"


@pytest.mark.parametrize(
    "button", ["do-not-contact", "add-to-list", "take-off", "good-address", "asked-again", "household"]
)
def test_T3_a_neighbours_contact_list_and_address_are_not_there(client: Client, neighbour: Tenant, button: str) -> None:
    with inside(neighbour):
        theirs = ContactFactory(email_state="bounced")
        their_list, their_email = ContactListFactory(), theirs.email_addresses.get().pk
    ours = ContactFactory()
    values = {"value": "set", "contact_list": their_list.pk, "email": their_email, "said": SAID, "verb": "make"}
    assert client.post(f"/admin/contacts/contact/{theirs.pk}/{button}/", values).status_code == 404
    assert client.get(f"/admin/contacts/contact/{ours.pk}/{button}/").status_code == 405
    if button in ("take-off", "good-address"):
        assert client.post(f"/admin/contacts/contact/{ours.pk}/{button}/", values).status_code == 404
    if button == "add-to-list":
        assert "Choose a list first." in press(client, ours, button, **values)
    with inside(neighbour):
        theirs.refresh_from_db()
        assert (theirs.do_not_contact, theirs.email_addresses.get().state) == (False, "bounced")
        assert not ListMembership.objects.exists()


# --- their own word, noted by staff ---


def opted_out() -> tuple[Contact, ListMembership, ListMembership]:
    """Somebody who unsubscribed at the service, and was put on another list since."""
    ana = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test")
    news = ListMembershipFactory(contact=ana, contact_list=ContactListFactory(name="Newsletter"))
    with acting(By.PERSON, "Mailchimp"):
        ListMembership.objects.filter(pk=news.pk).update(do_not_contact=True)
        event = ConsentEvent.by_actor(
            "opt_out", ana.uid, contact_name=str(ana), address="ana@rivermail.test", place=PLACE
        )
        event.save()
    gala = ListMembershipFactory(contact=ana, contact_list=ContactListFactory(name="Gala"))
    return ana, news, gala


def said_now(contact: Contact) -> dict[str, str]:
    """Where the person's own word stands."""
    by_uid, by_address = standing.load([contact.uid], ["ana@rivermail.test"])
    return standing.strictest(*by_uid.values(), *by_address.values())


def test_L35_their_own_word_brings_back_what_they_asked_for_and_nothing_else(client: Client) -> None:
    ana, news, gala = opted_out()
    assert "Only their own word brings them back" in words(client, ana)
    press(client, ana, "asked-again", said=SAID, lists=[news.pk])
    news.refresh_from_db()
    gala.refresh_from_db()
    assert (news.do_not_contact, gala.do_not_contact) == (False, True), "they did not ask for the gala"
    now = said_now(ana)
    assert now[f"place:{PLACE}"] == now[f"list:{news.contact_list.uid}"] == standing.FREE
    assert now[f"list:{gala.contact_list.uid}"] == standing.OUT
    event = ConsentEvent.objects.filter(kind="opt_in", place=PLACE).get()
    assert (event.by, event.detail, event.address) == ("person", SAID, "ana@rivermail.test")
    assert event.user is not None
    assert event.source.startswith("Noted by ")
    assert SAID in words(client, ana)


def test_L35_what_is_noted_is_no_wider_than_what_they_asked_for_and_the_page_says_who_waits(client: Client) -> None:
    """After an unsubscribe at the service they ask for one of two lists: that one is named, here and in the ledger."""
    ana, news, gala = opted_out()
    connection = ConnectionFactory(provider="mailchimp")
    assert "Not set by you, but they opted out themselves" in words(client, ana)
    press(client, ana, "asked-again", said=SAID, lists=[news.pk])
    shown = words(client, ana)
    assert "Opted in on “Newsletter”" in shown and "Opted in for everything" not in shown
    assert "They asked to be written to again for “Newsletter”, but do not want “Gala”." in shown
    assert "They opted out themselves. Only" not in shown
    ledger = plain(client.get("/admin/contacts/consentevent/?kind__exact=opt_in").content.decode())
    assert "Newsletter" in ledger and "Everything at Mailchimp" not in ledger
    everything = plain(client.get("/admin/contacts/consentevent/?kind__exact=opt_out").content.decode())
    assert "Everything at Mailchimp" in everything, "what they said there is told in the same words"
    assert "Opted out for everything at Mailchimp" in shown
    RemoteRecord.objects.filter(connection=connection, subject_uid=ana.uid).update(state="waiting", due_at=None)
    shown = words(client, ana)
    assert "They asked to be written to again for “Newsletter”. " in shown
    assert f"{connection} has asked them to confirm; until they do, nothing is sent from there." in shown
    assert "They get nothing from “Gala”." in shown


def test_L35_who_did_not_ask_for_any_list_is_still_out(client: Client) -> None:
    """The control: their word about each list by itself stands, with the way back."""
    ana = ContactFactory(email="ana@rivermail.test")
    news = ListMembershipFactory(contact=ana, contact_list=ContactListFactory(name="Newsletter"))
    with acting(By.PERSON, "A letter"):
        news.do_not_contact = True
        news.save()
    assert "They do not want “Newsletter” any more. Only their own word brings them back." in words(client, ana)


@pytest.mark.parametrize("said", ["", "   ", "yes", "x" * 251])
def test_L35_without_the_words_there_is_no_word_of_the_person(client: Client, said: str) -> None:
    ana, news, _ = opted_out()
    before = ConsentEvent.objects.count()
    assert "Nothing was changed." in press(client, ana, "asked-again", said=said, lists=[news.pk])
    assert "Choose at least one list" in press(client, ana, "asked-again", said=SAID)
    assert ConsentEvent.objects.count() == before
    assert said_now(ana)[f"place:{PLACE}"] == standing.OUT


def test_L35_after_do_not_contact_everywhere_only_what_they_asked_for_comes_back(client: Client) -> None:
    ConnectionFactory()
    ana = ContactFactory(email="ana@rivermail.test")
    news, gala = (ListMembershipFactory(contact=ana) for _ in range(2))
    with acting(By.PERSON, "A letter"):
        services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), True)
    assert said_now(ana) == {standing.EVERYWHERE: standing.OUT}
    RemoteRecord.objects.update(due_at=None)
    press(client, ana, "asked-again", said=SAID, lists=[news.pk])
    for row in (ana, news, gala):
        row.refresh_from_db()
    assert (ana.do_not_contact, news.do_not_contact, gala.do_not_contact) == (False, False, True)
    assert said_now(ana)[standing.EVERYWHERE] == standing.FREE
    assert RemoteRecord.objects.filter(subject_uid=ana.uid, due_at__isnull=False).exists()


def test_L35_a_clearing_by_staff_alone_leaves_them_to_be_asked(client: Client) -> None:
    ana, news, _ = opted_out()
    news.refresh_from_db()
    news.do_not_contact = False
    news.save()
    assert said_now(ana)[f"place:{PLACE}"] == standing.ASK
    assert "They are asked to confirm" in words(client, ana)
