"""Polling: a service with 100,000 gifts brings in its history, then new ones, changes and a look that finds nothing."""

import time
from collections.abc import Callable
from typing import Any

from bench.parts import Parts
from bench.scenarios import Figure, Figures, Wishes

EACH = 10  # gifts of a donor
AT_ONCE = 5_000  # gifts that the sandbox makes in one act
NEW = 100


def polling(wishes: Wishes) -> Figures:
    """One connection whose switch is turned on once everything is there."""
    count = wishes.polled
    with Parts(vendor="donor_perfect") as parts:
        for made in range(0, count, AT_ONCE):
            add(parts, min(AT_ONCE, count - made) // EACH, EACH)
        parts.step("turn_on_gifts")
        small = parts.step("look_for_gifts", kind="history", pages=4)
        history = parts.step("look_for_gifts", kind="history")
        add(parts, NEW, 1)
        new = parts.step("look_for_gifts", kind="new")
        quiet = parts.step("look_for_gifts", kind="new")
        changes = parts.step("look_for_gifts", kind="changes")
    name = f"Polling, {count:,} gifts there"
    pages = count // 500 + 2
    return [
        Figure.at_most(name, "calls for the history", small["calls"] + history["calls"], pages + 1),
        Figure(name, "history taken in", small["seconds"] + history["seconds"], "s"),
        Figure(name, "peak memory after 4 pages", small["memory_mb"], "MB"),
        Figure.at_most(name, "peak memory at the end", history["memory_mb"], small["memory_mb"] + 40, "MB"),
        Figure.at_most(name, f"calls for {NEW} new gifts", new["calls"], 2),
        Figure(name, f"{NEW} new gifts taken in and thanked for", new["seconds"], "s"),
        Figure.at_most(name, "calls when nothing is new", quiet["calls"], 1),
        Figure(name, "a look when nothing is new", quiet["seconds"], "s"),
        Figure.at_most(name, "calls to find what was changed or deleted", changes["calls"], 2 * pages + 2),
        Figure(name, "a look for what was changed or deleted", changes["seconds"], "s"),
    ]


def add(parts: Parts, donors: int, gifts: int) -> None:
    """New donors with so many gifts each, at the sandbox."""
    crowd = {"action": "add_crowd", "donors": donors, "gifts": gifts, "amount": 25}
    parts.control("act", {"as": "holder", "account": "river", **crowd})


# --- steps, each in a process of its own (bench/step.py) ---


def turn_on_gifts() -> None:
    """From now on new gifts come in."""
    from bench import world
    from contacts.tenancy.walls import in_tenant
    from integrations import switching

    tenant, connection = world.ours()
    with in_tenant(tenant):
        switching.turn_on(connection, "new_gift", world.owner())


def look_for_gifts(kind: str, memory: Callable[[str], float], pages: int = 0) -> dict[str, Any]:
    """One look, to its end or for so many pages, turn after turn as the queue would give them."""
    from bench import world
    from contacts.tenancy.walls import in_tenant
    from integrations.models import GiftRun
    from integrations.providers import provider_for
    from integrations.sync import gift_pages

    tenant, connection = world.ours()
    started = time.perf_counter()
    with in_tenant(tenant):
        run = gift_pages.begin(connection, kind)
        before = run.calls if run else 0
        with provider_for(connection) as provider:
            while run is not None and run.state == run.State.RUNNING:
                switch = gift_pages.switch_of(connection)
                assert switch is not None
                run.connection = connection
                gift_pages.step(run, provider, switch)
                run = GiftRun.objects.get(pk=run.pk)
                if pages and run.calls - before >= pages:
                    break
        if run is None or (run.state != run.State.DONE and not pages):
            raise RuntimeError(f"The look did not come to its end: {run and run.reason}")
        calls = run.calls - before
    return {"calls": calls, "seconds": time.perf_counter() - started, "memory_mb": memory("VmHWM")}
