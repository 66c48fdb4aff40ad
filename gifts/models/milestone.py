"""Milestones: the rules that an organization makes, and what each donor has reached, once (M5)."""

from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from contacts.models.contact import Contact
from contacts.models.recorded import Recorded
from contacts.tenancy.models import MONTHS, StaffMember, TenantOwned
from contacts.tenancy.walls import current_tenant
from gifts import milestone_words
from gifts.milestones import Award, Key, Kind, Rule
from gifts.models.gift import Gift
from gifts.models.source import Source

MOST_THRESHOLDS = 20


class MilestoneRule(Recorded):
    """What is to be reached, and what is to be done then. While it is on, its meaning stays; once it was on, only
    thresholds come and go, since what was reached under it would otherwise mean something else. Whenever it is switched
    on, whoever has reached a threshold by then is noted quietly (M7)."""

    class Kinds(models.TextChoices):
        NUMBER = Kind.NUMBER.value, "A number of gifts"
        TOTAL = Kind.TOTAL.value, "An amount given in all"
        SINCE_MONTH = Kind.SINCE_MONTH.value, "An amount given within a year"
        YEARS = Kind.YEARS.value, "Years in a row with a gift"

    class Action(models.TextChoices):
        TASK = "task", "A thank-you for somebody to do"
        NOTE = "note", "A note by email"

    name = models.CharField(max_length=100)
    kind = models.CharField("what is reached", max_length=12, choices=Kinds.choices, default=Kinds.NUMBER)
    thresholds = models.JSONField(default=list)  # texts of decimals, the lowest first
    month = models.PositiveSmallIntegerField("the year begins in", choices=MONTHS, null=True, blank=True)
    at_least = models.DecimalField(
        "only gifts of at least", max_digits=12, decimal_places=2, null=True, blank=True,
        help_text="Empty for gifts of any amount.",
    )  # fmt: skip
    campaign = models.CharField("only of the campaign", max_length=100, blank=True)
    fund = models.CharField("only for the fund", max_length=100, blank=True)
    source = models.CharField("only those that came by", max_length=20, choices=Source.choices, blank=True)
    action = models.CharField("what to do", max_length=4, choices=Action.choices, default=Action.TASK)
    instruction = models.CharField("in which words", max_length=300, blank=True)
    assignee = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name="for whom",
        help_text="Empty for the whole team: whoever comes first.",
    )  # fmt: skip
    is_on = models.BooleanField("switched on", default=False)
    on_since = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)  # of its meaning
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Recorded.Meta):
        ordering = ["-is_on", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="milestone_rule_name",
                violation_error_message="There is a rule of that name.",
            )  # fmt: skip
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """A rule is about everybody: no contact has changed."""

    @classmethod
    def tell_deleted(cls, uids: Any) -> None:
        """See `announce`."""

    def clean(self) -> None:
        """What a form may have left open."""
        if not self.thresholds:
            raise ValidationError({"thresholds": "Say at least one number."})

    @property
    def numbers(self) -> tuple[Decimal, ...]:
        """The thresholds, from low to high."""
        return tuple(sorted(Decimal(one) for one in self.thresholds))

    @property
    def first_month(self) -> int:
        """In which month the year of the rule begins: its own, or the organization's."""
        tenant = current_tenant() or self.tenant
        return self.month or tenant.fiscal_year_start

    def meaning(self) -> Rule:
        """The rule as the decision wants it."""
        return Rule(
            Kind(self.kind), self.numbers, self.first_month, self.at_least, self.campaign, self.fund, self.source
        )

    @property
    def sentence(self) -> str:
        """What it means, in plain words."""
        return milestone_words.rule_sentence(self)


