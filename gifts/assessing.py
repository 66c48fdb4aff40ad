"""Look at donors whose gifts have changed: note what they have reached, once, and what is no longer met.

A batch is one transaction: what is noted, what is announced, and the taking away of the notes in `gifts/due.py` come
true together or not at all. So a worker may be killed anywhere, and two may work at once: each donor is locked while
they are looked at, whoever is locked is left to the other, and the database lets each milestone in once (M5).
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, islice
from operator import attrgetter
from time import monotonic
from typing import Any

from django.db import transaction
from django.utils import timezone

from contacts.models import Contact, HistoryEntry
from contacts.models.recorded import chunks
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import current_tenant, in_tenant
from gifts import signals
from gifts.histories import Known, known_histories
from gifts.milestones import Award, Key, grouped, reached
from gifts.models import Gift, MilestoneReached, MilestoneRule, Reassessment
from gifts.services import today

log = logging.getLogger(__name__)

BATCH = 500
TURN_SECONDS = 15.0
LONGEST_WAIT = timedelta(days=1)
Reached = dict[tuple[int, int], dict[Key, MilestoneReached]]  # {(rule, contact): {what is reached once: its row}}


def turn(tenant_pk: int, seconds: float = TURN_SECONDS) -> bool:
    """Look for some seconds. Returns whether there is more to do."""
    tenant = Tenant.objects.filter(pk=tenant_pk).first()
    if tenant is None:
        return False
    with in_tenant(tenant):
        until = monotonic() + seconds
        while pks := waiting():
            if not look_at_each(pks):
                return False  # somebody else is at all of them
            if monotonic() >= until:
                return True
    return False


def waiting() -> list[int]:
    """The next donors who are due and whom nobody is looking at."""
    rows = Reassessment.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "pk")
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True)[: 2 * BATCH]
        return list(dict.fromkeys(free.values_list("contact_id", flat=True)))[:BATCH]


def look_at_each(pks: list[int]) -> set[int]:
    """Look at these; one with whom something is amiss holds up nobody else. Returns who was done or put off."""
    try:
        return look_at(pks)
    except Exception:  # noqa: BLE001  a bug of ours about one donor must not stop the others; attempts bound it
        log.exception("milestones of %s donors could not be looked at together", len(pks))
    done: set[int] = set()
    for pk in pks:
        try:
            done |= look_at([pk])
        except Exception:  # noqa: BLE001  see above
            log.exception("milestones of contact %s could not be looked at", pk)
            put_off(pk)
            done.add(pk)
    return done


def put_off(pk: int) -> None:
    """Try again later: after a minute, two, four … and at last once a day."""
    rows = Reassessment.objects.filter(contact=pk, due_at__lte=timezone.now())
    most = max(rows.values_list("attempts", flat=True), default=0)
    wait = min(timedelta(minutes=2 ** min(most, 20)), LONGEST_WAIT)
    rows.update(attempts=most + 1, due_at=timezone.now() + wait)


@dataclass
class Found:
    """What a batch comes to."""

    new: list[MilestoneReached] = field(default_factory=list)
    changed: dict[int, MilestoneReached] = field(default_factory=dict)
    withdrawn: list[MilestoneReached] = field(default_factory=list)

    @property
    def announced(self) -> list[MilestoneReached]:
        """What somebody is asked to thank for."""
        return [row for row in self.new if row.was_announced]


@transaction.atomic
def look_at(pks: Collection[int], beginning: Collection[int] = ()) -> set[int]:
    """Bring the milestones of these contacts in line with their gifts. Returns which of them were looked at: not those
    at whom somebody else is looking. `beginning` are rules under which they may not have been looked at yet: there
    every gift since the rule is on counts as news, except for those of whom a note says what is news. A fixed number
    of queries, for one or for 500."""
    rows = Contact.objects.filter(pk__in=pks).order_by("pk")
    contacts = {one.pk: one for one in rows.select_for_update(no_key=True, skip_locked=True)}
    if not contacts:
        return set()
    waiting_for = Reassessment.objects.filter(contact__in=contacts).order_by()
    done = list(waiting_for.filter(due_at__lte=timezone.now()).values_list("pk", flat=True))
    known = reached_by(contacts)
    rules = [
        rule for rule in MilestoneRule.objects.select_related("assignee__user")
        if rule.is_on or any(rule.pk == of for of, _ in known)
    ]  # fmt: skip
    if rules:
        histories = known_histories(contacts)
        first = list(islice(histories, 1))
        # What is news is asked once the gifts are read, and of all notes: of a gift that is committed in this moment,
        # or that was put off, there is one. Asked before, it would seem to have been there all along.
        notes = list(waiting_for.values_list("contact_id", "gift_pk", "is_live", "due_at"))
        changed = {contact for contact, _, _, due_at in notes if due_at <= timezone.now()}
        news = {gift for _, gift, is_live, _ in notes if is_live and gift}
        work = _Work(rules, known, news, set(beginning), changed)
        for contact, gifts in chain(first, histories):
            work.judge(contacts[contact], gifts)
        for contact in contacts.keys() - work.judged:
            work.judge(contacts[contact], [])
        keep(work.found)
        announce(work.found, contacts, known)
    for part in chunks(done, 5_000):
        Reassessment.objects.filter(pk__in=part).delete()
    return set(contacts)


def reached_by(contacts: Collection[int]) -> Reached:
    """What they have reached until now."""
    found: Reached = {}
    for row in MilestoneReached.objects.filter(contact__in=contacts).order_by():
        found.setdefault((row.rule_id, row.contact_id), {})[row.key] = row
    return found


class _Work:
    """A batch at work: donor by donor, rule by rule."""

    def __init__(
        self, rules: list[MilestoneRule], known: Reached, news: set[int], beginning: set[int], changed: set[int]
    ) -> None:
        self.rules, self.known, self.news, self.beginning, self.changed = rules, known, news, beginning, changed
        self.found = Found()
        self.judged: set[int] = set()
        tenant = current_tenant()
        self.now, self.today, self.tz = timezone.now(), today(), tenant.tz if tenant else None

    def judge(self, contact: Contact, gifts: list[Known]) -> None:
        """Everything about one donor."""
        self.judged.add(contact.pk)
        given = [gift.given for gift in gifts]
        for rule in self.rules:
            here = self.known.get((rule.pk, contact.pk), {})
            now = {one.key: one for one in reached(given, self.meaning(rule, here), self.today) if one.stands}
            self.follow(here, now)
            wanted = set(rule.numbers) if rule.is_on else set()
            if new := [one for key, one in now.items() if key not in here and key.threshold in wanted]:
                self.note(rule, contact, gifts, new)

    def meaning(self, rule: MilestoneRule, here: dict[Key, MilestoneReached]) -> Any:
        """The rule, also with thresholds that it had once and that this donor reached."""
        meaning = rule.meaning()
        former = {key.threshold for key in here} - set(meaning.thresholds)
        return meaning.also(former) if former else meaning

    def follow(self, here: dict[Key, MilestoneReached], now: dict[Key, Award]) -> None:
        """What was reached: by which gifts, as they are known now, and whether it is still met (M8)."""
        for key, row in here.items():
            if (award := now.get(key)) is None:
                if row.stands:
                    row.no_longer_met_at = self.now
                    self.found.changed[row.pk] = row
                    if row.was_announced:
                        self.found.withdrawn.append(row)
            elif row.follow(award) | (not row.stands):  # met again: the mark goes, and nobody is thanked twice
                row.no_longer_met_at = None
                self.found.changed[row.pk] = row

    def note(self, rule: MilestoneRule, contact: Contact, gifts: list[Known], new: list[Award]) -> None:
        """What is new. Quiet is what was reached without the news: history, and what was there before the rule (M7)."""
        before = [gift.given for gift in gifts if not self.is_news(rule, contact, gift)]
        quiet = {award.key for award in new}
        if len(before) < len(gifts):
            quiet &= {one.key for one in reached(before, rule.meaning(), self.today) if one.stands}
        for is_quiet in (True, False):
            for group in grouped(one for one in new if (one.key in quiet) == is_quiet):
                for award in (group.highest, *group.passed):
                    row = MilestoneReached(
                        rule=rule, contact=contact, threshold=award.key.threshold, period=award.key.period,
                        is_highest=award is group.highest, is_quiet=is_quiet, noted_at=self.now,
                    )  # fmt: skip
                    row.follow(award)
                    self.found.new.append(row)

    def is_news(self, rule: MilestoneRule, contact: Contact, gift: Known) -> bool:
        """Whether somebody may be thanked because of this gift: not for what was there when the rule was switched on,
        unless it was noted ahead and its day came later."""
        if gift.is_history or rule.on_since is None:
            return False
        if gift.created_at < rule.on_since and gift.given.on <= timezone.localdate(rule.on_since, self.tz):
            return False
        if rule.pk in self.beginning and contact.pk not in self.changed:
            return True
        return gift.given.pk in self.news


def keep(found: Found) -> None:
    """Into the database; whatever is there already raises, and the batch is done anew."""
    MilestoneReached.objects.bulk_create(found.new, batch_size=BATCH)
    if found.changed:
        fields = ["gift", "gifts_behind", "reached_on", "no_longer_met_at"]
        MilestoneReached.objects.bulk_update(list(found.changed.values()), fields, batch_size=BATCH)


def announce(found: Found, contacts: dict[int, Contact], known: Reached) -> None:
    """Into the histories of the donors, and to whoever listens."""
    new, withdrawn, tenant = found.announced, found.withdrawn, current_tenant()
    if tenant is None or not (new or withdrawn):
        return
    gifts = Gift.objects.in_bulk({row.gift_id for row in (*new, *withdrawn) if row.gift_id})
    rules = {rule.pk: rule for rule in MilestoneRule.objects.select_related("assignee__user")}
    for row in (*new, *withdrawn):
        row.rule, row.contact, row.gift = rules[row.rule_id], contacts[row.contact_id], gifts.get(row.gift_id)
    told = [("milestone", new), ("milestone no longer met", withdrawn)]
    HistoryEntry.objects.bulk_create(
        [
            HistoryEntry.by_actor(
                verb=HistoryEntry.Verb.ADDED, what=what, label=row.reason[:250], contact_uid=row.contact.uid
            )
            for what, rows in told for row in rows
        ],
        batch_size=BATCH,
    )  # fmt: skip
    if new:
        signals.milestones_reached.send(MilestoneReached, tenant_id=tenant.pk, awards=new)
    if withdrawn:
        instead = {row.pk: lower for row in withdrawn if (lower := next_lower(row, known))}
        for lower in instead.values():
            lower.is_highest = True
            lower.rule, lower.contact = rules[lower.rule_id], contacts[lower.contact_id]
        MilestoneReached.objects.filter(pk__in=[one.pk for one in instead.values()]).update(is_highest=True)
        signals.milestones_withdrawn.send(
            MilestoneReached, tenant_id=tenant.pk, awards=withdrawn, instead=instead
        )  # fmt: skip


def next_lower(row: MilestoneReached, known: Reached) -> MilestoneReached | None:
    """What the same gift had passed on the way, and which is still met."""
    passed = [
        one for one in known.get((row.rule_id, row.contact_id), {}).values()
        if one.stands and not one.is_highest and not one.is_quiet and one.period == row.period
        and one.noted_at == row.noted_at and one.threshold < row.threshold
    ]  # fmt: skip
    return max(passed, key=attrgetter("threshold"), default=None)
