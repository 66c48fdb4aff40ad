"""Who is meant (O3): every row of the table, what becomes of numbers, and merges that can be taken back."""

from typing import Any

import pytest

from contacts.duplicates import unmerge
from contacts.mail_status import mail_statuses
from contacts.models import Contact, HistoryEntry, Merge, Tag
from contacts.models.mobile import MobileEvent
from contacts.services import add_tag
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating.donations import read
from gifts.donating.matching import Plan, decide
from gifts.donating.people import sign_up, update_person
from gifts.donating.refused import DonatingRefused
from gifts.models import Donation, FundraisingPage, Gift
from tests.factories import ContactFactory
from tests.gifts.donating import ANA, BEN, NEW, NUMBER, OTHER, addresses, give, numbers, page_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


@pytest.fixture
def page(tenant: Tenant) -> FundraisingPage:
    return page_of(tenant)


def known(email: str = "", phone: str = "", **values: Any) -> Contact:
    """Somebody who is here already."""
    found: Contact = ContactFactory(email=email, phone=phone, **values)
    return found


# address sent, number sent, who has the address, who has the number and an address, who has only the number:
# who is meant, who is merged into them, who loses the number
TABLE = [
    ("email only, known", True, False, "A", "", "", Plan("A")),
    ("email only, nobody", True, False, "", "", "", Plan(None)),
    ("number only, known with an address", False, True, "", "B", "", Plan("B")),
    ("number only, known without one", False, True, "", "", "M", Plan("M")),
    ("number only, nobody", False, True, "", "", "", Plan(None)),
    ("both, the number is nobody’s", True, True, "A", "", "", Plan("A")),
    ("both, address new, number of somebody with an address", True, True, "", "B", "", Plan(None, [], ["B"])),
    ("both, two people with addresses", True, True, "A", "B", "", Plan("A", [], ["B"])),
    ("both, number of a mobile-only record", True, True, "A", "", "M", Plan("A", ["M"])),
    ("both, address new, number of a mobile-only record", True, True, "", "", "M", Plan("M")),
    ("both, all of one person", True, True, "A", "A", "", Plan("A")),
    ("both, a family’s number", True, True, "A", "AB", "", Plan("A")),
    ("both, several of each", True, True, "A", "BC", "MN", Plan("A", ["M", "N"], ["B", "C"])),
    ("both, address new, several of each", True, True, "", "BC", "MN", Plan("M", ["N"], ["B", "C"])),
    ("a family’s address, one has the number", True, True, "AB", "B", "", Plan("B")),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_O3_the_table_of_who_is_meant(row: Any) -> None:
    _, has_email, has_phone, by_email, with_mail, mobile_only, wanted = row
    assert decide(has_email, has_phone, by_email, with_mail, mobile_only) == wanted


def test_O3_an_address_finds_its_person_whatever_its_case(page: FundraisingPage) -> None:
    ana = known(ANA)
    assert give(page, person(ANA.upper())).gift.contact == ana
    assert addresses(ana) == [ANA]
    assert Contact.objects.count() == 1


def test_O3_an_address_that_nobody_has_makes_somebody_new(page: FundraisingPage) -> None:
    ana = known(ANA)
    new = give(page, person(NEW)).gift.contact
    assert new != ana
    assert addresses(new) == [NEW]


@pytest.mark.parametrize("written", ["2025550123", "12025550123", "+1 (202) 555-0123", 2025550123, 12025550123])
def test_O3_a_number_finds_its_person_however_it_is_written(page: FundraisingPage, written: Any) -> None:
    ben = known(BEN, NUMBER)
    assert give(page, person(phone=written)).gift.contact == ben
    assert numbers(ben) == [NUMBER]


def test_O3_a_number_that_nobody_has_makes_a_mobile_only_person(page: FundraisingPage) -> None:
    new = give(page, person(phone=NUMBER)).gift.contact
    assert (addresses(new), numbers(new)) == ([], [NUMBER])
    assert not new.phone_numbers.get().takes_texts


def test_O3_the_number_of_the_documents_own_example_is_taken(page: FundraisingPage) -> None:
    """Nobody can have 202-123-4444; the document posts it."""
    new = give(page, person("jsmith@mail.com", "2021234444")).gift.contact
    assert numbers(new) == ["+12021234444"]
    assert give(page, person(phone="2021234444")).gift.contact == new


def test_O3_a_new_number_overwrites_the_mobile_one(page: FundraisingPage) -> None:
    ana = known(ANA, NUMBER)
    assert give(page, person(ANA, OTHER)).gift.contact == ana
    assert numbers(ana) == [OTHER]
    assert HistoryEntry.objects.filter(contact_uid=ana.uid, what="phone number", verb="changed").exists()


def test_O3_numbers_of_home_and_work_stay_beside_it(page: FundraisingPage) -> None:
    ana = known(ANA)
    ana.phone_numbers.create(number=NUMBER, label="work", is_primary=True)
    give(page, person(ANA, OTHER))
    assert numbers(ana) == sorted([NUMBER, OTHER])
    assert str(ana.phone_numbers.get(is_primary=True)) == OTHER


def test_O3_the_number_moves_between_two_people_with_addresses(page: FundraisingPage) -> None:
    ana, ben = known(ANA), known(BEN, NUMBER)
    gift = give(page, person(BEN), "10.00")
    assert give(page, person(ANA, NUMBER)).gift.contact == ana
    assert (numbers(ana), numbers(ben)) == ([NUMBER], [])
    assert read(gift.uid).gift.contact == ben  # type: ignore[union-attr]  # no history moves
    assert not Merge.objects.exists()


def test_O3_whoever_is_new_takes_the_number_and_what_was_agreed_for_it(page: FundraisingPage) -> None:
    ben = give(page, person(BEN, NUMBER, text="subscribed")).gift.contact
    new = give(page, person(NEW, NUMBER)).gift.contact
    assert new != ben
    assert (numbers(new), numbers(ben)) == ([NUMBER], [])
    assert new.phone_numbers.get().takes_texts
    assert Donation.objects.filter(gift__contact=ben).count() == 1


def test_O3_a_mobile_only_record_is_merged_and_loses_nothing(page: FundraisingPage) -> None:
    mobile = give(page, person(phone=NUMBER, given_name="Ana", custom_fields={"Employer": "Acme"}), "7.00").gift.contact
    tag = Tag.objects.create(name="volunteer")
    add_tag(tag, Contact.objects.filter(pk=mobile.pk))
    ana = give(page, person(ANA, family_name="Ruiz"), "5.00").gift.contact
    assert ana != mobile
    assert give(page, person(ANA, NUMBER), "1.00").gift.contact == ana
    ana.refresh_from_db()
    assert not Contact.objects.filter(pk=mobile.pk).exists()
    assert (str(ana), numbers(ana), addresses(ana)) == ("Ana Ruiz", [NUMBER], [ANA])
    assert ana.giving.total == 13
    assert Donation.objects.filter(gift__contact=ana).count() == 3
    assert ana.contact_tags.get().tag == tag
    assert ana.custom_values.get().value == "Acme"


def test_O3_the_merge_can_be_undone(page: FundraisingPage) -> None:
    mobile = give(page, person(phone=NUMBER, given_name="Mo"), "7.00").gift.contact
    ana = give(page, person(ANA, given_name="Ana"), "5.00").gift.contact
    give(page, person(ANA, NUMBER), "1.00")
    merge = Merge.objects.get()
    assert HistoryEntry.objects.filter(what="merge", contact_uid=ana.uid, by="system").exists()
    back = unmerge.undo(merge)
    ana.refresh_from_db()
    assert back.uid == mobile.uid
    assert (numbers(back), numbers(ana)) == ([NUMBER], [])
    assert [gift.amount for gift in Gift.objects.filter(contact=back)] == [7]
    assert sorted(row.amount for row in Donation.objects.filter(gift__contact=ana)) == [1, 5]
    assert back.giving.total == 7
    assert ana.giving.total == 6


def test_O3_a_mobile_only_record_gains_the_new_address(page: FundraisingPage) -> None:
    mobile = give(page, person(phone=NUMBER)).gift.contact
    assert give(page, person(NEW, NUMBER)).gift.contact == mobile
    assert addresses(mobile) == [NEW]
    assert mail_statuses([mobile])[mobile.pk] == "subscribed"
    assert not Merge.objects.exists()


def test_O3_neither_address_nor_number_is_refused(page: FundraisingPage) -> None:
    for who in ({}, person(given_name="Nobody"), {"email_addresses": [{}], "phone_numbers": [{"number": "12"}]}):
        with pytest.raises(DonatingRefused):
            give(page, who)
    assert not Contact.objects.exists()
    assert not Gift.objects.exists()


def test_O3_a_family_that_shares_a_number_goes_on_sharing_it(page: FundraisingPage) -> None:
    ana, ben = known(ANA, NUMBER), known(BEN, NUMBER)
    assert give(page, person(ANA, NUMBER)).gift.contact == ana
    assert (numbers(ana), numbers(ben)) == ([NUMBER], [NUMBER])


def test_O3_of_a_family_that_shares_an_address_the_name_decides(page: FundraisingPage) -> None:
    known(ANA, first_name="Ana")
    ben = known(ANA, first_name="Ben")
    assert give(page, person(ANA, given_name="ben")).gift.contact == ben


def test_O3_whoever_opted_out_of_texts_at_a_number_is_out_wherever_it_goes(page: FundraisingPage) -> None:
    ana = give(page, person(ANA, OTHER, text="subscribed")).gift.contact
    ben = give(page, person(BEN, NUMBER, text="subscribed")).gift.contact
    sign_up({"person": person(BEN, NUMBER, text="unsubscribed")})
    assert MobileEvent.objects.filter(contact_uid=ben.uid).count() == 2
    give(page, person(ANA, NUMBER))
    assert numbers(ana) == [NUMBER]
    assert not ana.phone_numbers.get().takes_texts


def test_O3_a_change_of_the_number_by_put_moves_it_too(page: FundraisingPage) -> None:
    ana, ben = known(ANA), known(BEN, NUMBER)
    mobile = give(page, person(phone=OTHER)).gift.contact
    assert update_person(ana, person(phone=NUMBER)) == ana
    assert (numbers(ana), numbers(ben)) == ([NUMBER], [])
    assert update_person(ben, person(phone=OTHER)) == ben
    assert numbers(ben) == [OTHER]
    assert not Contact.objects.filter(pk=mobile.pk).exists()
    assert Donation.objects.get().gift.contact == ben


def test_O3_an_address_of_somebody_else_is_passed_over_in_put(page: FundraisingPage) -> None:
    ana, ben = known(ANA), known(BEN)
    update_person(ana, person(BEN, given_name="Anne"))
    ana.refresh_from_db()
    assert (addresses(ana), addresses(ben), ana.first_name) == ([ANA], [BEN], "Anne")
    update_person(ana, person(NEW))
    assert addresses(ana) == [NEW]


def test_O3_matching_stays_within_the_organization(page: FundraisingPage, neighbour: Tenant) -> None:
    theirs = known(ANA, NUMBER, tenant=neighbour, first_name="Theirs")
    mine = give(page, person(ANA, NUMBER, given_name="Mine")).gift.contact
    assert mine != theirs
    with in_tenant(neighbour):
        theirs.refresh_from_db()
        assert (theirs.first_name, numbers(theirs)) == ("Theirs", [NUMBER])
        assert not Gift.objects.exists()
