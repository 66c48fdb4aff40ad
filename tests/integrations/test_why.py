"""L34: for each situation the card on a contact's page names the right reason, and offers the button that mends it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contacts import services
from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, ListMembership
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Role, Tenant
from integrations.mends import AT_THE_SERVICE, ON_THE_PAGE
from integrations.models import Connection, Delivery, RemoteRecord
from integrations.words import REASONS
from tests.contacts.forms import page_of
from tests.factories import ConnectionFactory, ContactFactory, ContactListFactory
from tests.integrations.desk import plain
from tests.tenancy.people import logged_in

# The walk of tests/tenancy opens these pages on PostgreSQL, too.
pytestmark = [pytest.mark.once, pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]

State = RemoteRecord.State
ADDRESS = "#part-email-addresses"


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """The owner's browser."""
    return logged_in(tenant)


class Case:
    """A contact on a synchronized list, at a service that works; situations change what they are about."""

    def __init__(self) -> None:
        self.connection = ConnectionFactory()
        self.news = ContactListFactory(name="Newsletter")
        self.ana = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test")
        services.add_to_list(self.news, Contact.objects.filter(pk=self.ana.pk))
        self.record = RemoteRecord.objects.get(kind="contact", subject_uid=self.ana.uid)
        self.settled()

    def settled(self, code: str = "", state: str = State.OK, standing: str = "subscribed", **more: Any) -> None:
        """What came of it when it was sent."""
        member = {
            "address": "ana@rivermail.test", "standing": standing, "fields": {"first_name": "Ana", "last_name": "Ruiz"},
            "lists": [str(self.news.uid)], "remote_id": "1", "ours": True,
        }  # fmt: skip
        known = {"containers": {"audience:a": member}} if standing else {}
        values = {"due_at": None, "state": state, "reason_code": code, "known": known} | more
        RemoteRecord.objects.filter(pk=self.record.pk).update(**values)

    def skipped(self, code: str) -> None:
        self.settled(code, State.SKIPPED, standing="")

    def refused(self, code: str, said: str = "") -> None:
        self.settled(code, State.SET_ASIDE, standing="", reason=said)

    def forget(self) -> None:
        """As before anything was ever marked for sending."""
        RemoteRecord.objects.filter(kind="contact").delete()

    def email(self, **values: Any) -> None:
        EmailAddress.objects.filter(contact=self.ana).update(**values)

    def connected(self, **values: Any) -> None:
        Connection.objects.filter(pk=self.connection.pk).update(**values)

    def silent(self) -> None:
        self.settled(due_at=timezone.now())
        self.connected(failures=3)

    def off_the_list(self) -> None:
        ListMembership.objects.filter(contact=self.ana).delete()


def never(case: Case, change: Callable[[], Any]) -> None:
    """A change, and no row of the ledger about them yet."""
    change()
    case.forget()


