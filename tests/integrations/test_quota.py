"""The quota broker (L29): a vendor's limits for all organizations together, urgent work first, then fair shares.

Time is made here: the broker's clock and the gate's waiting are replaced, the counting in the database is real.
"""

import os
import random
import subprocess
import sys
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations.models import Quota, QuotaShare
from integrations.provider_kit import gate as gates
from integrations.provider_kit.base import Limits
from integrations.provider_kit.errors import CallFailed, Retry
from integrations.provider_kit.fairness import Day, Use, share, what_stops
from integrations.provider_kit.gate import Gate, Why
from integrations.sync import broker

MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = "vendor:test"


class World:
    """Made time, and the calls that were let through: (moment, tenant)."""

    def __init__(self, start: datetime = MORNING) -> None:
        self.now = start
        self.calls: list[tuple[datetime, int]] = []

    def monotonic(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=max(0.0, seconds))

    def call(self, tenant: int, is_urgent: bool = False, per_second: float = 4, per_day: int = 10_000) -> Retry | None:
        """One call; the outcome if it was not let through."""
        try:
            Gate("Vendor", Limits(per_second, per_day, KEY), tenant).pass_through(is_urgent)
        except CallFailed as failure:
            assert isinstance(failure.outcome, Retry)
            return failure.outcome
        self.calls.append((self.now, tenant))
        return None

    def spend(self, tenant: int, calls: int, is_urgent: bool = False, per_day: int = 10_000) -> Retry | None:
        """So many calls, as far as they are let through; what the last one met. They take no time."""
        for _ in range(calls):
            if refused := self.call(tenant, is_urgent, 10_000, per_day):
                return refused
        return None

    def counted(self) -> Counter[int]:
        return Counter(tenant for _, tenant in self.calls)


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(gates, "time", made)
    monkeypatch.setattr(broker, "read_clock", lambda quota: broker.Clock(made.now, made.monotonic()))
    return made


def most_within(moments: list[float], stretch: float) -> int:
    """The largest number of moments in any stretch of this length, its end left out."""
    ordered = sorted(moments)
    return max((bisect_left(ordered, at + stretch) - n for n, at in enumerate(ordered)), default=0)


def used_today() -> int:
    return Quota.objects.get(key=KEY).used


# --- the second ---


def test_control_too_many_in_a_second_are_seen() -> None:
    assert most_within([0, 0.2, 0.4, 0.6, 0.9], 1.0) == 5
    assert most_within([0, 0.2, 0.4, 0.6, 1.0], 1.0) == 4


def test_L29_no_second_holds_more_calls_than_the_vendor_allows(world) -> None:
    at_random = random.Random(29)
    for _ in range(120):
        world.call(at_random.randrange(5), is_urgent=at_random.random() < 0.3)
        world.sleep(at_random.choice([0, 0, 0.05, 0.4]))
    moments = [at.timestamp() for at, _ in world.calls]
    assert most_within(moments, 1.0) <= 4
    assert len(moments) > 3 * (moments[-1] - moments[0]), "and yet nearly as many as are allowed"


def test_L29_a_call_that_was_held_up_takes_another_place_instead_of_meeting_those_behind_it(world, monkeypatch) -> None:
    for _ in range(4):
        world.call(1)
    held_up = [0.5]
    monkeypatch.setattr(world, "sleep", lambda seconds: World.sleep(world, seconds + (held_up or [0.0]).pop()))
    world.call(1)
    assert used_today() == 5, "it counts once"
    assert (world.calls[4][0] - world.calls[0][0]).total_seconds() >= 1


def test_L29_a_place_in_the_second_that_is_not_soon_is_not_waited_for(world) -> None:
    Gate("Vendor", Limits(4, 100, KEY), 1).throttled(60)
    refused = world.call(2)
    assert refused and refused.is_limit and refused.bulk_only and refused.after and 58 <= refused.after <= 60
    urgent = world.call(2, is_urgent=True)
    assert urgent and urgent.is_limit and not urgent.bulk_only
    assert QuotaShare.objects.get(tenant_number=2).used == 0
    world.sleep(61)
    assert world.call(2) is None


