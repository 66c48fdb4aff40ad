"""M8: reasons that are gone withdraw what was not sent, and flag what was."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import TenantQuerySet
from gifts import services as gift_services
from gifts.models import Gift, Source
from gifts.services import record_gift, record_gifts, refund
from tasks_app import jobs, services
from tasks_app.models import Note, Reason, ThankYou
from tests.factories import ContactFactory
from tests.gifts.rules import look, make_rule
from tests.tasks_app.people import only, reasons, wants

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
DAY = date(2026, 5, 1)

GONE: list[tuple[Callable[[Any], Any], str]] = [
    (refund, "The gift of $100.00 was refunded."),
    (gift_services.mark_gone, "The gift of $100.00 was deleted where it came from."),
    (gift_services.delete_gift, "The gift was deleted."),
]


@pytest.mark.parametrize(("take_away", "why"), GONE)
def test_M8_a_thank_you_that_was_not_sent_is_withdrawn_with_a_note(
    donor: Contact, take_away: Callable[[Any], Any], why: str
) -> None:
    take_away(record_gift(donor, 100, DAY))
    row = only()
    assert (row.state, row.closing_note) == ("withdrawn", f"{why} There is nothing left to thank for.")
    assert HistoryEntry.objects.get(what="reason withdrawn").label == f"Ana made a $100.00 donation. {why}"
    record_gift(donor, 20, DAY)
    assert reasons(ThankYou.objects.open().get()) == ["Ana made a $20.00 donation."]


@pytest.mark.parametrize(("take_away", "why"), GONE)
def test_M8_what_was_sent_stays_and_is_flagged(donor: Contact, take_away: Callable[[Any], Any], why: str) -> None:
    gift = record_gift(donor, 100, DAY)
    services.mark_sent(only(), "v1")
    take_away(gift)
    assert (only().state, only().to_judge) == ("sent", f"{why} They were thanked for it already.")


def test_M8_other_reasons_keep_it_open(donor: Contact) -> None:
    first = record_gift(donor, 100, DAY)
    record_gift(donor, 20, DAY)
    refund(first)
    assert only().is_open
    assert reasons(only()) == ["Ana made a $20.00 donation."]


def test_M8_a_refund_that_was_a_mistake_asks_again_or_takes_the_flag_away(donor: Contact) -> None:
    gift = record_gift(donor, 100, DAY)
    refund(gift)
    refund(gift, 0)
    open_one = ThankYou.objects.open().get()
    assert reasons(open_one) == ["Ana made a $100.00 donation."]
    services.mark_sent(open_one, "v1")
    refund(gift)
    refund(gift, 0)
    open_one.refresh_from_db()
    assert (open_one.state, open_one.to_judge) == ("sent", "")
    assert not ThankYou.objects.open().exists()


def test_M8_a_part_refund_and_a_correction_change_the_sentence_until_it_is_sent(donor: Contact) -> None:
    gift = record_gift(donor, 100, DAY)
    refund(gift, 40)
    assert reasons(only()) == ["Ana made a $60.00 donation."]
    gift_services.correct(gift, amount=90, comment="Corrected")
    assert Reason.objects.get().comment == "Corrected"
    services.mark_sent(only(), "v1")
    gift_services.correct(gift, amount=95)
    assert reasons(only()) == ["Ana made a $50.00 donation."]
    assert only().to_judge == ""


def test_M8_a_gift_of_another_donor_asks_to_thank_the_right_one(donor: Contact) -> None:
    other = ContactFactory(first_name="Bo", last_name="Lund")
    gift = record_gift(donor, 100, DAY)
    gift_services.reassign(gift, other)
    rows = {row.contact: row for row in ThankYou.objects.all()}
    assert rows[donor].state == "withdrawn"
    assert reasons(rows[other]) == ["Bo made a $100.00 donation."]


def test_M8_a_correction_at_the_source_takes_the_place_of_the_gift(donor: Contact) -> None:
    place = {"source": Source.DONOR_PERFECT, "source_place": "dp"}
    gift = record_gift(donor, 100, DAY, source_id="1", **place)
    record_gift(donor, 80, DAY, source_id="2", replaces=gift, **place)
    gift_services.mark_gone(gift)
    assert only().is_open
    assert reasons(only()) == ["Ana made a $80.00 donation."]


def test_M8_a_milestone_that_is_no_longer_met_is_no_reason_any_more(donor: Contact) -> None:
    wants(new_gifts="none")
    make_rule("total", 100)
    gift = record_gift(donor, 100, DAY)
    look()
    assert reasons(only()) == ["Ana’s giving passed $100."]
    refund(gift)
    look()
    assert only().state == "withdrawn"
    assert "no longer met" in only().closing_note


def test_M6_M8_a_lower_threshold_takes_its_place_where_that_is_still_met(donor: Contact) -> None:
    wants(new_gifts="none")
    make_rule("total", 50, 100)
    gift = record_gift(donor, 120, DAY)
    look()
    refund(gift, Decimal(60))
    look()
    assert only().is_open
    assert reasons(only()) == ["Ana’s giving passed $50."]


def test_M8_a_milestone_that_is_met_after_all_is_asked_for_again_at_night(tenant: Tenant, donor: Contact) -> None:
    wants(new_gifts="none")
    make_rule("total", 100)
    gift = record_gift(donor, 100, DAY)
    look()
    refund(gift)
    look()
    refund(gift, 0)
    look()
    assert not ThankYou.objects.open().exists()
    jobs.night_of(tenant.pk)
    jobs.night_of(tenant.pk)
    assert reasons(ThankYou.objects.open().get()) == ["Ana’s giving passed $100."]


def test_M8_what_nobody_was_told_of_is_mended_at_night(tenant: Tenant, donor: Contact) -> None:
    record_gift(donor, 100, DAY)
    kept = record_gift(ContactFactory(), 5, DAY)
    TenantQuerySet.update(Gift.objects.filter(contact=donor).order_by(), gone_on=DAY)
    jobs.night_of(tenant.pk)
    assert ThankYou.objects.get(contact=donor).state == "withdrawn"
    assert ThankYou.objects.get(contact=kept.contact_id).is_open


def test_M8_a_note_that_waits_is_not_sent_any_more(donor: Contact) -> None:
    wants(gift_action="note")
    refund(record_gift(donor, 100, DAY))
    note = Note.objects.get()
    assert (note.state, note.why) == ("withdrawn", "The gift of $100.00 was refunded.")


def test_M8_a_thousand_refunds_take_as_many_queries_as_a_few() -> None:
    counts = []
    for size in (2, 30):
        gifts = record_gifts(Gift(contact=ContactFactory(email=""), amount=5, received_on=DAY) for _ in range(size))
        with CaptureQueriesContext(connection) as asked:
            Gift.objects.filter(pk__in=[gift.pk for gift in gifts.created]).update(gone_on=DAY)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert not ThankYou.objects.open().exists()