# What is so, how it came about, what the card says, and where the button leads ("Retry" for that one, "" for none).
SITUATIONS: list[tuple[str, Callable[[Case], Any], list[str], str]] = [
    ("in step", lambda c: None, ["In step", "ana@rivermail.test: subscribed, on Newsletter"], ""),
    ("no email", lambda c: c.skipped("no_email"), ["Not sent", "No email address."], ADDRESS),
    ("no email, never sent", lambda c: never(c, lambda: EmailAddress.objects.all().delete()), ["No email address."],
     ADDRESS),
    ("bounced", lambda c: c.skipped("email_bounced"), ["Address bounced."], ADDRESS),
    ("bounced, never sent", lambda c: never(c, lambda: c.email(state="bounced")), ["Address bounced."],
     "#good-address"),
    ("complained", lambda c: c.skipped("email_complained"), ["Not sent", "Reported your mail as spam."],
     "#asked-again"),
    ("complained, never sent", lambda c: never(c, lambda: c.email(state="complained")),
     ["Reported your mail as spam.", "Only they can take it back"], "#asked-again"),
    ("invalid", lambda c: never(c, lambda: c.email(state="invalid")), ["Not a valid address."], ADDRESS),
    ("DNC", lambda c: c.skipped("dnc_contact"), ["Do Not Contact."], "#asked-again"),
    ("DNC, never sent",
     lambda c: never(c, lambda: services.set_do_not_contact(Contact.objects.filter(pk=c.ana.pk), True)),
     ["Do Not Contact."], "#asked-again"),
    ("DNC on the list", lambda c: c.skipped("dnc_list"), ["Do Not Contact on this list."], "#asked-again"),
    ("opted out", lambda c: c.skipped("opted_out"), ["Opted out.", "Their own decision"], "#asked-again"),
    ("asked to confirm", lambda c: c.settled("waiting_confirmation", State.WAITING, "pending"),
     ["Waits for the person", "Waits for their confirmation."], ""),
    ("on no list", lambda c: c.skipped("not_on_a_list"), ["Not on a synchronized list."], "#add-to-list"),
    ("on no list, never sent", lambda c: never(c, c.off_the_list), ["Not on a synchronized list."], "#add-to-list"),
    ("list not flagged", lambda c: never(c, lambda: ContactList.objects.update(synchronize=False)),
     ["Not on a synchronized list."], "#add-to-list"),
    ("list not there", lambda c: c.skipped("list_not_there_yet"), ["The list is not there yet."], "Retry"),
    ("removed there", lambda c: c.settled("removed_there", State.SKIPPED, "removed"), ["Removed at Mailchimp."],
     "Retry"),
    ("cleaned there", lambda c: c.settled("cleaned_there", State.SKIPPED, "cleaned"),
     ["Address rejected by Mailchimp."], ADDRESS),
    ("erased there", lambda c: c.refused("forgotten"), ["Erased at Mailchimp.", "sign-up form"], ""),
    ("looks made up", lambda c: c.refused("fake_address"), ["Refused", "Looks like a made-up address."], ADDRESS),
    ("not accepted", lambda c: c.refused("invalid_address"), ["Mailchimp does not accept the address."], "Retry"),
    ("compliance", lambda c: c.refused("compliance"), ["Only the person can subscribe again."], "Retry"),
    ("fields required", lambda c: c.refused("merge_fields", "Street is required."), ["Street is required."],
     "#part-name"),
    ("plan full", lambda c: c.refused("plan_limit"), ["The plan at Mailchimp is full."], "Retry"),
    ("not permitted", lambda c: c.refused("not_permitted"), ["Not permitted."], "setup/#mailchimp"),
    ("address taken", lambda c: c.refused("address_taken"), ["Address belongs to somebody else there."], "?q=ana%40"),
    ("address fixed there", lambda c: c.refused("cannot_change_address"), ["Address cannot be changed there."],
     "Retry"),
    ("unknown there", lambda c: c.refused("not_found"), ["Not known at Mailchimp any more."], "Retry"),
    ("not possible", lambda c: c.refused("not_possible"), ["Not possible there."], "Retry"),
    ("refused", lambda c: c.refused("refused", "The moon is full."), ["Refused", "The moon is full."], "Retry"),
    ("our fault", lambda c: c.refused("internal"), ["A fault in Almoner."], "Retry"),
    ("the brake", lambda c: c.settled("brake", State.HELD), ["Held", "Waits for your answer."], "setup/#mailchimp"),
    ("left on the list", lambda c: c.settled("kept", State.HELD), ["Left on the list."], ""),
    ("on its way", lambda c: c.settled(due_at=timezone.now()), ["A change is on its way"], ""),
    ("service silent", lambda c: c.silent(),
     ["A change is on its way", "does not answer at the moment"], ""),
    ("reconnect", lambda c: c.connected(state="reconnect"), ["has to be reconnected"], "setup/#mailchimp"),
    ("no first Sync", lambda c: c.connected(state="ready"), ["before the first Sync is confirmed"], "setup/#mailchimp"),
    ("not set up", lambda c: c.connected(state="setup"), ["before the first Sync is confirmed"], "setup/#mailchimp"),
    ("not connected", lambda c: c.connected(state="not_connected"), ["Not connected"], ""),
    ("never sent", lambda c: never(c, lambda: None), ["Not sent yet"], ""),
]  # fmt: skip


def card_of(client: Client, contact: Contact) -> str:
    """The card's HTML."""
    page = client.get(page_of(contact)).content.decode()
    return page.partition("Newsletter services</h2>")[2].partition("<h2>Details</h2>")[0]


@pytest.mark.parametrize(("name", "make", "sentences", "button"), SITUATIONS, ids=[row[0] for row in SITUATIONS])
def test_L34_the_card_names_the_reason_and_offers_what_mends_it(
    client: Client, name: str, make: Callable[[Case], Any], sentences: list[str], button: str
) -> None:
    case = Case()
    make(case)
    html = card_of(client, case.ana)
    words = plain(html)
    for sentence in sentences:
        assert sentence in words
    buttons = html.partition("What was sent")[0]
    if button == "Retry":
        assert ">Retry</button>" in buttons
    elif button:
        assert button in buttons
    else:
        assert "al-button" not in buttons


