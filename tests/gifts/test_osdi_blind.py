"""Posts without a key: the same work, answers that tell nothing, limits, and CORS for this one address alone (O10)."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from contacts.models import Contact, ContactTag, EmailAddress, HistoryEntry, PhoneNumber, Tag, Tally
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.osdi import blind
from gifts.donating import background
from gifts.models import BackgroundCall, Donation, FundraisingPage
from tests.gifts.osdi import DONATION, NOBODY, SMITH, Program, error, said, somebody

pytestmark = pytest.mark.django_db
ANY = "Access-Control-Allow-Origin"


@pytest.fixture
def page(tenant: Tenant) -> str:
    return Program(tenant).page()


@pytest.fixture
def form() -> Program:
    return Program(None)


def test_O10_the_same_work_is_done_and_nothing_is_answered(tenant: Tenant, page: str, form: Program) -> None:
    with in_tenant(tenant):
        Tag.objects.create(name="donor")
    answer = form.give(page, identifiers=["form:1"])
    assert said(answer) == {} and answer[ANY] == "*"
    assert said(form.give(page, identifiers=["form:1"])) == {}, "the same form sent twice"
    with in_tenant(tenant):
        donation, contact = Donation.objects.get(), Contact.objects.get()
        assert donation.is_blind and str(donation.amount) == "3.00"
        assert (contact.first_name, ContactTag.objects.get().contact_id) == ("John", contact.pk)
        assert HistoryEntry.objects.filter(what="contact").get().source == "Form on a website: Save the river"


def test_O10_an_answer_does_not_tell_who_is_here(tenant: Tenant, page: str, form: Program) -> None:
    somebody(tenant, "ana@rivermail.test", phone="+15035550142", first_name="Ana")
    people = [
        {"email_addresses": [{"address": "nobody@rivermail.test"}]},
        {"email_addresses": [{"address": "ana@rivermail.test"}]},
        {"phone_numbers": [{"number": "5035550142"}]}, {"phone_numbers": [{"number": "5035550199"}]},
    ]  # fmt: skip
    answers = [form.give(page, person=person) for person in people]
    seen = {(one.status_code, one.content, str(sorted(one.headers.items()))) for one in answers}
    assert len(seen) == 1 and said(answers[0]) == {}
    wrong = [error(form.give(page, person=person, recipients=[])) for person in people]
    assert len(set(wrong)) == 1


def test_O10_answers_take_even_stretches_of_time(page: str, form: Program, settings: Any) -> None:
    settings.BLIND_POST_SECONDS = 0.3
    for body in (DONATION, {}):
        began = time.monotonic()
        form.post(f"{page}/donations", body)
        assert (time.monotonic() - began) >= 0.3
    with pytest.raises(ZeroDivisionError), blind.in_even_time():
        _ = 1 / 0


def test_O10_errors_have_a_status_and_a_message_that_the_form_can_read(
    tenant: Tenant, page: str, form: Program
) -> None:
    for body in ({}, b"{", DONATION | {"person": {}}, DONATION | {"recipients": [{"display_name": "x", "amount": 3}]}):
        answer = form.post(f"{page}/donations", body)
        assert error(answer) and answer[ANY] == "*"
    for path in (f"/fundraising_pages/{NOBODY}", "/fundraising_pages/x"):
        answer = form.give(path)
        error(answer, 404)
        assert answer[ANY] == "*"
    with in_tenant(tenant):
        assert not Contact.objects.exists()


def test_O10_nobody_can_be_named_by_id_without_a_key(tenant: Tenant, page: str, form: Program) -> None:
    ana = somebody(tenant)
    link = {"osdi:person": {"href": f"/people/{ana.uid}"}}
    nobody = {"osdi:person": {"href": f"/people/{NOBODY}"}}
    assert error(form.give(page, person=None, _links=link)) == error(form.give(page, person=None, _links=nobody))
    with in_tenant(tenant):
        assert not Donation.objects.exists()


def test_O10_a_page_that_staff_closed_takes_none_and_one_with_a_key_still_may(
    tenant: Tenant, page: str, form: Program
) -> None:
    with in_tenant(tenant):
        FundraisingPage.objects.update(takes_blind=False)
    assert "key" in error(form.give(page))
    said(Program(tenant).give(page))
    with in_tenant(tenant):
        assert Donation.objects.count() == 1


def test_O10_everything_else_needs_a_key(tenant: Tenant, page: str, form: Program) -> None:
    for method, path in (
        ("GET", f"{page}/donations"), ("PUT", page), ("POST", "/people"), ("POST", "/fundraising_pages"),
        ("POST", "/tags"), ("GET", page), ("DELETE", f"{page}/donations"), ("PUT", f"{page}/donations"),
    ):  # fmt: skip
        assert error(form.call(method, path, DONATION), 403) == "API Key invalid or not present"


def test_O10_a_wrong_key_is_not_taken_for_none(tenant: Tenant, page: str) -> None:
    answer = Program(None).post(f"{page}/donations", DONATION, **{"OSDI-API-Token": "wrong"})
    error(answer, 403)
    assert ANY not in answer
    with in_tenant(tenant):
        assert not Contact.objects.exists()


def test_O10_browsers_of_every_site_may_post_to_this_address_and_to_no_other(
    tenant: Tenant, page: str, form: Program
) -> None:
    asks = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type"}  # fmt: skip
    for path in (f"{page}/donations", f"{page}/donations/", f"/fundraising_pages/{NOBODY}/donations"):
        answer = form.call("OPTIONS", path, **asks)
        assert (answer.status_code, answer[ANY], answer.content) == (204, "*", b"")
        assert answer["Access-Control-Allow-Methods"] == "POST, OPTIONS"
        assert answer["Access-Control-Allow-Headers"] == "Content-Type, Accept"
        assert "Access-Control-Allow-Credentials" not in answer
    program = Program(tenant)
    for path in ("", "/people", "/donations", page, "/tags"):
        assert form.call("OPTIONS", path, **asks).status_code in (403, 405)
        assert ANY not in form.call("OPTIONS", path, **asks) and ANY not in program.get(path)
    assert ANY not in program.get(f"{page}/donations"), "nor what is read with a key at the same address"
    assert ANY not in program.give(page)


def test_O10_an_address_may_post_so_often_to_a_page_and_keeps_nobody_else_out(
    tenant: Tenant, page: str, settings: Any
) -> None:
    settings.BLIND_POSTS_PER_MINUTE, settings.BLIND_POSTS_PER_MINUTE_PAGE = 2, 4
    one, other = Program(None), Program(None)
    one.client.defaults["REMOTE_ADDR"], other.client.defaults["REMOTE_ADDR"] = "192.0.2.1", "192.0.2.2"
    assert [one.give(page).status_code for _ in range(5)] == [200, 200, 429, 429, 429]
    assert [other.give(page).status_code for _ in range(2)] == [200, 200]
    answer = one.give(page)
    assert "try again" in error(answer, 429) and 1 <= int(answer["Retry-After"]) <= 60 and answer[ANY] == "*"
    another = Program(tenant).page("Another")
    said(one.give(another))
    third = Program(None)
    third.client.defaults["REMOTE_ADDR"] = "192.0.2.3"
    error(third.give(page), 429)
    assert Tally.objects.exists() and "192.0.2" not in str(list(Tally.objects.values()))
    Tally.objects.update(since=timezone.now() - timedelta(minutes=2))
    said(one.give(page))


def test_O10_a_form_may_be_worked_on_afterwards(tenant: Tenant, page: str, form: Program) -> None:
    assert said(form.give(page, {"background_request": "true"})) == {}
    with in_tenant(tenant):
        assert BackgroundCall.objects.get().is_blind and not Donation.objects.exists()
    background.turn(tenant.pk)
    with in_tenant(tenant):
        assert Donation.objects.get().is_blind and not BackgroundCall.objects.exists()


def test_O10_a_form_updates_and_merges_as_a_key_does(tenant: Tenant, page: str, form: Program) -> None:
    ana = somebody(tenant, "jsmith@mail.com", first_name="")
    mobile = somebody(tenant, "", phone="+12021234444")
    said(form.give(page, person=SMITH))
    with in_tenant(tenant):
        contact = Contact.objects.get()
        assert (contact.pk, contact.first_name) == (ana.pk, "John") and contact.pk != mobile.pk
        assert str(PhoneNumber.objects.get().number) == "+12021234444"


def test_O10_a_bounce_or_a_complaint_stays_whatever_a_form_says(tenant: Tenant, page: str, form: Program) -> None:
    for state in ("bounced", "complained"):
        somebody(tenant, f"{state}@rivermail.test", email_state=state)
        person = {"email_addresses": [{"address": f"{state}@rivermail.test", "status": "subscribed"}]}
        said(form.give(page, person=person))
        with in_tenant(tenant):
            assert EmailAddress.objects.get(address_key=f"{state}@rivermail.test").state == state


def test_O10_a_form_of_one_organization_touches_no_other(
    tenant: Tenant, neighbour: Tenant, page: str, form: Program
) -> None:
    somebody(neighbour, "jsmith@mail.com", first_name="Theirs")
    said(form.give(page))
    with in_tenant(neighbour):
        assert Contact.objects.get().first_name == "Theirs" and not Donation.objects.exists()


def test_O10_a_form_cannot_swallow_somebodys_donation_by_an_identifier_that_it_has_guessed(
    tenant: Tenant, page: str, form: Program
) -> None:
    said(form.give(page, identifiers=["shop:1001"], recipients=[{"display_name": "x", "amount": "0.01"}]))
    for _ in range(2):
        said(
            form.give(page, identifiers=["shop:1001"], person={"email_addresses": [{"address": "ana@rivermail.test"}]})
        )
    with in_tenant(tenant):
        assert sorted(str(one.amount) for one in Donation.objects.all())[0] == "0.01"
        assert Donation.objects.filter(gift__contact__email_addresses__address_key="ana@rivermail.test").exists()


def test_O10_made_up_fortunes_do_not_fill_the_totals_of_a_donor(tenant: Tenant, page: str, form: Program) -> None:
    fortune = [{"display_name": "x", "amount": "600000.00"}, {"display_name": "y", "amount": "400000.01"}]
    for query in ({}, {"background_request": "true"}):
        assert "Without a key" in error(form.give(page, query, recipients=fortune))
    said(Program(tenant).give(page, recipients=fortune))
    with in_tenant(tenant):
        assert Donation.objects.get().amount > 1_000_000 and not BackgroundCall.objects.exists()
