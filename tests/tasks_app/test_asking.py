"""Gifts and milestones ask for thanks: one open thank-you for each donor, with all its reasons."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from contacts.duplicates.merge import merge
from contacts.duplicates.unmerge import undo
from contacts.models import Contact, HistoryEntry, Merge
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import services as gift_services
from gifts.models import Gift, Source
from gifts.services import record_gift, record_gifts, today
from tasks_app import asking, jobs, services
from tasks_app.models import Note, Reason, ThanksSettings, ThankYou
from tests.factories import ContactFactory
from tests.gifts.rules import look, make_rule
from tests.tasks_app.people import only, reasons, staff, wants

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
DAY = date(2026, 5, 1)


def test_D6_a_gift_makes_a_thank_you_that_says_why_with_date_amount_and_comment(donor: Contact) -> None:
    gift = record_gift(donor, 100, DAY, comment="For the river")
    thank_you = only()
    assert thank_you.sentence == "Send Ana Ruiz a thank you video. Ana made a $100.00 donation."
    assert (thank_you.state, thank_you.assignee, thank_you.due_on) == ("open", None, today() + timedelta(days=7))
    reason = Reason.objects.get()
    assert (reason.on, reason.amount, reason.comment, reason.gift) == (DAY, Decimal(100), "For the river", gift)


def test_T1_further_gifts_join_the_open_thank_you_and_nobody_is_thanked_twice_for_one(donor: Contact) -> None:
    first = record_gift(donor, 10, DAY)
    record_gift(donor, 20, DAY)
    services.thank_for_gifts([first])
    assert reasons(only()) == ["Ana made a $10.00 donation.", "Ana made a $20.00 donation."]


def test_T1_one_for_each_rule_if_the_organization_wants_that(donor: Contact) -> None:
    wants(one_per="rule")
    make_rule("number", 1)
    make_rule("total", 10)
    record_gift(donor, 10, DAY)
    look()
    assert ThankYou.objects.count() == 3
    assert sorted(sentence for row in ThankYou.objects.all() for sentence in reasons(row)) == [
        "Ana has made 1 gift.", "Ana made a $10.00 donation.", "Ana’s giving passed $10.",
    ]  # fmt: skip


def test_M6_one_gift_that_passes_several_thresholds_gives_one_reason_for_the_highest(donor: Contact) -> None:
    wants(new_gifts="none")
    marcus = staff("Marcus Reed")
    make_rule("total", 10, 50, 100, assignee=marcus)
    record_gift(donor, 120, DAY)
    look()
    assert reasons(only()) == ["Ana’s giving passed $100."]
    assert only().assignee == marcus


@pytest.mark.parametrize(
    ("gifts", "more"), [(3, ""), (4, " There is 1 more reason."), (12, " There are 9 more reasons.")]
)
def test_T1_many_reasons_are_said_in_few_words(donor: Contact, gifts: int, more: str) -> None:
    for number in range(1, gifts + 1):
        record_gift(donor, number, DAY)
    last = " ".join(f"Ana made a ${number}.00 donation." for number in range(gifts - 2, gifts + 1))
    assert only().sentence == f"Send Ana Ruiz a thank you video. {last}{more}"
    assert len(reasons(only())) == gifts


def test_M9_thanks_for_a_gift_of_a_day_to_come_are_not_due_before_it(donor: Contact) -> None:
    wants(due_days=2)
    record_gift(donor, 10, today() + timedelta(days=30))
    assert only().due_on == today() + timedelta(days=30)
    record_gift(donor, 10, today() + timedelta(days=20))
    assert only().due_on == today() + timedelta(days=20), "the nearest day counts"
    record_gift(donor, 10, today())
    assert only().due_on == today() + timedelta(days=2)


def test_T1_whoever_may_only_look_is_asked_by_no_rule_and_keeps_nothing(donor: Contact) -> None:
    wants(new_gifts="none")
    victor, marcus = staff("Victor Lambert", role="viewer"), staff("Marcus Reed")
    make_rule("total", 10, assignee=victor)
    record_gift(donor, 20, DAY)
    look()
    assert only().assignee is None, "the whole team's"
    services.hand_over(only(), marcus)
    marcus.role = "viewer"
    marcus.save(update_fields=["role"])
    assert (only().assignee, only().for_whom) == (None, "")


def test_T1_history_corrections_and_nothing_ask_for_no_thanks(donor: Contact) -> None:
    record_gift(donor, 10, DAY, is_history=True)
    record_gift(donor, -5, DAY, source=Source.DONOR_PERFECT, source_id="1")
    assert not ThankYou.objects.exists()


@pytest.mark.parametrize(
    ("wish", "made"), [({"new_gifts": "none"}, 0), ({"new_gifts": "minimum", "minimum": 50}, 1), ({}, 2)]
)
def test_T1_which_gifts_are_thanked_for_is_the_organizations_choice(wish: Any, made: int) -> None:
    if wish:
        wants(**wish)
    for amount in (10, 50):
        record_gift(ContactFactory(), amount, DAY)
    assert ThankYou.objects.count() == made


def test_D6_a_sources_switch_says_task_note_or_nothing(donor: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_deciders", {})
    said = iter(["task", "note", "nothing", None])
    services.decide_for(Source.DONOR_PERFECT, lambda gift: next(said))
    wants(new_gifts="none")
    for number in range(4):
        record_gift(ContactFactory(), 10, DAY, source=Source.DONOR_PERFECT, source_id=f"{number}")
    assert (ThankYou.objects.count(), Note.objects.count()) == (1, 1)


def test_T1_whoever_was_thanked_lately_is_left_in_peace_and_their_history_says_so(donor: Contact) -> None:
    wants(cool_down_days=30)
    record_gift(donor, 10, DAY)
    services.mark_thanked(only(), "By phone")
    record_gift(donor, 20, DAY)
    assert ThankYou.objects.count() == 1
    assert HistoryEntry.objects.get(what="left in peace").contact_uid == donor.uid


def test_T2_do_not_contact_makes_no_note_and_its_thank_you_says_so_plainly() -> None:
    quiet = ContactFactory(first_name="Quinn", last_name="Ash", do_not_contact=True)
    record_gift(quiet, 10, DAY)
    assert only().title == "Do not contact Quinn Ash: thank them by other means, or dismiss this."
    assert not ThankYou.objects.for_videos().exists()
    wants(gift_action="note")
    record_gift(quiet, 20, DAY)
    assert not Note.objects.exists()
    assert HistoryEntry.objects.get(what="note not made").contact_uid == quiet.uid


def test_T1_a_thousand_gifts_with_five_overlapping_rules_make_one_open_thank_you_for_each_donor() -> None:
    wants(new_gifts="every")
    for number in range(1, 6):
        make_rule("number", number, name=f"Rule {number}")
    donors = [ContactFactory(email="") for _ in range(50)]
    record_gifts(Gift(contact=donors[n % 50], amount=5, received_on=DAY) for n in range(1_000))
    look()
    assert ThankYou.objects.count() == 50
    assert Reason.objects.standing().count() == 1_000 + 50 * 5
    assert ThankYou.objects.values("contact").distinct().count() == 50


def test_T1_asking_takes_as_many_queries_for_many_as_for_few() -> None:
    counts = []
    for size in (3, 30):
        donors = [ContactFactory(email="") for _ in range(size)]
        gifts = [Gift(contact=donor, amount=5, received_on=DAY, is_history=True) for donor in donors]
        gifts = record_gifts(gifts).created
        for gift in gifts:
            gift.is_history = False
        with CaptureQueriesContext(connection) as asked:
            services.thank_for_gifts(gifts)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert ThankYou.objects.count() == 33


def test_T1_the_database_lets_one_open_thank_you_in_for_each_donor(donor: Contact) -> None:
    record_gift(donor, 10, DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        ThankYou.objects.create(contact=donor, due_on=DAY, open_key=str(donor.uid))
    services.dismiss(only())
    record_gift(donor, 10, DAY)
    assert ThankYou.objects.open().count() == 1


def test_M5_a_milestone_that_both_had_reached_is_thanked_for_once_after_a_merge(donor: Contact) -> None:
    other: Contact = ContactFactory()
    wants(new_gifts="none")
    make_rule("total", 1000)
    record_gift(donor, 1000, date(2026, 1, 1))
    look()
    services.mark_sent(ThankYou.objects.get())
    record_gift(other, 1000, date(2026, 1, 2))
    look()
    assert ThankYou.objects.open().count() == 1, "the control: the other's is open"
    merge(donor, other)
    assert not ThankYou.objects.open().exists()
    assert "reached by both" in ThankYou.objects.get(state=ThankYou.State.WITHDRAWN).closing_note


def test_T1_what_was_asked_for_by_hand_stays_when_two_donors_are_merged(donor: Contact) -> None:
    other: Contact = ContactFactory()
    services.ask_by_hand(donor, "For the cake.")
    services.ask_by_hand(other, "For the flowers.")
    merge(donor, other)
    assert sorted(reasons(ThankYou.objects.open().get())) == ["For the cake.", "For the flowers."]


def test_T1_merging_two_donors_leaves_one_open_thank_you_and_undoing_it_gives_each_their_own(donor: Contact) -> None:
    other = ContactFactory(first_name="Anna", last_name="Ruiz")
    record_gift(donor, 10, DAY)
    record_gift(other, 20, DAY)
    merge(donor, other)
    kept = ThankYou.objects.open().get()
    assert len(reasons(kept)) == 2
    assert kept.open_key == str(donor.uid)
    undo(Merge.objects.get())
    assert {row.contact.first_name: len(reasons(row)) for row in ThankYou.objects.open()} == {"Ana": 1, "Anna": 1}


def test_T1_choosing_otherwise_puts_together_what_is_open_and_lets_it_be_joined(tenant: Tenant, donor: Contact) -> None:
    wants(one_per="rule")
    make_rule("number", 1)
    record_gift(donor, 10, DAY)
    look()
    assert ThankYou.objects.open().count() == 2
    wants(one_per="donor")
    jobs.settle_all(tenant.pk)
    assert len(reasons(ThankYou.objects.open().get())) == 2
    wants(one_per="rule")
    jobs.settle_all(tenant.pk)
    record_gift(donor, 20, DAY)
    assert len(reasons(ThankYou.objects.open().get())) == 3


def test_T1_a_neighbour_sees_nothing_and_is_asked_nothing(donor: Contact, neighbour: Tenant) -> None:
    record_gift(donor, 10, DAY)
    with in_tenant(neighbour):
        wants(new_gifts="none")
        assert not ThankYou.objects.exists()
        assert not Reason.objects.exists()
    assert ThanksSettings.now().new_gifts == "every"
    assert gift_services.today() == today()