CALLERS = """
import sys, threading, time, django
django.setup()
from django.db import connection
from integrations.provider_kit.base import Limits
from integrations.provider_kit.gate import Gate

def work(tenant):
    for _ in range(15):
        Gate("Vendor", Limits(40, 10_000, "vendor:test"), tenant).pass_through(True)
        sys.stdout.write(f"{time.monotonic()}\\n")  # in one piece: the other thread writes as well
        sys.stdout.flush()
    connection.close()

print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_L29_several_processes_and_threads_keep_to_the_limit_together(database_url: str, base_dir: Path) -> None:
    around = os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "config.settings", "MODE": "test"}
    callers = [
        subprocess.Popen(
            [sys.executable, "-c", CALLERS], cwd=base_dir, env=around, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) for _ in range(2)
    ]  # fmt: skip
    for caller in callers:
        assert caller.stdout and caller.stdout.readline() == "ready\n"
    for caller in callers:
        assert caller.stdin
        caller.stdin.write("go\n")
        caller.stdin.flush()
    moments = [float(at) for caller in callers for at in caller.communicate(timeout=60)[0].split()]
    assert len(moments) == used_today() == 60
    assert most_within(moments, 1.0) <= 40


# --- the day ---


def test_L29_the_calls_of_a_day_are_never_exceeded_and_the_next_day_has_its_own(world) -> None:
    world.spend(1, 60, per_day=50)
    refused = world.spend(2, 60, is_urgent=True, per_day=50)
    assert refused and refused.is_limit and not refused.bulk_only
    refused = world.spend(3, 60, is_urgent=True, per_day=50)
    assert used_today() <= 50
    assert refused and refused.after == pytest.approx(15 * 3600 + broker.MARGIN.total_seconds())
    world.sleep(refused.after)
    assert world.call(1, per_day=50) is None
    assert (used_today(), Quota.objects.get().carried) == (1, 0)


@pytest.mark.parametrize("theirs", [-25, 0, 25])
def test_L29_a_vendor_whose_clock_differs_from_ours_never_counts_more_than_it_allows(world, theirs) -> None:
    world.now = MORNING.replace(hour=23, minute=58)
    while world.now < MORNING + timedelta(hours=15, minutes=5):
        world.call(1, is_urgent=True, per_day=60)
        world.sleep(2)
    counted = Counter((at + timedelta(seconds=theirs)).date() for at, _ in world.calls)
    assert max(counted.values()) <= 60
    assert len(counted) == 2


def test_L29_what_is_kept_for_opt_outs_and_single_edits_is_not_had_by_bulk_work(world, settings) -> None:
    settings.QUOTA_RESERVE_PERCENT = 20
    refused = world.spend(1, 100, per_day=50)
    assert refused and refused.bulk_only and "large changes are used up" in refused.sentence
    assert used_today() == 40
    assert world.call(1, is_urgent=True, per_day=50) is None
    assert world.call(2, is_urgent=True, per_day=50) is None


def test_L29_of_what_is_kept_nobody_takes_so_much_that_nothing_is_left_for_others(world) -> None:
    world.spend(1, 100, per_day=100)
    refused = world.spend(2, 100, is_urgent=True, per_day=100)
    assert refused and "your part" not in refused.sentence and "its part" in refused.sentence
    assert world.counted()[2] == 5
    assert all(world.call(tenant, is_urgent=True, per_day=100) is None for tenant in (3, 4, 5))


# --- fair shares ---


@pytest.mark.parametrize(
    ("left", "had", "level"),
    [(100, [0], 100), (100, [0, 0], 50), (100, [80, 0], 90), (100, [500, 0, 0], 50), (0, [3, 9], 3), (9, [1, 2, 3], 5)],
)
def test_what_is_left_brings_those_who_had_least_as_far_as_possible(left, had, level) -> None:
    assert share(left, had) == level


def test_who_may_call_is_decided_by_what_is_left_and_had() -> None:
    assert what_stops(Day(100, 10, 100), Use(), [], True) is Why.DAY
    assert what_stops(Day(100, 10, 90), Use(), [], False) is Why.BULK
    assert what_stops(Day(100, 10, 90), Use(), [], True) is None
    assert what_stops(Day(100, 10, 95), Use(0, 5), [0], True) is Why.PART
    assert what_stops(Day(100, 10, 95), Use(0, 5), [], True) is None
    assert what_stops(Day(100, 10, 80), Use(80), [0], False) is Why.SHARE
    assert what_stops(Day(100, 10, 80), Use(80), [], False) is None


def test_L29_on_a_disk_that_is_always_slow_a_call_gets_ready_before_its_place_comes(world, monkeypatch) -> None:
    """Counting takes longer than a call may be late."""
    ask = Gate.broker.ask

    def slow(*asked: Any) -> Any:
        answer = ask(*asked)
        World.sleep(world, 0.4)
        return answer

    monkeypatch.setattr(Gate.broker, "ask", slow)
    asked = world.now
    assert world.call(1) is None
    assert used_today() == 1 and (world.now - asked).total_seconds() < 2


@pytest.mark.once
def test_L29_twenty_organizations_of_which_one_floods_all_get_their_share(world) -> None:
    """One has 100,000 changes, the others what 15 calls carry; a day of 500 calls."""
    todo = {0: 100_000} | dict.fromkeys(range(1, 20), 15)
    order = random.Random(1)
    waiting: dict[int, datetime] = {}
    while todo and world.now < MORNING + timedelta(hours=2):
        ready = [t for t in todo if waiting.get(t, MORNING) <= world.now]
        # The flood has ten workers at it, whoever comes first.
        tenant = order.choice([*ready, *[0] * 10 * (0 in ready)]) if ready else None
        if tenant is None:
            world.sleep(60)
        elif refused := world.call(tenant, per_second=100, per_day=500):
            if "used up" in refused.sentence:
                break
            waiting[tenant] = world.now + timedelta(seconds=refused.after or 0)
        else:
            todo[tenant] -= 1
            if not todo[tenant]:
                del todo[tenant]
    had = world.counted()
    assert [had[tenant] for tenant in range(1, 20)] == [15] * 19
    assert had[0] == 450 - 19 * 15, "and the idle rest is the flood's"


def test_L29_who_comes_late_gets_its_share_before_the_flood_goes_on(world) -> None:
    world.spend(1, 60, per_day=100)
    world.call(2, per_second=100, per_day=100)
    refused = world.spend(1, 60, per_day=100)
    assert refused and refused.bulk_only and "Other organizations" in refused.sentence and refused.after == 60
    assert world.spend(2, 20, per_day=100) is None
    world.sleep(broker.WANTS_FOR.total_seconds() + 1)
    world.spend(1, 60, per_day=100)
    assert world.counted() == {1: 69, 2: 21}, "when the other has finished, the rest is the flood's again"


def test_L29_a_single_edit_of_another_organization_goes_out_next(world) -> None:
    for _ in range(25):
        assert world.call(0) is None
    asked = world.now
    assert world.call(7, is_urgent=True) is None
    assert world.calls[-1][1] == 7
    assert (world.calls[-1][0] - asked).total_seconds() <= 1.3


def test_L29_places_ahead_are_for_urgent_calls_alone(world) -> None:
    """Forty workers of a flood ask at the same moment: they may not take all the places of the next seconds."""
    limits = Limits(4, 10_000, KEY)
    answers = [Gate.broker.ask(limits, 0, False, 0) for _ in range(40)]
    placed = [answer for answer in answers if isinstance(answer, gates.Go)]
    edit = Gate.broker.ask(limits, 7, True, 0)
    assert len(placed) == 4 and isinstance(edit, gates.Go)
    assert edit.at - world.monotonic() <= 1.3


# --- what the vendor says ---


def test_L29_what_the_vendor_refused_to_one_is_not_tried_by_the_others(world) -> None:
    limits = Limits(4, 100, KEY)
    outcome = Gate("Vendor", limits, 1).used_up()
    assert outcome.is_limit and outcome.after == pytest.approx(15 * 3600 + broker.MARGIN.total_seconds())
    for urgent in (True, False):
        refused = world.call(2, is_urgent=urgent, per_day=100)
        assert refused and "used up" in refused.sentence
    Gate("Vendor", Limits(4, 100, "another key"), 2).pass_through(False)  # raises if it has to wait
    world.sleep(outcome.after)
    assert world.call(2, per_day=100) is None


def test_L29_a_day_that_is_over_right_after_midnight_is_yesterdays_by_the_vendors_clock(world) -> None:
    world.now = MORNING.replace(hour=0, minute=1)
    outcome = Gate("Vendor", Limits(4, 100, KEY), 1).used_up()
    assert outcome.after == broker.ASK_AGAIN
    world.sleep(outcome.after + 1)
    assert world.call(1, per_day=100) is None


def test_L29_finished_changes_are_counted_to_the_organizations_latest_day(world) -> None:
    limits = Limits(4, 100, KEY)
    for tenant in (1, 2):
        world.call(tenant)
    world.now += timedelta(days=1)
    world.call(1)
    broker.count_changes(limits, 1, 30)
    broker.count_changes(limits, 1, 12)
    broker.count_changes(limits, 3, 5)  # nobody counted a call of theirs yet
    shares = QuotaShare.objects.order_by("day", "tenant_number").values_list("tenant_number", "changes")
    assert list(shares) == [(1, 0), (2, 0), (1, 42)]


def test_a_vendor_without_limits_is_not_counted(world) -> None:
    Gate("Vendor", None, 1).pass_through(False)
    assert Gate("Vendor", None, 1).used_up().after is None
    assert not Quota.objects.exists()


def test_old_counts_are_thrown_away(world) -> None:
    world.call(1)
    world.now += timedelta(days=1)
    world.call(1)
    Quota.objects.create(key="old", day=(MORNING - timedelta(days=40)).date())
    QuotaShare.objects.create(key="old", day=(MORNING - timedelta(days=40)).date(), tenant_number=1)
    broker.forget_old_quotas()
    assert QuotaShare.objects.count() == 2 and Quota.objects.get().key == KEY
