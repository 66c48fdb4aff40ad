"""The record donation helper and donations over HTTP: what is sent, answered and refused (O1, O2, O11-O13)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact, ContactTag, EmailAddress, Tag
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.osdi.donation_bodies import donation_with_person
from gifts.api.osdi.errors import Wrong
from gifts.models import Donation, FundraisingPage, Gift, Giving
from tests.gifts.osdi import DONATION, NOBODY, SMITH, Program, embedded, error, said, somebody, uid_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


def test_O1_one_call_finds_or_makes_the_person_tags_them_and_records_the_donation(
    tenant: Tenant, program: Program
) -> None:
    with in_tenant(tenant):
        for name in ("donor", "Member", "inactive"):
            Tag.objects.create(name=name)
    answer = program.give(program.page())
    body = said(answer)
    assert answer["Cache-Control"] == "max-age=0, private, must-revalidate"
    with in_tenant(tenant):
        contact = Contact.objects.get()
        assert (contact.first_name, contact.last_name) == ("John", "Smith")
        assert {row.tag.name for row in ContactTag.objects.select_related("tag")} == {"donor", "Member"}
        assert Giving.objects.get().total == Decimal("3.00")
        assert body["action_network:person_id"] == str(contact.uid)


def test_O12_the_answer_is_the_documents_to_the_letter(tenant: Tenant, program: Program) -> None:
    page = program.page()
    body = said(program.give(page))
    uid, person = uid_in(body), body["action_network:person_id"]
    base = "http://127.0.0.1:8000/api/v2"
    assert body.pop("modified_date").endswith("Z")
    assert body == {
        "identifiers": [f"action_network:{uid}"],
        "created_date": "2013-01-01T00:00:00Z",
        "currency": "USD",
        "amount": "3.00",
        "recipients": [{"display_name": "Campaign To Elect Tom", "amount": "3.00"}],
        "payment": {"method": "Credit Card", "reference_number": uid, "authorization_stored": False},
        "action_network:recurrence": {"recurring": False},
        "action_network:referrer_data": {},
        "action_network:person_id": person,
        "action_network:fundraising_page_id": page.rpartition("/")[2],
        "_links": {
            "self": {"href": f"{base}{page}/donations/{uid}"},
            "osdi:fundraising_page": {"href": f"{base}{page}"},
            "osdi:person": {"href": f"{base}/people/{person}"},
            "curies": body["_links"]["curies"],
        },
    }
    assert [(one["name"], one["templated"]) for one in body["_links"]["curies"]] == [
        ("osdi", True), ("action_network", True),
    ]  # fmt: skip


def test_O12_amounts_are_summed_as_decimals_and_told_as_texts(program: Program) -> None:
    page = program.page()
    recipients = [{"display_name": f"Fund {n}", "amount": amount} for n, amount in enumerate(("0.1", "0.2", "3"))]
    body = said(program.give(page, recipients=recipients))
    assert body["amount"] == "3.30" and [one["amount"] for one in body["recipients"]] == ["0.10", "0.20", "3.00"]
    assert said(program.get(page))["total_amount"] == "3.30"


@pytest.mark.once
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(cents=st.lists(st.integers(1, 10**9), min_size=1, max_size=5))
def test_O12_no_sum_is_ever_a_cent_off(program: Program, cents: list[int]) -> None:
    amounts = [f"{one // 100}.{one % 100:02d}" for one in cents]
    recipients = [{"display_name": "Fund", "amount": amount} for amount in amounts]
    body = said(program.give(program.page(), recipients=recipients))
    assert body["amount"] == f"{sum(cents) // 100}.{sum(cents) % 100:02d}"
    assert [one["amount"] for one in body["recipients"]] == amounts


def test_O13_recurrence_and_referrer_data_are_kept_and_shown(program: Program) -> None:
    page = program.page()
    body = said(program.give(page, **{
        "action_network:recurrence": {"recurring": True, "period": "Monthly"},
        "action_network:referrer_data": {
            "source": "email", "referrer": "group-x", "website": "example.org", "email_referrer": "e1",
            "mobile_message_referrer": "m1",
        },
    }))  # fmt: skip
    again = said(program.get(f"{page}/donations/{uid_in(body)}"))
    for shown in (body, again):
        assert shown["action_network:recurrence"] == {"recurring": True, "period": "Monthly"}
        assert shown["action_network:referrer_data"] == {
            "source": "email", "website": "example.org", "email_referrer": "e1", "mobile_message_referrer": "m1",
        }, "the referrer’s code is read only"  # fmt: skip


WRONG: list[dict[str, Any]] = [
    {"recipients": None},
    {"recipients": []},
    {"recipients": "3.00"},
    {"recipients": [{"amount": "3.00"}]},
    {"recipients": [{"display_name": "", "amount": "3.00"}]},
    {"recipients": [{"display_name": 7, "amount": "3.00"}]},
    {"recipients": [{"display_name": "Tom"}]},
    *({"recipients": [{"display_name": "Tom", "amount": amount}]} for amount in (
        3, 3.0, None, True, "", "0", "0.00", "-3", "3,00", "$3", "1e3", "NaN", "Infinity", "3.001", "٣", "9" * 400,
        "1_0", " ", {"a": 1}, ["3"],
    )),
    {"recipients": [{"display_name": "Tom", "amount": "999999999.99"}] * 11},
    {"recipients": [{"display_name": "Tom", "amount": "1"}] * 101},
    {"person": None}, {"person": {}}, {"person": "John"}, {"person": []},
    {"person": {"given_name": "John"}}, {"person": {"email_addresses": [{}]}},
    {"person": {"email_addresses": [{"address": "no address"}]}},
    {"person": {"email_addresses": {"address": "a@b.org"}}},
    {"person": {"phone_numbers": [{"number": "12"}]}}, {"person": {"phone_numbers": [{"number": 1.5}]}},
    {"person": SMITH | {"given_name": 5}}, {"person": SMITH | {"given_name": "x" * 101}},
    {"person": SMITH | {"postal_addresses": ["20009"]}}, {"person": SMITH | {"custom_fields": {"a": {"b": 1}}}},
    {"person": SMITH | {"postal_addresses": [{"country": "Atlantis"}]}},
    {"person": SMITH | {"languages_spoken": "en"}},
    {"created_date": "yesterday"}, {"created_date": 7}, {"created_date": "2999-01-01T00:00:00Z"},
    {"created_date": "1066-10-14T00:00:00Z"}, {"created_date": "2013-13-01"},
    {"identifiers": "crm:1"}, {"identifiers": ["crm"]}, {"identifiers": [7]}, {"identifiers": [":1"]},
    {"action_network:recurrence": {"recurring": "yes"}}, {"action_network:recurrence": {"period": "Every 3 Months"}},
    {"action_network:recurrence": "Monthly"}, {"action_network:referrer_data": {"source": 1}},
    {"action_network:referrer_data": []}, {"add_tags": "donor"}, {"add_tags": [1]}, {"remove_tags": {"a": 1}},
]  # fmt: skip


def test_O2_what_is_missing_or_wrong_is_named_without_what_was_sent() -> None:
    for values in WRONG:
        with pytest.raises(Wrong) as problem:
            donation_with_person(DONATION | values)
        told = problem.value.sentence
        assert problem.value.status_code == 400 and "jsmith" not in told and "2021234444" not in told
    assert donation_with_person(DONATION)["recipients"] == DONATION["recipients"]


def test_O2_a_wrong_call_is_answered_with_an_error_and_nothing_is_done(tenant: Tenant, program: Program) -> None:
    page = program.page()
    assert "recipients" in error(program.give(page, recipients=[]))
    assert "email address or a phone number" in error(program.give(page, person={"given_name": "John"}))
    assert "created_date" in error(program.give(page, created_date="2999-01-01T00:00:00Z"))
    with in_tenant(tenant):
        assert not Contact.objects.exists() and not Gift.objects.exists() and not Donation.objects.exists()


def test_O2_the_day_may_be_long_ago_and_is_now_if_none_is_said(tenant: Tenant, program: Program) -> None:
    page = program.page()
    old = said(program.give(page, created_date="1987-06-05T04:03:02+02:00"))
    assert old["created_date"] == "1987-06-05T02:03:02Z" and old["modified_date"] > "2020"
    new = said(program.give(page, created_date=None))
    assert new["created_date"] == new["modified_date"]
    with in_tenant(tenant):
        assert {gift.received_on.year for gift in Gift.objects.all()} == {1987, timezone.now().year}


def test_O2_M9_a_day_without_a_time_is_that_day_of_the_organization(tenant: Tenant, program: Program) -> None:
    said(program.give(program.page(), created_date="2026-07-01"))
    said(program.give(program.page(), created_date="2026-07-01T00:00:00Z"))
    with in_tenant(tenant):
        days = Gift.objects.order_by("pk").values_list("received_on", flat=True)
        assert [str(day) for day in days] == ["2026-07-01", "2026-06-30"], "the second is a moment in New York"


def test_O2_an_identifier_that_was_used_is_the_same_donation_again(tenant: Tenant, program: Program) -> None:
    page = program.page()
    first = said(program.give(page, identifiers=["crm:4711", "action_network:made-up"]))
    again = said(program.give(page, identifiers=["crm:4711"], recipients=[{"display_name": "X", "amount": "9"}]))
    assert first["identifiers"][1:] == ["crm:4711"] and uid_in(first) == uid_in(again) and again["amount"] == "3.00"
    other = said(program.give(page, identifiers=["crm:4712"]))
    assert uid_in(other) != uid_in(first)
    with in_tenant(tenant):
        assert Gift.objects.count() == 2


def test_O11_donations_are_not_told_apart_by_person(tenant: Tenant, program: Program) -> None:
    page = program.page()
    assert len({uid_in(said(program.give(page))) for _ in range(3)}) == 3
    with in_tenant(tenant):
        assert Contact.objects.count() == 1 and Giving.objects.get().total == Decimal("9.00")
    assert said(program.get(page))["total_donations"] == 3


def test_O11_a_page_that_staff_made_takes_none_and_no_person_is_made(tenant: Tenant, program: Program) -> None:
    with in_tenant(tenant):
        page = FundraisingPage.objects.create(title="By hand", currency="USD")
    assert "record_donation_helper" not in str(said(program.get(f"/fundraising_pages/{page.uid}")))
    error(program.give(f"/fundraising_pages/{page.uid}"))
    error(Program(None).give(f"/fundraising_pages/{page.uid}"))
    with in_tenant(tenant):
        assert not Contact.objects.exists() and not Gift.objects.exists()


def test_O2_a_link_to_a_person_stands_in_for_the_person(tenant: Tenant, program: Program, neighbour: Tenant) -> None:
    page, ana, theirs = program.page(), somebody(tenant), somebody(neighbour)
    for href in (f"https://actionnetwork.org/api/v2/people/{ana.uid}", f"{ana.uid}"):
        body = said(program.give(page, person=None, _links={"osdi:person": {"href": href}}))
        assert body["action_network:person_id"] == str(ana.uid)
    for href in (f"/people/{NOBODY}", f"/people/{theirs.uid}", "/people/x", ""):
        answer = program.give(page, person=None, _links={"osdi:person": {"href": href}})
        assert error(answer) == "You must specify a valid person id"
    wrong: list[Any] = [{"osdi:person": {"href": 7}}, {"osdi:person": "x"}, [], {}]
    for links in wrong:
        error(program.give(page, person=None, _links=links))
    with in_tenant(neighbour):
        assert not Gift.objects.exists()


@pytest.mark.parametrize("entry", [[{"number": 2021234444, "primary": True}], [{"number": "+1 (202) 123-4444"}]])
def test_O2_a_number_may_come_as_a_json_number_and_an_address_without_address_is_none(
    program: Program, entry: Any
) -> None:
    body = said(program.give(program.page(), person={"phone_numbers": entry, "email_addresses": [{}]}))
    person = said(program.get(f"/people/{body['action_network:person_id']}"))
    assert person["phone_numbers"][0]["number"] == "12021234444" and person["email_addresses"] == []


def test_O5_O6_no_other_status_than_subscribed_is_taken_with_a_donation(program: Program) -> None:
    page = program.page()
    for status in ("unsubscribed", "bouncing", "spam complaint", "maybe"):
        mail = SMITH | {"email_addresses": [{"address": "a@b.org", "status": status}]}
        phone = SMITH | {"phone_numbers": [{"number": "2021234444", "status": status}]}
        assert "subscribed" in error(program.give(page, person=mail))
        assert "subscribed" in error(program.give(page, person=phone))
    mail = SMITH | {"email_addresses": [{"address": "a@b.org", "status": "subscribed"}]}
    person = said(program.give(page, person=mail))["_links"]["osdi:person"]["href"]
    assert said(program.get(person))["email_addresses"][0]["status"] == "subscribed"


def test_O14_donations_are_listed_and_read_where_they_belong(tenant: Tenant, program: Program) -> None:
    page, other = program.page(), program.page("Another")
    first = said(program.give(page))
    said(program.give(other, person={"email_addresses": [{"address": "ana@rivermail.test"}]}))
    uid, person = uid_in(first), first["action_network:person_id"]
    for path in ("/donations", f"{page}/donations", f"/people/{person}/donations"):
        body = said(program.get(path))
        number = 2 if path == "/donations" else 1
        assert [len(embedded(body)), body["total_records"]] == [number, number]
        assert said(program.get(f"{path}/{uid}")) == first
        assert said(program.get(f"{path}/{uid}/")) == first, "with a slash at the end, and no redirect"
        error(program.get(f"{path}/{NOBODY}"), 404)
    error(program.get(f"{other}/donations/{uid}"), 404)
    assert said(program.get(f"{page}/donations"))["_links"]["osdi:record_donation_helper"]["href"].endswith(
        "/donations"
    )


def test_O14_a_put_changes_what_is_sent_and_totals_follow(tenant: Tenant, program: Program) -> None:
    page = program.page()
    first = said(program.give(page, identifiers=["crm:1"]))
    path = f"/donations/{uid_in(first)}"
    body = said(program.put(path, {
        "recipients": [{"display_name": "River", "amount": "10"}], "identifiers": ["crm:2"], "amount": "999.00",
        "currency": "usd", "payment": {"method": "Gold"}, "action_network:recurrence": {"recurring": True},
    }))  # fmt: skip
    assert (body["amount"], body["currency"], body["payment"]) == ("10.00", "USD", first["payment"])
    assert body["identifiers"][1:] == ["crm:1", "crm:2"] and body["action_network:recurrence"] == {"recurring": True}
    assert body["created_date"] == first["created_date"]
    with in_tenant(tenant):
        assert Giving.objects.get().total == Decimal("10.00")
    assert said(program.put(path, {}))["recipients"] == body["recipients"]
    error(program.put(path, {"recipients": []}))
    error(program.call("DELETE", path), 405)


def test_O14_donations_are_filtered_by_identifier_and_by_their_times(program: Program) -> None:
    page = program.page()
    old = said(program.give(page, created_date="2013-01-01T00:00:00Z", identifiers=["crm:1"]))
    said(program.give(page, created_date="2020-02-02T00:00:00Z"))

    def found(text: str) -> int:
        return len(embedded(said(program.get("/donations", filter=text))))

    assert found("identifier eq 'crm:1'") == found(f"identifier eq '{old['identifiers'][0]}'") == 1
    assert found("created_date gt '2012-12-31'") == 2 and found("created_date gt '2013-01-01'") == 1
    assert found("created_date eq '2013-01-01T00:00:00Z'") == 1 and found("created_date lt '2013-01-01'") == 0
    tomorrow = f"{timezone.now() + timedelta(days=1):%Y-%m-%d}"
    assert found(f"modified_date lt '{tomorrow}'") == 2 and found(f"modified_date gt '{tomorrow}'") == 0
    for text in ("amount eq '3.00'", "identifier gt 'crm:1'", "created_date eq 'x'", "nonsense"):
        error(program.get("/donations", filter=text))


def test_O1_members_that_nobody_knows_and_triggers_are_passed_over(tenant: Tenant, program: Program) -> None:
    said(program.give(program.page(), triggers={"autoresponse": {"enabled": True}}, whatever=[1, 2], payment={"a": 1}))
    with in_tenant(tenant):
        assert EmailAddress.objects.get().address == "jsmith@mail.com"
    assert DONATION["person"] == SMITH


def test_O12_a_page_that_is_older_than_the_choice_of_a_currency_takes_donations_in_the_chosen_one(
    tenant: Tenant,
) -> None:
    program = Program(tenant)
    page = program.page()
    tenant.currency = "EUR"
    tenant.save()
    assert said(program.get(page))["currency"] == "EUR"
    assert said(program.give(page, currency="EUR"))["currency"] == "EUR"
    assert "EUR" in error(program.give(page, currency="USD"))
    assert said(program.put(page, {"title": "Salvar el río", "currency": "EUR"}))["total_amount"] == "3.00"
