"""Going through all donors in turns: who would match a rule, what was reached before it was on, the nightly look, and
who is in which donor club.

What is done stands in the row of the run, written in the transaction of the work itself; so a turn may be killed at
any moment, and the next one goes on behind the last donor that is done. A small organization is gone through while the
person waits.
"""

import uuid
from collections import Counter
from datetime import date, timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import due, follow
from gifts.assessing import look_at
from gifts.fiscal import year_before
from gifts.histories import histories, next_donors
from gifts.milestones import named_after, reached, reached_between
from gifts.models import Donor, Giving, MilestoneReached, MilestoneRule, RuleRun, WouldMatch
from gifts.services import today

BATCH = 500
TURN_SECONDS = 15.0
AT_ONCE_SECONDS = 1.5  # for which a person waits
LOST_AFTER = timedelta(seconds=60)
MOST_FAILURES = 5
KEPT = timedelta(days=7)
STUCK = (
    "Something went wrong on our side, several times in a row. Ask again, and tell whoever runs Almoner if it stays."
)
CHANGED = "The rule was changed meanwhile, so this says nothing of it any more. Ask again."
What, State = RuleRun.What, RuleRun.State


class TurnLost(RuntimeError):
    """Somebody else works on it now; whoever had it before must stop."""


def begin(what: str, rule: MilestoneRule | None = None) -> RuleRun:
    """A new run in the place of earlier ones of its kind; it is rung for once this is committed."""
    from gifts import jobs

    RuleRun.objects.filter(rule=rule, what=what).delete()
    until = today()
    everybody = (Donor if what == What.CLUBS else Giving).objects.count()
    run: RuleRun = RuleRun.objects.create(
        rule=rule, what=what, version=rule.version if rule else 1, donors=everybody, after=year_before(until),
        until=until,
    )  # fmt: skip
    jobs.soon("carry_on_run", run.pk)
    return run


def verify() -> None:
    """Compare all milestones with the gifts, unless that is under way; asked for every night."""
    if MilestoneRule.objects.exists() and not RuleRun.objects.filter(what=What.VERIFY, state=State.WORKING).exists():
        begin(What.VERIFY)
    RuleRun.objects.filter(what=What.SIMULATE, started_at__lt=timezone.now() - KEPT).delete()


def waiting() -> list[int]:
    """Runs of every organization that nobody seems to work on; asked by the sweep."""
    silent = Q(beat_at=None) | Q(token="") | Q(beat_at__lt=Now() - LOST_AFTER)  # noqa: S106 - no password
    rows = RuleRun.objects.with_scopes_disabled().filter(silent, state=State.WORKING)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def turn(pk: int, seconds: float = TURN_SECONDS) -> bool:
    """Work on it for some seconds. Returns whether there is more to do."""
    tenants = RuleRun.objects.with_scopes_disabled().filter(pk=pk).values_list("tenant", flat=True)
    tenant = Tenant.objects.filter(pk__in=tenants).first()
    if tenant is None:
        return False
    with in_tenant(tenant):
        if not (token := take(pk)):
            return False
        run = RuleRun.objects.select_related("rule").get(pk=pk)
        if run.failures > MOST_FAILURES:
            end(run, token, STUCK)
            return False
        until = monotonic() + seconds
        try:
            while batch(run, token):
                if monotonic() >= until:
                    mine(run, token).update(token="", beat_at=Now())
                    return True
        except TurnLost:
            return False
    return False


def take(pk: int) -> str:
    """The right to work on it, or "" while somebody else has it."""
    token = str(uuid.uuid4())
    free = Q(token="") | Q(beat_at=None) | Q(beat_at__lt=Now() - LOST_AFTER)  # noqa: S106 - no password
    rows = RuleRun.objects.filter(free, pk=pk, state=State.WORKING)
    return token if rows.update(token=token, beat_at=Now(), failures=F("failures") + 1) else ""


def mine(run: RuleRun, token: str) -> Any:
    """The row, while it is still ours to work on."""
    return RuleRun.objects.filter(pk=run.pk, token=token, state=State.WORKING)


def end(run: RuleRun, token: str, why: str = "") -> None:
    """It is over: done, or stopped with a sentence."""
    state = State.FAILED if why else State.DONE
    mine(run, token).update(state=state, error=why, finished_at=Now(), token="")


@transaction.atomic
def batch(run: RuleRun, token: str) -> bool:
    """The next donors, lost as a whole or kept as a whole, with the progress it makes. Returns whether to go on."""
    if not mine(run, token).update(beat_at=Now(), failures=0):
        raise TurnLost
    if (
        run.what == What.SIMULATE
        and run.rule
        and not MilestoneRule.objects.filter(pk=run.rule_id, version=run.version).exists()
    ):
        end(run, token, CHANGED)
        return False
    pks = follow.next_donors(run.cursor, BATCH) if run.what == What.CLUBS else next_donors(run.cursor, BATCH)
    if not pks:
        end(run, token)
        return False
    if run.what == What.CLUBS:
        run.noted += follow.place_anew(pks)
    elif run.what == What.SIMULATE:
        simulate(run, pks)
    else:
        look(run, pks)
    run.cursor = pks[-1]
    run.donors_done += len(pks)
    kept = {name: getattr(run, name) for name in ("cursor", "donors_done", "gifts_seen", "noted", "overlaps")}
    if not mine(run, token).update(**kept):
        raise TurnLost
    return True


def look(run: RuleRun, pks: list[int]) -> None:
    """Note what these have reached: under this rule for the first time, or under all of them once more."""
    rules = [run.rule_id] if run.rule_id else MilestoneRule.objects.filter(is_on=True).values_list("pk", flat=True)
    done = look_at(pks, beginning=set(rules))
    due.note_everybody(sorted(set(pks) - done))  # they are being edited in this moment
    if run.rule_id:
        here = MilestoneReached.objects.filter(rule=run.rule_id, contact__in=pks)
        run.noted += here.order_by().values("contact").distinct().count()


def simulate(run: RuleRun, pks: list[int]) -> None:
    """Replay the time of the run for these donors, with this rule and beside it those that are on."""
    rule, after, until = run.rule, run.after, run.until
    if rule is None or after is None or until is None:
        return
    meaning = rule.meaning()
    others = {one.pk: one.meaning() for one in MilestoneRule.objects.filter(is_on=True).exclude(pk=rule.pk)}
    overlaps = Counter(run.overlaps)
    matches = []
    for contact, given in histories(pks):
        run.gifts_seen += len(given)
        awards = reached(given, meaning, until)
        run.noted += any(one.stands for one in awards)
        groups = named_after(awards, after)
        also = overlapping(given, others, {group.highest.gift.on for group in groups}, after, until)
        for group in groups:
            award = group.highest
            here = [pk for pk, days in also.items() if award.gift.on in days]
            overlaps.update(map(str, here))
            matches.append(
                WouldMatch(
                    run=run, contact_id=contact, threshold=award.key.threshold, period=award.key.period,
                    on=award.gift.on, also=bool(here),
                )
            )  # fmt: skip
    WouldMatch.objects.bulk_create(matches, batch_size=BATCH)
    run.overlaps = dict(overlaps)


def overlapping(given: list[Any], others: dict[int, Any], days: set[date], after: date, until: date) -> dict[int, Any]:
    """{other rule: the days on which it names this donor as well}; asked only of those who match at all."""
    if not days:
        return {}
    return {
        pk: {group.highest.gift.on for group in reached_between(given, meaning, after, until)} & days
        for pk, meaning in others.items()
    }
