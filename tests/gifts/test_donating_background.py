"""Calls that are worked on afterwards (O9): in their order, each once, and what fails waits for staff."""

from typing import Any

import pytest

from contacts.models import Contact, ContactTag, Tag
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import jobs
from gifts.admin.calls import whom
from gifts.donating import background
from gifts.donating.background import later, tagging_of, try_again, turn
from gifts.donating.caller import BLIND, KEYED
from gifts.donating.people import sign_up
from gifts.models import BackgroundCall, Donation, FundraisingPage, Gift
from tests.factories import StaffMemberFactory
from tests.gifts.donating import ANA, BEN, JOHN, body, give, page_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
Verb = BackgroundCall.Verb
WORDS = "API key “Web”"


@pytest.fixture
def page(tenant: Tenant) -> FundraisingPage:
    return page_of(tenant)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The bells."""
    found: list[Any] = []
    monkeypatch.setattr(jobs, "async_task", lambda *args: found.append(args))
    return found


def test_O9_a_call_is_a_row_first_and_a_donation_afterwards(
    page: FundraisingPage, rung: list[Any], django_capture_on_commit_callbacks: Any, neighbour: Tenant
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        later(Verb.RECORD_DONATION, body(JOHN, identifiers=["crm:1"]), WORDS, page=page)
    assert ("gifts.jobs.work_on_calls", page.tenant_id) in rung
    assert not Contact.objects.exists()
    assert background.tenants() == [page.tenant_id]
    jobs.work_on_calls(neighbour.pk)
    assert BackgroundCall.objects.count() == 1
    jobs.work_on_calls(page.tenant_id)
    donation = Donation.objects.get()
    assert (str(donation.gift.contact), donation.is_blind) == ("John Smith", False)
    assert not BackgroundCall.objects.exists()  # a call that is done leaves nobody's data behind
    jobs.work_on_calls(page.tenant_id)
    assert Donation.objects.count() == 1


def test_O9_a_lost_bell_is_rung_again_by_the_sweep(page: FundraisingPage, rung: list[Any]) -> None:
    later(Verb.RECORD_DONATION, body(JOHN), WORDS, page=page)
    jobs.sweep()
    assert ("gifts.jobs.work_on_calls", page.tenant_id) in rung


def test_O9_without_a_key_stays_without_a_key(page: FundraisingPage) -> None:
    later(Verb.RECORD_DONATION, body(JOHN), "Form", BLIND, page=page)
    turn(page.tenant_id)
    assert Donation.objects.get().is_blind


def test_O9_calls_are_worked_on_in_the_order_in_which_they_came(page: FundraisingPage) -> None:
    for name in ("First", "Second", "Third"):
        later(Verb.SIGN_UP, {"person": person(ANA, given_name=name)}, WORDS)
    assert not turn(page.tenant_id)
    assert Contact.objects.get().first_name == "Third"


def test_O9_every_kind_of_call_is_carried_out(page: FundraisingPage) -> None:
    donation = give(page, person(ANA))
    ana, tag = donation.gift.contact, Tag.objects.create(name="member")
    tagging = {"tag": str(tag.uid), "person": str(ana.uid)}
    rows = [{"display_name": "Tom", "amount": "8.00"}]
    later(Verb.UPDATE_DONATION, {"recipients": rows}, WORDS, page=page, target=donation.uid)
    later(Verb.UPDATE_PERSON, {"given_name": "Anne"}, WORDS, KEYED, target=ana.uid)
    later(Verb.SIGN_UP, {"person": person(BEN)}, WORDS)
    later(Verb.ADD_TAG, tagging, WORDS)
    turn(page.tenant_id)
    ana.refresh_from_db()
    assert (ana.first_name, int(ana.giving.total), Contact.objects.count()) == ("Anne", 8, 2)
    assert ContactTag.objects.get().contact == ana
    later(Verb.REMOVE_TAG, tagging, WORDS)
    turn(page.tenant_id)
    assert not ContactTag.objects.exists()
    assert not BackgroundCall.objects.exists()


def test_O9_what_fails_says_why_holds_up_nobody_and_can_be_tried_again(page: FundraisingPage) -> None:
    closed = FundraisingPage.objects.create(title="By hand", currency="USD")
    later(Verb.RECORD_DONATION, body(person(ANA)), WORDS, page=closed)
    later(Verb.RECORD_DONATION, body(person(BEN)), WORDS, page=page)
    turn(page.tenant_id)
    call = BackgroundCall.objects.get()
    assert (call.state, call.attempts, bool(call.reason)) == ("failed", 1, True)
    assert [str(row.primary_email) for row in Contact.objects.all()] == [BEN]
    FundraisingPage.objects.filter(pk=closed.pk).update(made_by_api=True)
    turn(page.tenant_id)
    assert Gift.objects.count() == 1  # nobody has asked for it
    user = StaffMemberFactory().user
    assert try_again(call, user)
    assert not try_again(call, user)
    turn(page.tenant_id)
    assert Gift.objects.count() == 2
    assert not BackgroundCall.objects.exists()


def test_O9_staff_read_who_and_how_much_in_their_own_words(page: FundraisingPage) -> None:
    ana = give(page, person(ANA)).gift.contact
    tag = Tag.objects.create(name="vip")
    given = {"recipients": [{"display_name": "River", "amount": "12.50"}], "person_id": str(ana.uid)}
    gone, tagging = (
        later(Verb.RECORD_DONATION, given, WORDS, page=page), later(Verb.ADD_TAG, tagging_of(tag, ana), WORDS)
    )  # fmt: skip
    name = str(ana)
    Gift.objects.all().delete()
    ana.delete()
    turn(page.tenant_id)
    gone.refresh_from_db()
    assert gone.reason.startswith("The person whom the program meant is not among your contacts any more.")
    assert whom(gone) == f"$12.50, {page}"
    assert whom(tagging) == f"vip: {name}"


def test_O9_a_bug_of_ours_is_told_without_anybodys_data(
    page: FundraisingPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **values: Any) -> None:
        sign_up({"person": person(ANA)})
        raise RuntimeError("something")

    monkeypatch.setitem(background.DOING, Verb.SIGN_UP, broken)
    later(Verb.SIGN_UP, {"person": person(ANA)}, WORDS)
    turn(page.tenant_id)
    assert BackgroundCall.objects.get().state == "failed"
    assert not Contact.objects.exists()
    assert ANA not in caplog.text


def test_O9_another_organization_sees_nothing_of_it(page: FundraisingPage, neighbour: Tenant) -> None:
    later(Verb.SIGN_UP, {"person": person(ANA)}, WORDS)
    with in_tenant(neighbour):
        assert not BackgroundCall.objects.exists()
