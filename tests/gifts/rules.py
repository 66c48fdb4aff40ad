"""Rules for tests, and what was announced."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.dispatch import Signal

from gifts import assessing, running, signals
from gifts.models import MilestoneReached, MilestoneRule, RuleRun


def make_rule(kind: str, *thresholds: Any, is_on: bool = True, **values: Any) -> MilestoneRule:
    """A rule; what was reached before is noted quietly, as its page does."""
    name = values.pop("name", f"{kind} {thresholds}")
    rule: MilestoneRule = MilestoneRule.objects.create(
        name=name, kind=kind, thresholds=[str(one) for one in thresholds], **values
    )
    return switched_on(rule) if is_on else rule


def switched_on(rule: MilestoneRule) -> MilestoneRule:
    """By way of looking first."""
    from gifts import rules

    rules.who_would_match(rule)
    run = rules.switch_on(rule)
    while running.turn(run.pk):
        pass
    rule.refresh_from_db()
    return rule


def look() -> None:
    """What the job does."""
    from contacts.tenancy.walls import current_tenant

    tenant = current_tenant()
    assert tenant is not None
    while assessing.turn(tenant.pk):
        pass


class Heard:
    """What was announced, in the order of its coming."""

    def __init__(self) -> None:
        self.reached: list[MilestoneReached] = []
        self.withdrawn: list[MilestoneReached] = []
        self.instead: dict[int, MilestoneReached] = {}
        self.gifts: list[int] = []

    def on_reached(self, sender: Any, awards: Any, **more: Any) -> None:
        self.reached += awards

    def on_withdrawn(self, sender: Any, awards: Any, instead: Any, **more: Any) -> None:
        self.withdrawn += awards
        self.instead |= instead

    def on_gifts(self, sender: Any, gift_pks: Any, **more: Any) -> None:
        self.gifts += gift_pks

    @property
    def names(self) -> list[str]:
        return [str(award) for award in self.reached]


@contextmanager
def listening() -> Iterator[Heard]:
    """Everything that is announced inside."""
    heard = Heard()
    pairs: list[tuple[Signal, Any]] = [
        (signals.milestones_reached, heard.on_reached), (signals.milestones_withdrawn, heard.on_withdrawn),
        (signals.gifts_to_thank, heard.on_gifts),
    ]  # fmt: skip
    for signal, receiver in pairs:
        signal.connect(receiver)
    try:
        yield heard
    finally:
        for signal, receiver in pairs:
            signal.disconnect(receiver)


def simulate(rule: MilestoneRule) -> RuleRun:
    """To its end."""
    from gifts import rules

    run = rules.who_would_match(rule)
    while running.turn(run.pk):
        pass
    run.refresh_from_db()
    return run
