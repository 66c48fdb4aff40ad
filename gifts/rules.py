"""Verbs of milestone rules: look who would match, switch on, switch off. Pages call these."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from gifts import running
from gifts.milestones import Kind
from gifts.models import MilestoneRule, RuleRun, WouldMatch
from gifts.running import AT_ONCE_SECONDS, State, What


class RuleRefused(Exception):
    """It cannot be done, with a sentence that says why; nothing was changed."""


def who_would_match(rule: MilestoneRule) -> RuleRun:
    """Replay the last twelve months; done at once in a small organization, otherwise in the background."""
    with transaction.atomic():
        run = running.begin(What.SIMULATE, rule)
    running.turn(run.pk, AT_ONCE_SECONDS)
    run.refresh_from_db()
    return run


def simulation_of(rule: MilestoneRule) -> RuleRun | None:
    """The last one that is about the rule as it is now."""
    found: RuleRun | None = RuleRun.objects.filter(rule=rule, what=What.SIMULATE, version=rule.version).first()
    return found


def switch_on(rule: MilestoneRule) -> RuleRun:
    """From now on. Whoever has reached a threshold is noted quietly (M7). It must have been looked at before who would
    match: raises `RuleRefused`."""
    with transaction.atomic():
        row = locked(rule)
        looked = simulation_of(row)
        if row.is_on:
            raise RuleRefused("This rule is on already.")
        if looked is None or looked.state != State.DONE:
            raise RuleRefused("Look first at who would match, so that nobody is surprised.")
        row.is_on, row.on_since = True, timezone.now()
        if row.kind == Kind.SINCE_MONTH:
            row.month = row.first_month  # it stays, should the organization's year change
        row.save()
        run = running.begin(What.SETTLE, row)
    running.turn(run.pk, AT_ONCE_SECONDS)
    run.refresh_from_db()
    return run


@transaction.atomic
def switch_off(rule: MilestoneRule) -> None:
    """Nobody is named by it from now on. What was reached stays on record."""
    row = locked(rule)
    if not row.is_on:
        raise RuleRefused("This rule is off already.")
    row.is_on = False
    row.save()
    RuleRun.objects.filter(rule=row, what=What.SETTLE, state=State.WORKING).update(
        state=State.FAILED, error="The rule was switched off meanwhile.", finished_at=timezone.now(), token=""
    )


def locked(rule: MilestoneRule) -> MilestoneRule:
    """The rule as it is now, locked until the transaction ends."""
    found: MilestoneRule | None = MilestoneRule.objects.select_for_update(no_key=True).filter(pk=rule.pk).first()
    if found is None:
        raise RuleRefused("This rule is not here any more: somebody deleted it a moment ago.")
    return found


def delete_rule(rule: MilestoneRule) -> None:
    """Only one that has never named anybody: what was reached under a rule stays on record with it."""
    if rule.is_on or rule.reached.exists():
        raise RuleRefused(
            "What donors reached under this rule stays on record with it. Switch it off, and it names nobody any more."
        )
    rule.delete()


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a simulation comes to."""

    matches: int
    donors: int
    most_in_a_week: int
    busiest: date | None  # the Monday of that week
    first: date | None


def outlook(run: RuleRun) -> Outlook:
    """Two queries, of which the first gives a row for each day."""
    rows = WouldMatch.objects.filter(run=run).order_by()
    days = dict(rows.values_list("on").annotate(n=Count("pk")))
    weeks: Counter[date] = Counter()
    for day, number in days.items():
        weeks[day - timedelta(days=day.weekday())] += number
    busiest = max(sorted(weeks), key=lambda week: weeks[week], default=None)
    return Outlook(
        sum(days.values()), rows.values("contact").distinct().count(), weeks[busiest] if busiest else 0, busiest,
        min(days, default=None),
    )  # fmt: skip
