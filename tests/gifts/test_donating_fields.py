"""What is sent is written down, what is not sent stays (O4); tags by name (O8)."""

from typing import Any

import pytest

from contacts.models import Contact, ContactTag, CustomField, OutsideIdentifier, Tag
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating.caller import BLIND
from gifts.donating.donations import record_donation
from gifts.donating.people import sign_up, update_person
from gifts.models import FundraisingPage
from tests.gifts.donating import ANA, BEN, NUMBER, body, give, page_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
PLACE = {
    "address_lines": ["1 Mill Lane", "Flat 2"], "locality": "Washington", "region": "DC", "postal_code": "20009",
    "country": "US",
}  # fmt: skip
ALL = person(
    ANA, NUMBER, given_name="Ana", family_name="Ruiz", languages_spoken=["en", "es"], postal_addresses=[PLACE],
    custom_fields={"Employer": "Acme"}, identifiers=["crm:4711", "action_network:not-ours"],
)  # fmt: skip


@pytest.fixture
def page(tenant: Tenant) -> FundraisingPage:
    return page_of(tenant)


def told(contact: Contact) -> dict[str, Any]:
    """All that is known of somebody."""
    contact = Contact.objects.get(pk=contact.pk)
    place = contact.postal_addresses.get()
    return {
        "name": (contact.first_name, contact.last_name),
        "place": (place.street, place.city, place.state, place.postal_code, place.country),
        "languages": [row.code for row in contact.languages.all()],
        "custom": {row.field.name: row.value for row in contact.custom_values.all()},
        "identifiers": [str(row) for row in contact.outside_identifiers.all()],
    }


WHOLE = {
    "name": ("Ana", "Ruiz"), "place": ("1 Mill Lane, Flat 2", "Washington", "DC", "20009", "US"),
    "languages": ["en", "es"], "custom": {"Employer": "Acme"}, "identifiers": ["crm: 4711"],
}  # fmt: skip


def test_O4_everything_that_is_sent_of_somebody_new_is_kept(page: FundraisingPage) -> None:
    assert told(give(page, ALL).gift.contact) == WHOLE


@pytest.mark.parametrize(
    "sent, changed",
    [
        ({}, {}),
        ({"given_name": "Anne"}, {"name": ("Anne", "Ruiz")}),
        ({"given_name": "", "family_name": None}, {}),
        ({"languages_spoken": ["pt"]}, {"languages": ["pt"]}),
        ({"languages_spoken": ["es", "en"]}, {"languages": ["es", "en"]}),
        ({"postal_addresses": [{"postal_code": "20010"}]},
         {"place": ("1 Mill Lane, Flat 2", "Washington", "DC", "20010", "US")}),
        ({"postal_addresses": [{"country": "Canada"}]},
         {"place": ("1 Mill Lane, Flat 2", "Washington", "DC", "20009", "CA")}),
        ({"custom_fields": {"employer": "Umbrella"}}, {"custom": {"Employer": "Umbrella"}}),
        ({"custom_fields": {"Pet": True}}, {"custom": {"Employer": "Acme", "Pet": "yes"}}),
        ({"custom_fields": {"Employer": None}}, {"custom": {}}),
        ({"identifiers": ["erp:9"]}, {"identifiers": ["crm: 4711", "erp: 9"]}),
    ],
)  # fmt: skip
def test_O4_what_is_sent_later_replaces_and_the_rest_stays(page: FundraisingPage, sent: Any, changed: Any) -> None:
    ana = give(page, ALL).gift.contact
    assert give(page, person(ANA) | sent).gift.contact == ana
    assert told(ana) == WHOLE | changed


def test_O4_put_writes_the_same_fields(page: FundraisingPage) -> None:
    ana = give(page, ALL).gift.contact
    update_person(ana, {"family_name": "Okoro", "custom_fields": {"Employer": ""}})
    assert told(ana) == WHOLE | {"name": ("Ana", "Okoro"), "custom": {}}


def test_O4_an_identifier_of_somebody_else_stays_there(page: FundraisingPage) -> None:
    ana = give(page, ALL).gift.contact
    give(page, person(BEN, identifiers=["CRM:4711"]))
    assert OutsideIdentifier.objects.get(value="4711").contact == ana


def test_O4_an_answer_that_the_question_does_not_allow_is_passed_over(page: FundraisingPage) -> None:
    field = CustomField.objects.create(name="Size", kind=CustomField.Kind.CHOICE, choices=["S", "M"])
    ana = give(page, person(ANA, custom_fields={"Size": "m"})).gift.contact
    give(page, person(ANA, custom_fields={"Size": "enormous"}))
    assert ana.custom_values.get(field=field).value == "M"


def test_O4_a_form_without_a_key_asks_no_new_questions_and_takes_no_identifiers(page: FundraisingPage) -> None:
    CustomField.objects.create(name="Employer")
    record_donation(page, body(ALL | {"custom_fields": {"Employer": "Acme", "Flood": "1"}}), caller=BLIND)
    assert [field.name for field in CustomField.objects.all()] == ["Employer"]
    assert Contact.objects.get().custom_values.get().value == "Acme"
    assert not OutsideIdentifier.objects.exists()


def test_O4_the_language_of_the_page_is_theirs_unless_they_say_otherwise(tenant: Tenant) -> None:
    page = page_of(tenant, language="es")
    assert [row.code for row in give(page, person(ANA)).gift.contact.languages.all()] == ["es"]
    assert [row.code for row in give(page, person(BEN, languages_spoken=["en"])).gift.contact.languages.all()] == ["en"]


def test_O4_somebody_new_was_changed_when_they_were_added_and_known_ones_later(page: FundraisingPage) -> None:
    contact, is_new = sign_up({"person": ALL})
    assert is_new
    assert contact.updated_at == contact.created_at
    again, is_new = sign_up({"person": ALL})
    assert not is_new
    assert again.updated_at > again.created_at


def test_O8_tags_are_added_first_and_then_removed(page: FundraisingPage, neighbour: Tenant) -> None:
    for name in ("Donor", "member", "inactive", "both"):
        Tag.objects.create(name=name)
    with in_tenant(neighbour):
        Tag.objects.create(name="theirs")
    ana = record_donation(page, body(person(ANA), add_tags=["inactive"])).gift.contact
    more: dict[str, Any] = {
        "add_tags": ["donor", " member ", "both", "unknown", "theirs"],
        "remove_tags": ["inactive", "both", "none"],
    }
    record_donation(page, body(person(ANA), **more))
    record_donation(page, body(person(ANA), **more))
    assert sorted(row.tag.name for row in ana.contact_tags.all()) == ["Donor", "member"]
    assert Tag.objects.count() == 4
    with in_tenant(neighbour):
        assert not ContactTag.objects.exists()