class MilestoneReached(TenantOwned):
    """That a donor reached a threshold, once and for all. The gift and the gifts behind it follow what is known now;
    quiet ones were reached before anybody asked, and nobody is thanked for them."""

    rule = models.ForeignKey(MilestoneRule, on_delete=models.PROTECT, related_name="reached")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="milestones", verbose_name="donor")
    threshold = models.DecimalField(max_digits=12, decimal_places=2)
    period = models.CharField(max_length=7, blank=True, help_text="The year in which it counts, such as 2025-07.")
    # Without a constraint: whoever deletes a gift and whoever notes what it reached must not wait for each other.
    gift = models.ForeignKey(
        Gift, null=True, on_delete=models.SET_NULL, related_name="milestones", db_constraint=False
    )  # fmt: skip
    gifts_behind = models.JSONField(default=list)  # their numbers, the oldest first
    reached_on = models.DateField("reached", help_text="The day of the gift.")
    is_highest = models.BooleanField(default=True, help_text="Whether no higher one was reached by the same gift.")
    is_quiet = models.BooleanField(default=False, help_text="Reached before the rule was on, or by history.")
    no_longer_met_at = models.DateTimeField(null=True, blank=True)
    noted_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        verbose_name = "milestone reached"
        verbose_name_plural = "milestones reached"
        ordering = ["-noted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "contact", "threshold", "period"], name="milestone_reached_once")
        ]
        indexes = [
            models.Index(fields=["tenant", "is_quiet", "-noted_at"], name="milestone_by_noted"),
            models.Index(fields=["tenant", "rule", "-noted_at"], name="milestone_by_rule"),
            models.Index(fields=["tenant", "contact"], name="milestone_by_donor"),
        ]

    def __str__(self) -> str:
        return milestone_words.reached(self.rule, self.threshold, self.period)

    @property
    def key(self) -> Key:
        """What is reached once."""
        return Key(self.threshold, self.period)

    @property
    def stands(self) -> bool:
        """Whether it is met by what is known now."""
        return self.no_longer_met_at is None

    @property
    def was_announced(self) -> bool:
        """Whether somebody was asked to thank for it."""
        return self.is_highest and not self.is_quiet

    @property
    def reason(self) -> str:
        """Why somebody is thanked: “$1,000 given in all, with a gift of $100.00 on May 1, 2026”."""
        return milestone_words.reason(self)

    def follow(self, award: Award) -> bool:
        """Take over by which gifts it is reached, as they are known now. Returns whether that differs."""
        now: dict[str, Any] = {
            "gift_id": award.gift.pk, "gifts_behind": list(award.behind), "reached_on": award.gift.on,
        }  # fmt: skip
        differs = any(getattr(self, name) != value for name, value in now.items())
        for name, value in now.items():
            setattr(self, name, value)
        return differs


class Reassessment(TenantOwned):
    """Somebody's gifts have changed, so their milestones are to be looked at: written in the transaction of the change,
    and taken away in the one that has looked. A gift of a day to come waits for its day."""

    comes_and_goes = True  # nobody misses it when a merge is undone

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    gift_pk = models.BigIntegerField(null=True)  # the gift that changed, if it is there
    is_live = models.BooleanField(default=False, help_text="Whether it is news, not history.")
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(fields=["tenant", "due_at"], name="reassessment_due"),
            models.Index(fields=["tenant", "contact"], name="reassessment_by_donor"),
        ]

    def __str__(self) -> str:
        return f"due {self.due_at:%Y-%m-%d}"


class RuleRun(TenantOwned):
    """Going through all donors in turns. For one rule: to say who would match, or to note quietly what was reached
    before the rule was on; at night for all rules, to mend what is amiss; and to place everybody in donor clubs anew,
    where `noted` is how many of them moved. `cursor` is the last contact that is done."""

    class What(models.TextChoices):
        SIMULATE = "simulate", "Who would match"
        SETTLE = "settle", "Noting what was reached before"
        VERIFY = "verify", "Comparing all milestones with the gifts"
        CLUBS = "clubs", "Placing donors in clubs"

    class State(models.TextChoices):
        WORKING = "working", "At work"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped"

    rule = models.ForeignKey(MilestoneRule, null=True, on_delete=models.CASCADE, related_name="runs")
    version = models.PositiveIntegerField(default=1)  # of the rule's meaning
    what = models.CharField(max_length=8, choices=What.choices)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WORKING)
    cursor = models.BigIntegerField(default=0)
    after = models.DateField(null=True)  # the time that is replayed: the day before it, and its last
    until = models.DateField(null=True)
    donors = models.PositiveIntegerField(default=0)  # to go through, and done
    donors_done = models.PositiveIntegerField(default=0)
    gifts_seen = models.PositiveIntegerField(default=0)
    noted = models.PositiveIntegerField(default=0)  # quiet ones, of a simulation: that would be noted
    overlaps = models.JSONField(default=dict)  # {other rule: how many matches it has in common}
    error = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    token = models.CharField(max_length=36, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)  # turns that began and ended with nothing, in a row

    class Meta(TenantOwned.Meta):
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "beat_at"], name="rule_run_at_work")]

    def __str__(self) -> str:
        return f"{self.get_what_display()}: {self.rule}"


class WouldMatch(TenantOwned):
    """Whom a simulation found: a gift that would have been named, with what it would have reached."""

    is_derived: ClassVar[bool] = True  # when contacts are merged, a simulation is out of date anyway

    run = models.ForeignKey(RuleRun, on_delete=models.CASCADE, related_name="matches")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    threshold = models.DecimalField(max_digits=12, decimal_places=2)
    period = models.CharField(max_length=7, blank=True)
    on = models.DateField()
    also = models.BooleanField(default=False)  # whether another rule that is on names the same donor on that day

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["run", "on", "id"], name="would_match_by_day")]

    def __str__(self) -> str:
        return milestone_words.reached(self.run.rule, self.threshold, self.period)
