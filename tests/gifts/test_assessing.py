"""Milestones as they are noted: once, quietly for what was before, and marked when they are no longer met."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.duplicates import unmerge
from contacts.duplicates.merge import merge
from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import assessing, running, services, signals
from gifts.histories import histories
from gifts.milestones import reached
from gifts.models import Gift, MilestoneReached, MilestoneRule, Reassessment, Source
from gifts.services import record_gift, record_gifts, refund, today
from tests.factories import ContactFactory
from tests.gifts.rules import listening, look, make_rule, switched_on

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


def noted(contact: Contact) -> dict[tuple[int, str], tuple[bool, bool]]:
    """{(threshold, period): (quiet, stands)}."""
    return {
        (int(row.threshold), row.period): (row.is_quiet, row.stands)
        for row in MilestoneReached.objects.filter(contact=contact)
    }


def test_M1_the_gift_that_reaches_it_is_announced_once_with_the_gifts_behind_it(donor: Contact) -> None:
    make_rule("number", 3)
    with listening() as heard:
        gifts = [record_gift(donor, 10, date(2026, 1, day)) for day in (1, 2, 3, 4)]
        look()
        look()
    assert heard.names == ["3 gifts"]
    award = heard.reached[0]
    assert (award.gift, award.gifts_behind) == (gifts[2], [gift.pk for gift in gifts[:3]])
    assert award.reason == "3 gifts, with a gift of $10.00 on Jan 3, 2026"
    assert heard.gifts == [gift.pk for gift in gifts]
    assert not Reassessment.objects.exists()
    (entry,) = HistoryEntry.objects.filter(what="milestone")
    assert (entry.contact_uid, entry.label) == (donor.uid, award.reason)


def test_D6_history_corrections_and_what_was_given_back_are_nobodys_to_thank(donor: Contact) -> None:
    day = date(2026, 1, 1)
    with listening() as heard:
        first = record_gift(donor, 10, day)
        record_gift(donor, 10, day, is_history=True)
        record_gift(donor, 12, day, replaces=first)
        record_gift(donor, 10, day, source=Source.DONOR_PERFECT, source_id="7", is_one=False)
        record_gift(donor, 10, day, refunded=10)
        services.correct(first, amount=11)
    assert heard.gifts == [first.pk]


def test_M2_a_total_that_accrues_over_several_ways_in(donor: Contact) -> None:
    make_rule("total", 100)
    with listening() as heard:
        for number, source in enumerate(Source):
            record_gift(donor, 20, date(2026, 1, 1 + number), source=source, source_id=f"{number}")
            look()
    assert [award.gift and award.gift.source for award in heard.reached] == [list(Source)[4]]


def test_M3_once_in_each_fiscal_year(tenant: Tenant, donor: Contact) -> None:
    tenant.fiscal_year_start = 7
    tenant.save()
    rule = make_rule("since_month", 100)
    assert rule.month == 7
    with listening() as heard:
        for day in (date(2024, 7, 1), date(2025, 6, 30), date(2025, 7, 1), date(2025, 8, 1)):
            record_gift(donor, 100, day)
            look()
    assert heard.names == ["$100 given since July 2024", "$100 given since July 2025"]
    tenant.fiscal_year_start = 1
    tenant.save()
    running.verify()
    look()
    assert set(noted(donor)) == {(100, "2024-07"), (100, "2025-07")}


def test_M5_nothing_fires_twice_whatever_is_edited_imported_again_or_run_again(donor: Contact) -> None:
    make_rule("total", 100)

    def sent(amount: int) -> list[Gift]:
        return [Gift(contact=donor, amount=amount, received_on=date(2026, 1, 1), source=Source.CSV, source_id="1")]

    with listening() as heard:
        record_gifts(sent(100))
        look()
        record_gifts(sent(100))
        record_gifts(sent(120))
        look()
        gift = Gift.objects.get()
        refund(gift)
        look()
        refund(gift, 0)
        look()
        services.correct(Gift.objects.get(), received_on=date(2025, 1, 1))
        look()
        for run in (running.begin("verify"), running.begin("verify")):
            while running.turn(run.pk):
                pass
        rule = MilestoneRule.objects.get()
        from gifts import rules

        rules.switch_off(rule)
        switched_on(rule)
    assert len(heard.reached) == 1
    assert noted(donor) == {(100, ""): (False, True)}


def test_M5_the_database_lets_each_milestone_in_once_and_what_is_announced_is_kept_with_it(donor: Contact) -> None:
    rule = make_rule("number", 1)
    record_gift(donor, 10, date(2026, 1, 1))

    def die(sender: Any, **more: Any) -> None:
        raise KeyboardInterrupt  # the worker is killed while somebody listens

    signals.milestones_reached.connect(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            look()
    finally:
        signals.milestones_reached.disconnect(die)
    assert (MilestoneReached.objects.count(), Reassessment.objects.count()) == (0, 1)
    with listening() as heard:
        look()
    assert len(heard.reached) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        MilestoneReached.objects.create(rule=rule, contact=donor, threshold=1, reached_on=today())


def test_M5_one_donor_with_whom_something_is_amiss_holds_up_nobody_else(donor: Contact) -> None:
    make_rule("number", 1)
    other: Contact = ContactFactory()

    def stumble(sender: Any, awards: Any, **more: Any) -> None:
        if any(award.contact == donor for award in awards):
            raise ValueError("a bug of ours")

    for contact in (donor, other):
        record_gift(contact, 10, date(2026, 1, 1))
    signals.milestones_reached.connect(stumble)
    try:
        look()
    finally:
        signals.milestones_reached.disconnect(stumble)
    assert [row.contact for row in MilestoneReached.objects.all()] == [other]
    waits = Reassessment.objects.get()
    assert (waits.contact, waits.attempts) == (donor, 1)
    assert waits.due_at > timezone.now()
    Reassessment.objects.update(due_at=timezone.now())
    look()
    assert MilestoneReached.objects.filter(contact=donor).exists()


def test_M5_a_gift_that_comes_in_while_its_donor_is_looked_at_is_news(donor: Contact, monkeypatch: Any) -> None:
    make_rule("total", 1000)
    record_gift(donor, 10, date(2026, 3, 1))
    read = assessing.known_histories

    def in_this_moment(pks: Any) -> Any:
        monkeypatch.setattr(assessing, "known_histories", read)
        record_gift(donor, 1000, date(2026, 3, 2))  # after the notes were read, and before the gifts are
        yield from read(pks)

    monkeypatch.setattr(assessing, "known_histories", in_this_moment)
    with listening() as heard:
        look()
    assert heard.names == ["$1,000 given in all"]
    assert not Reassessment.objects.exists()


def test_M5_a_gift_that_was_put_off_is_still_news_when_the_next_one_comes(donor: Contact, monkeypatch: Any) -> None:
    make_rule("number", 1)
    record_gift(donor, 10, date(2026, 3, 1))
    with monkeypatch.context() as broken:
        broken.setattr(assessing, "keep", lambda found: 1 / 0)
        look()
    assert (donor.milestones.count(), Reassessment.objects.get().attempts) == (0, 1)
    with listening() as heard:
        record_gift(donor, 10, date(2026, 3, 2))  # within the minute
        look()
    assert heard.names == ["1 gift"]


def test_M6_one_gift_that_passes_several_names_the_highest(donor: Contact) -> None:
    make_rule("total", 50, 100, 500, 1000)
    with listening() as heard:
        record_gift(donor, 600, date(2026, 1, 1))
        look()
        assert heard.names == ["$500 given in all"]
        record_gift(donor, 400, date(2026, 1, 2))
        look()
    assert heard.names == ["$500 given in all", "$1,000 given in all"]
    highest = MilestoneReached.objects.filter(is_highest=True).order_by("threshold")
    assert [row.threshold for row in highest] == [500, 1000]
    assert MilestoneReached.objects.count() == 4


def test_M7_a_rule_that_is_switched_on_fires_for_nobody_who_had_passed(donor: Contact) -> None:
    record_gift(donor, 1000, date(2026, 1, 1))
    other: Contact = ContactFactory()
    with listening() as heard:
        make_rule("total", 500, 1500)
        look()
        assert noted(donor) == {(500, ""): (True, True)}
        record_gift(donor, 499, date(2026, 2, 1))
        look()
        assert heard.reached == []
        record_gift(donor, 1, date(2026, 2, 2))
        record_gift(other, 2000, date(2026, 2, 2))
        look()
    assert sorted(map(str, heard.reached)) == ["$1,500 given in all", "$1,500 given in all"]


def test_M7_a_gift_that_comes_in_while_what_was_before_is_noted_is_news(donor: Contact, monkeypatch: Any) -> None:
    record_gift(donor, 1000, date(2026, 1, 1))
    from gifts import rules

    monkeypatch.setattr(rules, "AT_ONCE_SECONDS", -1)
    monkeypatch.setattr(running, "BATCH", 1)
    ContactFactory()
    rule = make_rule("total", 1000, 2000, is_on=False)
    run = running.begin("simulate", rule)
    while running.turn(run.pk):
        pass
    run = rules.switch_on(rule)
    with listening() as heard:
        record_gift(donor, 1000, date(2026, 2, 1))
        look()  # before the run has come to them, or after: it makes no difference
        while running.turn(run.pk):
            pass
        look()
    assert heard.names == ["$2,000 given in all"]
    assert noted(donor) == {(1000, ""): (True, True), (2000, ""): (False, True)}


def test_M7_history_that_is_brought_in_fires_for_nobody_and_the_next_real_gift_does(donor: Contact) -> None:
    make_rule("number", 5, 6, 10)
    with listening() as heard:
        record_gift(donor, 10, date(2026, 3, 1))
        look()
        record_gifts(
            Gift(contact=donor, amount=10, received_on=date(2015 + n, 1, 1), is_history=True) for n in range(4)
        )
        look()
        assert noted(donor) == {(5, ""): (True, True)}, "the fifth by its day is a real gift, but history made it so"
        record_gift(donor, 10, date(2026, 3, 2))
        look()
    assert heard.names == ["6 gifts"]


def test_M7_the_night_makes_no_news_of_history_that_waits_to_be_looked_at(donor: Contact) -> None:
    make_rule("number", 5, 6)
    with listening() as heard:
        record_gift(donor, 10, date(2026, 3, 1))
        look()
        record_gifts(
            Gift(contact=donor, amount=10, received_on=date(2015 + n, 1, 1), is_history=True) for n in range(4)
        )
        run = running.begin("verify")
        while running.turn(run.pk):
            pass
    assert (heard.reached, noted(donor)) == ([], {(5, ""): (True, True)})


def test_M5_the_night_mends_what_was_missed(donor: Contact) -> None:
    make_rule("number", 1)
    record_gift(donor, 10, date(2026, 3, 1))
    Reassessment.objects.all().delete()  # as if it had never been noted
    with listening() as heard:
        for _ in range(2):
            run = running.begin("verify")
            while running.turn(run.pk):
                pass
    assert heard.names == ["1 gift"]


def test_M8_a_refund_withdraws_what_was_announced_and_names_what_still_stands(donor: Contact) -> None:
    make_rule("total", 100, 500)
    with listening() as heard:
        gift = record_gift(donor, 500, date(2026, 1, 1))
        look()
        refund(gift, 200)
        look()
        assert [str(award) for award in heard.withdrawn] == ["$500 given in all"]
        assert [str(lower) for lower in heard.instead.values()] == ["$100 given in all"]
        assert noted(donor) == {(500, ""): (False, False), (100, ""): (False, True)}
        assert HistoryEntry.objects.filter(what="milestone no longer met", contact_uid=donor.uid).count() == 1
        services.delete_gift(gift)
        look()
        assert [str(award) for award in heard.withdrawn] == ["$500 given in all", "$100 given in all"]
        record_gift(donor, 900, date(2026, 2, 1))
        look()
    assert len(heard.reached) == 1
    assert noted(donor) == {(500, ""): (False, True), (100, ""): (False, True)}


def test_M8_another_donor_takes_the_gift_and_what_it_reached_along(donor: Contact) -> None:
    make_rule("number", 1)
    other: Contact = ContactFactory()
    with listening() as heard:
        gift = record_gift(donor, 500, date(2026, 1, 1))
        look()
        services.reassign(gift, other)
        look()
    assert [award.contact for award in heard.reached] == [donor, other]
    assert [award.contact for award in heard.withdrawn] == [donor]


def test_M8_a_rule_that_is_off_still_withdraws_and_names_nobody(donor: Contact) -> None:
    from gifts import rules

    rule = make_rule("number", 1, 2)
    gift = record_gift(donor, 500, date(2026, 1, 1))
    look()
    rules.switch_off(rule)
    with listening() as heard:
        record_gift(donor, 5, date(2026, 1, 2))
        look()
        refund(gift)
        look()
        refund(Gift.objects.exclude(pk=gift.pk).get())
        look()
    assert (heard.reached, len(heard.withdrawn)) == ([], 1)


def test_M9_a_gift_of_a_day_to_come_waits_for_its_day(tenant: Tenant, donor: Contact, monkeypatch: Any) -> None:
    make_rule("number", 1)
    with listening() as heard:
        record_gift(donor, 10, today() + timedelta(days=3))
        look()
        assert heard.reached == []
        waits = Reassessment.objects.get()
        assert waits.due_at.astimezone(tenant.tz).time().isoformat() == "00:00:00"
        monkeypatch.setattr(assessing, "today", lambda: today() + timedelta(days=3))
        Reassessment.objects.update(due_at=timezone.now())
        look()
    assert heard.names == ["1 gift"]


@pytest.mark.parametrize("is_noted", [True, False])
def test_M7_a_gift_that_was_noted_ahead_and_whose_day_comes_once_the_rule_is_on_is_news(
    donor: Contact, monkeypatch: Any, is_noted: bool
) -> None:
    if is_noted:
        make_rule("number", 99, name="another")
    record_gift(donor, 10, today() + timedelta(days=3))
    make_rule("number", 1)
    look()
    monkeypatch.setattr(assessing, "today", lambda: today() + timedelta(days=3))
    Reassessment.objects.update(due_at=timezone.now())
    with listening() as heard:
        look()
        run = running.begin("verify")
        while running.turn(run.pk):
            pass
    assert heard.names == ["1 gift"]


def test_merging_two_donors_fires_for_nothing_that_either_had_and_moves_what_they_reached(donor: Contact) -> None:
    make_rule("number", 1, 3)
    other: Contact = ContactFactory()
    with listening() as heard:
        for contact in (donor, other, other):
            record_gift(contact, 10, date(2026, 1, 1))
        look()
        assert heard.names == ["1 gift", "1 gift"]
        merge(donor, other)
        look()
    assert heard.names == ["1 gift", "1 gift", "3 gifts"]
    assert noted(donor) == {(1, ""): (False, True), (3, ""): (False, True)}


def test_taking_a_merge_back_takes_back_what_only_both_together_had_reached(donor: Contact) -> None:
    make_rule("number", 1, 2)
    other: Contact = ContactFactory()
    with listening() as heard:
        for contact in (donor, other):
            record_gift(contact, 10, date(2026, 1, 1))
        look()
        done = merge(donor, other)
        look()
        back = unmerge.undo(done)
        look()
    assert heard.names == ["1 gift", "1 gift", "2 gifts"]
    assert [str(award) for award in heard.withdrawn] == ["2 gifts"]
    assert noted(donor) == {(1, ""): (False, True), (2, ""): (False, False)}
    assert noted(back) == {(1, ""): (False, True)}


def test_a_neighbour_is_not_looked_at(tenant: Tenant, neighbour: Tenant, donor: Contact) -> None:
    make_rule("number", 1)
    with in_tenant(neighbour):
        theirs = ContactFactory()
        record_gift(theirs, 10, date(2026, 1, 1))
        make_rule("number", 1, 2, name="theirs")
    record_gift(donor, 10, date(2026, 1, 1))
    look()
    assert MilestoneReached.objects.count() == 1
    with in_tenant(neighbour):
        assert [row.contact for row in MilestoneReached.objects.all()] == [theirs]


def test_400_donors_take_as_many_queries_as_4(monkeypatch: Any) -> None:
    monkeypatch.setattr(signals.milestones_reached, "send", lambda *args, **more: [])  # what others do then is theirs
    make_rule("number", 1, 2)
    make_rule("total", 15, name="more")

    def queries(count: int) -> int:
        people = Contact.objects.bulk_create([Contact(first_name=f"P{n}") for n in range(count)])
        record_gifts(Gift(contact=one, amount=10, received_on=date(2026, 1, 1 + n)) for one in people for n in range(2))
        with CaptureQueriesContext(connection) as caught:
            look()
        assert MilestoneReached.objects.filter(contact__in=people).count() == 3 * count
        # What is noted goes in by hundreds
        return sum(not one["sql"].startswith("INSERT") for one in caught.captured_queries)

    queries(2)
    assert queries(4) == queries(400)


def test_M8_random_days_of_edits_leave_exactly_what_the_gifts_say(donor: Contact) -> None:
    dice = random.Random(20260)
    rules = [
        make_rule("number", 2, 5), make_rule("total", 100, 400), make_rule("since_month", 150, month=4),
        make_rule("years", 2, 3),
    ]  # fmt: skip
    people: list[Contact] = [donor, ContactFactory(), ContactFactory()]
    with listening() as heard:
        for _ in range(70):
            here = list(Gift.objects.all())
            verb = dice.choice(["add", "add", "add", "refund", "edit", "reassign", "delete", "look"])
            if verb == "add" or not here:
                day = date(dice.randrange(2019, 2026), dice.randrange(1, 13), 1)
                record_gift(dice.choice(people), dice.randrange(10, 200), day, is_history=dice.random() < 0.2)
            elif verb == "refund":
                gift = dice.choice(here)
                refund(gift, dice.choice([0, gift.amount, gift.amount / 2]))
            elif verb == "edit":
                services.correct(dice.choice(here), received_on=date(dice.randrange(2019, 2026), 3, 1))
            elif verb == "reassign":
                services.reassign(dice.choice(here), dice.choice(people))
            elif verb == "delete":
                services.delete_gift(dice.choice(here))
            else:
                look()
        look()
    for rule in rules:
        for one in people:
            gifts = [gift for _, theirs in histories([one.pk]) for gift in theirs]
            expected = {a.key: list(a.behind) for a in reached(gifts, rule.meaning(), today()) if a.stands}
            rows = MilestoneReached.objects.filter(rule=rule, contact=one, no_longer_met_at=None)
            assert {row.key: row.gifts_behind for row in rows} == expected
    announced = [(row.rule_id, row.contact_id, row.threshold, row.period) for row in heard.reached]
    assert len(set(announced)) == len(announced) > 5
    assert Decimal(0) not in {row.threshold for row in heard.reached}
