"""A donation is one call (O1), is checked (O2), belongs to its page (O11), is kept as it was sent (O12, O13), and is a
gift like any other (O15)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from contacts.duplicates.merge import merge
from contacts.duplicates.unmerge import undo
from contacts.models import Contact, HistoryEntry, Tag
from contacts.services import delete_contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import services
from gifts.donating import donations
from gifts.donating.caller import BLIND
from gifts.donating.donations import donation_by_identifier, record_donation, takes_donations, update_donation
from gifts.donating.pages import create_page, figures_of, update_page
from gifts.donating.refused import DonatingRefused
from gifts.models import Donation, DonationIdentifier, Donor, DonorClub, FundraisingPage, Gift, MilestoneReached, Source
from tasks_app.models import ThankYou
from tests.factories import ContactFactory
from tests.gifts.donating import ANA, BEN, JOHN, body, give, page_of, person
from tests.gifts.rules import look, make_rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
LONG_AGO = datetime(2013, 1, 1, tzinfo=UTC)


@pytest.fixture
def page(tenant: Tenant) -> FundraisingPage:
    return page_of(tenant)


def nothing_was_kept() -> bool:
    """Neither a person nor a gift, nor anything in a history."""
    return not (Contact.objects.exists() or Gift.objects.exists() or Donation.objects.exists())


def test_O1_one_call_makes_the_person_the_tags_and_the_donation(page: FundraisingPage, neighbour: Tenant) -> None:
    Tag.objects.create(name="donor")
    donation = record_donation(page, body(JOHN, add_tags=["donor", "member"]))
    john = Contact.objects.get()
    assert (str(john), donation.gift.contact, donation.page) == ("John Smith", john, page)
    assert [str(row) for row in john.contact_tags.all()] == ["donor"]
    with in_tenant(neighbour):
        assert nothing_was_kept()


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipients": []}, {"recipients": None},
        *({"recipients": [{"display_name": "Tom", "amount": amount}]} for amount in (
            "0", "0.00", "-1.00", "1.005", "1e3", "NaN", "Infinity", "", None, True, 3, 3.5, "٣", "99999999999.00",
        )),
        {"recipients": [{"display_name": "Tom", "amount": "9999999999.99"}] * 2},
        {"created_date": "yesterday"}, {"created_date": datetime(2013, 1, 1)},  # noqa: DTZ001 - that is what is wrong
        {"person": {}}, {"person": {"email_addresses": [{"address": "not an address"}]}},
        {"person_id": "not an id", "person": {}}, {"person_id": "38ec0365-f996-42a0-b26a-dbed24cf927f", "person": {}},
    ],
)  # fmt: skip
def test_O2_what_is_missing_or_wrong_is_refused_and_leaves_nothing(page: FundraisingPage, wrong: Any) -> None:
    with pytest.raises(DonatingRefused):
        record_donation(page, body(JOHN) | wrong)
    assert nothing_was_kept()


def test_O2_without_recipients_nothing_is_kept(page: FundraisingPage) -> None:
    with pytest.raises(DonatingRefused):
        record_donation(page, {"person": JOHN})
    assert nothing_was_kept()


def test_O2_an_identifier_that_is_known_gives_the_same_donation_and_changes_nothing(page: FundraisingPage) -> None:
    first = record_donation(page, body(JOHN, identifiers=["crm:4711", "action_network:mine"]))
    again = record_donation(
        page, body(person("jsmith@mail.com", given_name="Other"), "99.00", identifiers=["erp:1", "crm:4711"])
    )
    assert again == first
    assert (Gift.objects.get().amount, Contact.objects.get().first_name) == (3, "John")
    assert [row.text for row in DonationIdentifier.objects.all()] == ["crm:4711"]
    assert donation_by_identifier("crm:4711") == first
    assert donation_by_identifier(f"action_network:{first.uid}") == first
    assert donation_by_identifier("action_network:nonsense") is None


def test_O2_a_setting_refuses_it_instead(page: FundraisingPage, settings: Any) -> None:
    settings.DONATIONS_REPEAT_QUIETLY = False
    record_donation(page, body(JOHN, identifiers=["crm:4711"]))
    with pytest.raises(DonatingRefused):
        record_donation(page, body(JOHN, identifiers=["crm:4711"]))
    assert Gift.objects.count() == 1


def test_O2_identifiers_are_each_organizations_own(page: FundraisingPage, neighbour: Tenant) -> None:
    record_donation(page, body(JOHN, identifiers=["crm:4711"]))
    theirs = page_of(neighbour)
    with in_tenant(neighbour):
        assert record_donation(theirs, body(JOHN, identifiers=["crm:4711"])).tenant_id == neighbour.pk


def test_O10_a_form_without_a_key_keeps_no_key_from_its_identifier(page: FundraisingPage) -> None:
    form = record_donation(page, body(JOHN, identifiers=["crm:4711"]), caller=BLIND)
    assert record_donation(page, body(JOHN, identifiers=["crm:4711"]), source_is_blind=True) == form
    program = record_donation(page, body(JOHN, "8.00", identifiers=["crm:4711"]))
    assert program != form
    assert donation_by_identifier("crm:4711") == program
    other = record_donation(page, body(JOHN, "1.00", identifiers=["crm:4711"]), caller=BLIND)
    assert other not in (form, program)
    assert HistoryEntry.objects.filter(what="gift", source="Form on a website: Save the River").exists()


def test_O10_a_page_may_refuse_forms_without_a_key(page: FundraisingPage) -> None:
    page.takes_blind = False
    page.save()
    with pytest.raises(DonatingRefused):
        record_donation(page, body(JOHN), source_is_blind=True)
    assert nothing_was_kept()
    assert record_donation(page, body(JOHN))


def test_O11_only_pages_made_by_programs_take_donations_and_one_person_may_give_again(page: FundraisingPage) -> None:
    assert give(page, JOHN) != give(page, JOHN)
    assert Contact.objects.count() == 1
    by_hand = FundraisingPage.objects.create(title="By hand", currency="USD")
    assert takes_donations(by_hand)
    with pytest.raises(DonatingRefused):
        give(by_hand, person(ANA))
    assert Contact.objects.count() == 1


def test_O11_the_person_may_be_named_by_id_also_by_that_of_one_merged_since(page: FundraisingPage) -> None:
    ana, ben = ContactFactory(email=ANA), ContactFactory(email=BEN)
    merge(ana, ben)
    given = body({}) | {"person_id": str(ben.uid)}
    assert record_donation(page, given).gift.contact == ana


def test_O12_amounts_are_exact_sums_of_texts(page: FundraisingPage) -> None:
    rows = [{"display_name": "Tom", "amount": "0.10"}, {"display_name": "Tim", "amount": "0.2"}]
    donation = record_donation(page, body(JOHN) | {"recipients": rows})
    assert donation.amount == donation.gift.amount == Decimal("0.30")
    assert donation.recipients == [{"display_name": "Tom", "amount": "0.10"}, {"display_name": "Tim", "amount": "0.20"}]
    assert donation.currency == "USD"


def test_O12_a_donation_may_be_dated_back_and_its_day_is_the_organizations(page: FundraisingPage) -> None:
    donation = record_donation(page, body(JOHN, created_date=LONG_AGO))
    assert donation.given_at == LONG_AGO
    assert donation.gift.received_on == date(2012, 12, 31)  # in New York
    assert donation.updated_at.year > 2013


SENT: dict[str, Any] = {
    "action_network:recurrence": {"recurring": True, "period": "Monthly"},
    "action_network:referrer_data": {
        "source": "email", "referrer": "passed over", "website": "example.org", "email_referrer": "e1",
        "mobile_message_referrer": "m1",
    },
}  # fmt: skip


def test_O13_recurrence_and_referrers_are_kept(page: FundraisingPage) -> None:
    row = record_donation(page, body(JOHN, **SENT))
    assert (row.is_recurring, row.period, row.source_code, row.website) == (True, "Monthly", "email", "example.org")
    assert (row.email_referrer, row.mobile_message_referrer) == ("e1", "m1")
    once = record_donation(page, body(JOHN) | {"action_network:recurrence": {"recurring": False, "period": "Weekly"}})
    assert (once.is_recurring, once.period) == (False, "")


def test_O13_a_put_changes_what_is_sent_and_the_gift_follows(page: FundraisingPage) -> None:
    row = record_donation(page, body(JOHN, **SENT))
    rows = [{"display_name": "Tom", "amount": "8.50"}]
    new = update_donation(row, {"recipients": rows, "created_date": LONG_AGO, "identifiers": ["crm:1"]})
    assert (new.amount, new.gift.amount, new.gift.received_on) == (Decimal("8.50"), Decimal("8.50"), date(2012, 12, 31))
    assert (new.period, new.gift.contact.giving.total) == ("Monthly", Decimal("8.50"))
    assert [one.text for one in new.identifiers.all()] == ["crm:1"]
    assert update_donation(new, {"action_network:recurrence": {"recurring": False}}).amount == Decimal("8.50")
    assert HistoryEntry.objects.filter(what="donation", verb="changed").count() == 2


def test_O15_totals_clubs_milestones_and_thanks_follow(page: FundraisingPage) -> None:
    make_rule("number", 2)
    DonorClub.objects.create(name="Friends", minimum=Decimal(5))
    give(page, JOHN)
    john = give(page, JOHN).gift.contact
    look()
    assert (int(john.giving.total), john.giving.number) == (6, 2)
    assert str(Donor.objects.get(contact=john).club) == "Friends"
    assert MilestoneReached.objects.get().contact == john
    assert ThankYou.objects.filter(contact=john).exists()
    assert set(Gift.objects.values_list("source", "campaign")) == {(Source.DONATION_HELPER, "Save the River")}


def test_O15_donations_go_along_with_merges_and_come_back(page: FundraisingPage) -> None:
    ana, ben = give(page, person(ANA)).gift.contact, give(page, person(BEN), "5.00").gift.contact
    merged = merge(ana, ben)
    assert Donation.objects.filter(gift__contact=ana).count() == 2
    back = undo(merged)
    assert Donation.objects.get(gift__contact=back).amount == 5
    assert figures_of([page])[page.pk] == (2, Decimal("8.00"))


def test_O15_a_donation_is_corrected_where_it_came_from(page: FundraisingPage) -> None:
    gift = give(page, JOHN).gift
    assert not gift.is_ours
    with pytest.raises(services.GiftRefused):
        services.delete_gift(gift)


def test_O15_what_a_form_made_up_is_deleted_by_staff_with_its_donation_and_then_its_donor(
    tenant: Tenant, client: Client, page: FundraisingPage
) -> None:
    made_up, real = record_donation(page, body(person(ANA)), caller=BLIND).gift, give(page, person(BEN)).gift
    address = "/admin/gifts/gift/{}/{}/".format
    assert "delete it" in client.get(address(made_up.pk, "change")).content.decode()
    assert client.get(address(real.pk, "delete")).status_code == 403
    assert client.post(address(made_up.pk, "delete"), {"post": "yes"}).status_code == 302
    assert [one.gift_id for one in Donation.objects.all()] == [real.pk]
    delete_contact(Contact.objects.get(pk=made_up.contact_id))
    assert Contact.objects.get().pk == real.contact_id


def test_O14_pages_are_found_again_by_their_identifiers_only(tenant: Tenant, neighbour: Tenant) -> None:
    given = {"title": "Save the River", "origin_system": "X", "identifiers": ["x:1"], "action_network:hidden": True}
    page = create_page(given, "API key “Web”")
    assert (page.made_by_api, page.is_hidden, page.currency, page.creator_name) == (True, True, "USD", "API key “Web”")
    assert page.created_at == page.updated_at
    assert create_page(given | {"title": "Renamed"}, "API key “Other”") == page
    assert create_page({"title": "Save the River"}, "API key “Web”") != page
    page = update_page(page, {"summary": "All of it", "name": None, "identifiers": ["x:2", "action_network:y"]})
    assert (page.title, page.summary) == ("Renamed", "All of it")
    assert [row.text for row in page.identifiers.all()] == ["x:1", "x:2"]
    with in_tenant(neighbour):
        assert create_page(given, "API key “Web”").tenant_id == neighbour.pk


def test_O14_the_figures_of_pages_are_one_query(page: FundraisingPage, django_assert_num_queries: Any) -> None:
    other = create_page({"title": "Other"}, "API key “Web”")
    for _ in range(3):
        give(page, JOHN)
    with django_assert_num_queries(1):
        assert figures_of([page, other]) == {page.pk: (3, Decimal("9.00")), other.pk: (0, Decimal("0.00"))}


def test_O11_as_many_queries_for_somebody_with_many_donations(page: FundraisingPage) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for round_ in (1, 6):
        for _ in range(round_):
            give(page, JOHN)
        with CaptureQueriesContext(connection) as queries:
            give(page, JOHN)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert donations.read(Donation.objects.latest("pk").uid)