def test_L34_L35_every_card_says_where_the_person_unsubscribed_and_one_button_is_enough(client: Client) -> None:
    """Unsubscribed at Mailchimp, and so not sent to Constant Contact either: that card does not take it for its own."""
    case = Case()
    case.skipped("opted_out")
    other = ConnectionFactory(provider="constant_contact")
    RemoteRecord.objects.create(
        connection=other, kind="contact", subject_uid=case.ana.uid, state=State.SKIPPED, reason_code="opted_out"
    )
    with acting(By.PERSON, "Mailchimp"):
        ConsentEvent.by_actor(
            "opt_out", case.ana.uid, contact_name="Ana Ruiz", address="ana@rivermail.test", place="mailchimp audience:a"
        ).save()
    html = card_of(client, case.ana)
    assert plain(html).count("This person unsubscribed at Mailchimp on ") == 2
    assert html.count("They asked to be written to again") == 1


def test_L34_L35_no_click_of_staff_forgives_a_complaint(client: Client) -> None:
    case = Case()
    case.email(state="complained")
    case.skipped("email_complained")
    page = client.get(page_of(case.ana)).content.decode()
    assert "Mark as good" not in page and "#good-address" not in page
    case.email(state="bounced")
    case.skipped("email_bounced")
    page = client.get(page_of(case.ana)).content.decode()
    assert "Mark as good" in page and "#good-address" in page, "as it is with a bounce"


def test_L34_every_button_of_the_card_leads_to_something_that_is_on_the_page(client: Client) -> None:
    case = Case()
    case.email(state="bounced")
    services.set_do_not_contact(Contact.objects.filter(pk=case.ana.pk), True)
    page = client.get(page_of(case.ana)).content.decode()
    for ways in ON_THE_PAGE.values():
        for _, address, _ in ways:
            assert f'id="{address.removeprefix("#")}"' in page, address


@pytest.mark.parametrize("code", sorted(REASONS))
def test_L34_each_reason_has_a_button_or_says_that_nothing_is_to_do(code: str) -> None:
    reason = REASONS[code]
    # What to do is in the sentence: at the service, with the person, or with a list.
    elsewhere = {"forgotten", "not_reachable", "name_taken", "asked_before"}
    elsewhere |= {"changed_since", "adoption_stays", "list_stays", "place_is_gone"}  # in the report of an undo
    has_button = code in ON_THE_PAGE or code in AT_THE_SERVICE or reason.retry_helps
    assert has_button or reason.remedy.startswith("Nothing to do") or code in elsewhere


def test_L34_who_may_only_look_is_offered_no_button(client: Client, tenant: Tenant) -> None:
    case = Case()
    case.refused("fake_address")
    words = card_of(logged_in(tenant, Role.VIEWER), case.ana)
    assert "Looks like a made-up address." in words
    assert "al-button" not in words


def test_L8_the_card_says_by_which_name_a_shared_address_is_known_there(client: Client) -> None:
    case = Case()
    ben = ContactFactory(first_name="Ben", last_name="Ruiz", email="ana@rivermail.test")
    record = RemoteRecord.objects.get(pk=case.record.pk)
    record.known["containers"]["audience:a"]["fields"]["first_name"] = "Ana and Ben"
    record.save()
    words = plain(card_of(client, case.ana))
    assert "ana@rivermail.test: subscribed, as “Ana and Ben Ruiz”, on Newsletter" in words
    assert str(ben) in words
    assert not Delivery.objects.exists()


def test_L22_L34_a_name_that_stays_another_one_there_is_explained(client: Client) -> None:
    case = Case()
    Contact.objects.filter(pk=case.ana.pk).update(first_name="Anna")
    case.settled()
    says = "First name at Mailchimp: “Ana”. It stays so, as your settings for Mailchimp say."
    for owner, is_said in (("ours", False), ("newest", False), ("theirs", True), ("fill", True)):
        Connection.objects.update(settings={"mode": "tags", "audience": "a", "owners": {"first_name": owner}})
        assert (says in plain(client.get(page_of(case.ana)).content.decode())) == is_said, owner
    other = ContactFactory(first_name="Ben", email="ana@rivermail.test")
    assert says not in plain(client.get(page_of(case.ana)).content.decode()), f"shared with {other}"
