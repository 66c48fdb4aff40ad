"""Milestones: gifts taken in beside a bare insert of the same rows, a recount, a simulation, and how each grows."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bench.parts import Parts
from bench.scenarios import NO_MORE, Figure, Figures, Wishes

EACH = 10  # gifts of a donor; the recount has as many again
SIMULATION_S = 2.0


def milestones(wishes: Wishes) -> Figures:
    """Two rules are on while gifts come in; then everybody is counted anew, and a third rule is tried."""
    count = wishes.gifts
    donors = count // EACH
    with Parts() as parts:
        parts.step("seed_donors", donors=donors)
        bare = parts.step("insert_gifts", count=count, donors=donors)
    with Parts() as parts:
        parts.step("seed_donors", donors=donors)
        parts.step("switch_on_rules")
        taken = parts.step("record_gifts", count=count, donors=donors)
        tried = parts.step("try_rule")
        single = parts.step("follow_gift")
        parts.step("insert_gifts", count=count, donors=donors, skip=count)
        counted = parts.step("recount_gifts")
        parts.step("verify_milestones")  # what the further gifts have reached is noted
        verified = parts.step("verify_milestones")
    return [
        *taking_in(count, bare, taken), *following(count, single), *trying(count, tried),
        *recounting(2 * count, donors, counted, verified), *growing(wishes),
    ]  # fmt: skip


def taking_in(count: int, bare: dict[str, Any], taken: dict[str, Any]) -> Figures:
    """Noting gifts, with totals, history and milestones."""
    name = f"{count:,} gifts with milestones on"
    total = taken["noted"] + taken["looked"]
    return [
        Figure(name, "noted, and milestones looked at", total, "s"),
        Figure(name, "of that noted, with totals and history", taken["noted"], "s"),
        Figure(name, "of that milestones", taken["looked"], "s"),
        Figure(name, "milestones reached", taken["reached"]),
        Figure(name, "bare bulk insert of the same rows", bare["seconds"], "s"),
        Figure(name, "ratio to the bare insert", total / bare["seconds"], "×"),
        Figure(name, "of that milestones alone", taken["looked"] / bare["seconds"], "×"),
        Figure(name, "queries to note 500", taken["queries"]),
        Figure(name, "queries to look at 500 donors", taken["queries_looked"]),
        Figure.at_most(name, "peak memory", taken["memory_mb"], 250, "MB"),
    ]


def following(count: int, single: dict[str, Any]) -> Figures:
    """One gift, from its insert to the thank-you that names it and the milestone that it has reached."""
    name = f"One gift among {count:,}"
    return [
        Figure(name, "to the thank-you, half of them within", single["half"] * 1000, "ms"),
        Figure(name, "to the thank-you, 95 % of them within", single["most"] * 1000, "ms"),
        Figure(name, "queries", single["queries"]),
        Figure(name, "ratio to inserting its row", single["half"] / single["bare"], "×"),
    ]


def trying(count: int, tried: dict[str, Any]) -> Figures:
    """Who would match?"""
    name = f"Who would match, {count:,} gifts"
    return [
        Figure.at_most(name, "replayed", tried["seconds"], SIMULATION_S * count / 100_000, "s"),
        Figure(name, "matches", tried["matches"]),
        Figure(name, "only reading the same rows", tried["read"], "s"),
        Figure(name, "ratio to only reading them", tried["seconds"] / tried["read"], "×"),
    ]


def recounting(gifts: int, donors: int, counted: dict[str, Any], verified: dict[str, Any]) -> Figures:
    """The night."""
    name = f"The night: {gifts:,} gifts of {donors:,} donors"
    return [
        Figure(name, "totals counted anew", counted["seconds"], "s"),
        Figure(name, "milestones compared", verified["seconds"], "s"),
        Figure(name, "only reading the same rows", verified["read"], "s"),
        Figure(name, "milestones to only reading them", verified["seconds"] / verified["read"], "×"),
        Figure.at_most(name, "peak memory", max(counted["memory_mb"], verified["memory_mb"]), 250, "MB"),
    ]


def growing(wishes: Wishes) -> Figures:
    """The time for one gift, as there are more of them; the smallest case is the measure."""
    figures: Figures = []
    first: dict[str, float] = {}
    for count in wishes.gift_growth:
        name = f"Growth: {count:,} gifts"
        with Parts() as parts:
            parts.step("seed_donors", donors=count // EACH)
            parts.step("insert_gifts", count=count, donors=count // EACH)
            parts.step("recount_gifts")
            tried = parts.step("try_rule")
            parts.step("switch_on_rules")
            verified = parts.step("verify_milestones")
        now = {"replayed, per gift": tried["seconds"] / count, "compared, per gift": verified["seconds"] / count}
        for what, value in now.items():
            figures.append(Figure(name, what, value * 1e6, "µs"))
            if what in first:
                figures.append(Figure.at_most(name, f"{what}, to the smallest", value / first[what], NO_MORE, "×"))
            first.setdefault(what, value)
        figures.append(Figure.at_most(name, "peak memory", verified["memory_mb"], 250, "MB"))
    return figures


# --- in the process of a step ---


def seed_donors(donors: int) -> None:
    """Contacts who will give."""
    from bench import world
    from contacts.models import Contact
    from contacts.tenancy.walls import in_tenant

    with in_tenant(world.ours()[0]):
        world.insert(Contact, [Contact(first_name="Amara", last_name=f"Okafor{n}") for n in range(donors)])


def gifts(count: int, donors: int, skip: int = 0) -> Iterator[Any]:
    """Unsaved, over ten years, in the order in which a file might have them: not donor by donor."""
    from contacts.models import Contact
    from gifts.models import Gift, Source

    people = list(Contact.objects.order_by("pk")[:donors])
    last = date(2026, 11, 1)
    for n in range(skip, skip + count):
        yield Gift(
            contact=people[n % donors], received_on=last - timedelta(days=n * 37 % 3650),
            amount=Decimal(500 + n * 7919 % 20_000) / 100, campaign=("", "Spring", "Gala")[n % 3], source=Source.CSV,
            source_id=f"G{n}",
        )  # fmt: skip


def insert_gifts(count: int, donors: int, skip: int = 0) -> dict[str, float]:
    """The least that it can take: the same rows into the same table, 500 at a time, looking at nothing."""
    from django.db import transaction

    from bench import world
    from contacts.models.recorded import chunks
    from contacts.tenancy.walls import TenantQuerySet, in_tenant
    from gifts.models import Gift

    with in_tenant(world.ours()[0]):
        rows = list(gifts(count, donors, skip))
        started = time.perf_counter()
        for part in chunks(rows):
            with transaction.atomic():
                TenantQuerySet.bulk_create(Gift.objects.all(), part)
        return {"seconds": time.perf_counter() - started}


def switch_on_rules() -> None:
    """Two rules, with what was reached before noted quietly."""
    from bench import world
    from contacts.tenancy.walls import in_tenant
    from gifts import rules, running
    from gifts.models import MilestoneRule

    with in_tenant(world.ours()[0]):
        for name, kind, thresholds in (("Regular", "number", ["5", "10", "25"]), ("Large", "total", ["500", "1000"])):
            rule = MilestoneRule.objects.create(name=name, kind=kind, thresholds=thresholds)
            to_the_end(rules.who_would_match(rule).pk, running)
            to_the_end(rules.switch_on(rule).pk, running)


def to_the_end(pk: int, running: Any) -> None:
    """Turn after turn, as the queue would give them."""
    while running.turn(pk):
        pass


def record_gifts(count: int, donors: int, memory: Callable[[str], float]) -> dict[str, Any]:
    """Take them in as an import does, then look at the donors as the job does."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench import world
    from contacts.models.recorded import chunks
    from contacts.tenancy.walls import in_tenant
    from gifts import assessing, services
    from gifts.models import MilestoneReached

    tenant, _ = world.ours()
    with in_tenant(tenant):
        parts = list(chunks(gifts(count, donors)))
        started = time.perf_counter()
        services.record_gifts(parts[0])
        with CaptureQueriesContext(connection) as queries:
            services.record_gifts(parts[1])
        for part in parts[2:]:
            services.record_gifts(part)
        noted = time.perf_counter() - started
        started = time.perf_counter()
        with CaptureQueriesContext(connection) as looked:
            assessing.look_at_each(assessing.waiting())
        while assessing.turn(tenant.pk):
            pass
        return {
            "noted": noted, "looked": time.perf_counter() - started, "queries": len(queries),
            "queries_looked": len(looked), "reached": MilestoneReached.objects.count(), "memory_mb": memory("VmHWM"),
        }  # fmt: skip


