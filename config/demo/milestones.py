"""Two milestone rules of River Trust: one has been on for some months and has named a few donors, one is to try."""

from datetime import timedelta

from django.utils import timezone

from contacts.tenancy.models import StaffMember
from gifts import running
from gifts.models import MilestoneRule
from gifts.running import What

ON_FOR = timedelta(days=240)


def make() -> None:
    """In the active organization, whose gifts are there."""
    stella = StaffMember.objects.filter(user__email="stella@rivertrust.test").first()
    regular = MilestoneRule.objects.create(
        name="Regular givers", kind="number", thresholds=["10", "25", "50"], assignee=stella, is_on=True,
        instruction="Send {donor} a thank-you video for {milestone}.", on_since=timezone.now() - ON_FOR,
    )  # fmt: skip
    generous = MilestoneRule.objects.create(
        name="A generous year", kind="since_month", thresholds=["500.00", "1000.00"], month=7,
    )  # fmt: skip
    to_the_end(What.SETTLE, regular)
    to_the_end(What.SIMULATE, generous)


def to_the_end(what: str, rule: MilestoneRule) -> None:
    """At once, as nobody waits."""
    run = running.begin(what, rule)
    while running.turn(run.pk):
        pass