def follow_gift() -> dict[str, Any]:
    """Forty people give, one after the other, enough for a milestone; what the jobs do is done at once. And the bare
    rows of forty more gifts."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench import world
    from contacts.models import Contact
    from contacts.tenancy.walls import TenantQuerySet, in_tenant
    from gifts import assessing, services
    from gifts.models import Gift, Source
    from tasks_app.models import ThankYou

    tenant, _ = world.ours()
    took, bare, day = [], [], date(2026, 11, 1)

    def follow(contact: Contact) -> None:
        services.record_gift(contact, Decimal(600), day)
        assessing.turn(tenant.pk)

    with in_tenant(tenant):
        people = [Contact.objects.create(first_name="Ama", last_name=f"Mensah{n}") for n in range(41)]
        with CaptureQueriesContext(connection) as queries:
            follow(people.pop())
        for contact in people:
            started = time.perf_counter()
            follow(contact)
            took.append(time.perf_counter() - started)
            asked = ThankYou.objects.get(contact=contact)
            assert asked.reasons.count() == 2, "the gift, and the milestone"
        for number, contact in enumerate(people):
            row = Gift(contact=contact, amount=600, received_on=day, source=Source.CSV, source_id=f"bare{number}")
            started = time.perf_counter()
            TenantQuerySet.bulk_create(Gift.objects.all(), [row])
            bare.append(time.perf_counter() - started)
    took.sort()
    return {"half": took[20], "most": took[37], "bare": sorted(bare)[20], "queries": len(queries)}


def try_rule() -> dict[str, Any]:
    """Who would match a third rule, from asking to the figures of the page; and only reading the same rows."""
    from bench import world
    from contacts.tenancy.walls import in_tenant
    from gifts import rules, running
    from gifts.models import MilestoneRule, RuleRun

    with in_tenant(world.ours()[0]):
        rule = MilestoneRule.objects.create(
            name="Tried", kind="since_month", month=7, thresholds=["100", "250"], at_least=Decimal(10)
        )
        started = time.perf_counter()
        run = rules.who_would_match(rule)
        to_the_end(run.pk, running)
        outlook = rules.outlook(RuleRun.objects.get(pk=run.pk))
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "matches": outlook.matches, "read": read()}


def read() -> float:
    """The seconds that it takes to read all gifts that stand, with what rules look at."""
    from gifts.models import Gift

    rows = Gift.objects.order_by("contact_id", "received_on", "pk").values_list(
        "contact_id", "received_on", "pk", "amount", "refunded", "counts", "is_one", "campaign", "fund", "source"
    )
    started = time.perf_counter()
    for _ in rows.iterator(2_000):
        pass
    return time.perf_counter() - started


def recount_gifts(memory: Callable[[str], float]) -> dict[str, Any]:
    """Everybody's totals."""
    from bench import world
    from contacts.tenancy.walls import in_tenant
    from gifts import totals

    with in_tenant(world.ours()[0]):
        started = time.perf_counter()
        totals.recount_all()
        return {"seconds": time.perf_counter() - started, "memory_mb": memory("VmHWM")}


def verify_milestones(memory: Callable[[str], float]) -> dict[str, Any]:
    """All milestones, compared with the gifts."""
    from bench import world
    from contacts.tenancy.walls import in_tenant
    from gifts import running

    with in_tenant(world.ours()[0]):
        started = time.perf_counter()
        to_the_end(running.begin(running.What.VERIFY).pk, running)
        return {"seconds": time.perf_counter() - started, "read": read(), "memory_mb": memory("VmHWM")}
